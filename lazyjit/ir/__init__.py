"""LLVM IR as text: indexing a module without parsing it, and carving units out of it.

`ModuleIndex` knows where each entity of a module stands and who refers to whom; `carve` makes the
text of a unit that defines some of them, in time proportional to that unit.
"""

from lazyjit.ir.carve import CarvedUnit, carve, seed, seed_many, suggest
from lazyjit.ir.entities import Constructor, EntityFlag, Kind, Linkage, RefFlag, Visibility, What
from lazyjit.ir.index import ModuleIndex
from lazyjit.ir.module_asm import ModuleAsm

__all__ = [
    "CarvedUnit",
    "Constructor",
    "EntityFlag",
    "Kind",
    "Linkage",
    "ModuleAsm",
    "ModuleIndex",
    "RefFlag",
    "Visibility",
    "What",
    "carve",
    "seed",
    "seed_many",
    "suggest",
]
