"""The vocabulary of an index: kinds of entities, their flags, and what a name was found to be.

An *entity* is a name of IR's @ namespace. Its record (`ENTITY`) is native memory's own layout, so
that a module's entities are one NumPy array without copying. It is made when it is first asked for,
as who compiles and runs code has no need of NumPy.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

from lazyjit._native import lib

if TYPE_CHECKING:
    import numpy as np

    #: The layout of `lj_ir_entity`. Offsets are in bytes of the text.
    ENTITY: np.dtype[Any]

__all__ = [
    "ENTITY",
    "Constructor",
    "EntityFlag",
    "Kind",
    "Linkage",
    "RefFlag",
    "Visibility",
    "What",
]


class Kind(enum.IntEnum):
    """What an entity is."""

    #: Used but neither defined nor declared: LLVM accepts intrinsics so.
    UNDEFINED = lib.LJ_IR_UNDEFINED
    #: `define`.
    FUNCTION = lib.LJ_IR_FUNCTION
    #: `declare`.
    DECLARATION = lib.LJ_IR_DECLARATION
    #: A global variable or constant with an initializer.
    VARIABLE = lib.LJ_IR_VARIABLE
    #: A global variable or constant that is defined elsewhere.
    EXTERNAL = lib.LJ_IR_EXTERNAL
    #: `alias`; the record's `aliasee` is what stands at the end of the chain.
    ALIAS = lib.LJ_IR_ALIAS
    #: `ifunc`; the record's `aliasee` is the resolver.
    IFUNC = lib.LJ_IR_IFUNC


class Linkage(enum.IntEnum):
    """An entity's linkage, by IR's own words."""

    EXTERNAL = lib.LJ_IR_LINK_EXTERNAL
    AVAILABLE_EXTERNALLY = lib.LJ_IR_LINK_AVAILABLE_EXTERNALLY
    LINKONCE = lib.LJ_IR_LINK_LINKONCE
    LINKONCE_ODR = lib.LJ_IR_LINK_LINKONCE_ODR
    WEAK = lib.LJ_IR_LINK_WEAK
    WEAK_ODR = lib.LJ_IR_LINK_WEAK_ODR
    APPENDING = lib.LJ_IR_LINK_APPENDING
    INTERNAL = lib.LJ_IR_LINK_INTERNAL
    PRIVATE = lib.LJ_IR_LINK_PRIVATE
    EXTERN_WEAK = lib.LJ_IR_LINK_EXTERN_WEAK
    COMMON = lib.LJ_IR_LINK_COMMON


class Visibility(enum.IntEnum):
    """An entity's visibility, by IR's own words."""

    DEFAULT = lib.LJ_IR_DEFAULT
    HIDDEN = lib.LJ_IR_HIDDEN
    PROTECTED = lib.LJ_IR_PROTECTED


class EntityFlag(enum.IntFlag):
    """What the `flags` of a record say. `native/ir_index.h` has each one's contract."""

    NUMBERED = lib.LJ_IR_NUMBERED
    LOCAL = lib.LJ_IR_LOCAL
    OVERRIDABLE = lib.LJ_IR_OVERRIDABLE
    WEAK = lib.LJ_IR_WEAK
    CONSTANT = lib.LJ_IR_CONSTANT
    TLS = lib.LJ_IR_TLS
    UNNAMED_ADDR = lib.LJ_IR_UNNAMED_ADDR
    VARARG = lib.LJ_IR_VARARG
    NOINLINE = lib.LJ_IR_NOINLINE
    ALWAYSINLINE = lib.LJ_IR_ALWAYSINLINE
    COLD = lib.LJ_IR_COLD
    BLOCKADDRESS = lib.LJ_IR_BLOCKADDRESS
    ADDRESS_TAKEN = lib.LJ_IR_ADDRESS_TAKEN
    SPECIAL = lib.LJ_IR_SPECIAL
    COPYABLE = lib.LJ_IR_COPYABLE
    ALIASED = lib.LJ_IR_ALIASED
    DSO_LOCAL = lib.LJ_IR_DSO_LOCAL
    PLACED = lib.LJ_IR_PLACED
    CALLABLE = lib.LJ_IR_CALLABLE
    PLAIN_ALIAS = lib.LJ_IR_PLAIN_ALIAS
    NO_UNIT = lib.LJ_IR_NO_UNIT


class RefFlag(enum.IntFlag):
    """How one entity refers to another; several may hold."""

    #: As the callee of a call.
    CALL = lib.LJ_IR_REF_CALL
    #: By its address.
    ADDRESS = lib.LJ_IR_REF_ADDRESS
    #: By the address of one of its blocks.
    BLOCK = lib.LJ_IR_REF_BLOCK


class What(enum.IntEnum):
    """What a linker name is to a module."""

    #: Nothing that the module defines.
    NONE = lib.LJ_IR_FOUND_NONE
    #: A function's canonical address (or an alias's or ifunc's of a function).
    STUB = lib.LJ_IR_FOUND_STUB
    #: A function's code.
    BODY = lib.LJ_IR_FOUND_BODY
    #: A variable, a constant, or an alias of such.
    DATA = lib.LJ_IR_FOUND_DATA


class Constructor(NamedTuple):
    """An entry of llvm.global_ctors or llvm.global_dtors; -1 where IR has null."""

    priority: int
    function: int
    data: int


def __getattr__(name: str) -> Any:
    if name != "ENTITY":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import numpy as np  # a tenth of a second, for arrays of records only

    layout: list[tuple[str, Any]] = [
        *((word, np.uint32) for word in ("name", "name_length", "flags", "start", "length")),
        *((word, np.uint32) for word in ("type", "body", "tail", "refs", "ref_count", "uses")),
        *((word, np.int32) for word in ("aliasee", "comdat", "group")),
        *((word, np.uint8) for word in ("kind", "linkage", "visibility", "reserved")),
    ]
    found = globals()["ENTITY"] = np.dtype(layout)
    return found
