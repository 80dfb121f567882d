"""llvmlite's objects that say more: a target machine its options, an object file its bytes.

LLVM's own objects can't be asked for either, so they are noted where a program passes them in. An
engine that is given a plain llvmlite machine falls back to this host and level 2.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite.binding import object_file, targets

from lazyjit.errors import UsageError

__all__ = ["MachineOptions", "ObjectFileRef", "Target", "TargetMachine", "options_of"]


class MachineOptions(NamedTuple):
    """What a target machine was made with, as lazyjit's compiler takes it."""

    codegen_level: int = 2
    cpu: str | None = None
    features: str | None = None


class TargetMachine(targets.TargetMachine):  # type: ignore[misc]  # llvmlite has no types
    """llvmlite's, with the options it was made with."""

    #: Of a machine that `Target.create_target_machine` made.
    options = MachineOptions()


class Target(targets.Target):  # type: ignore[misc]  # llvmlite has no types
    """llvmlite's, whose machines remember their options."""

    def create_target_machine(
        self, cpu: str = "", features: str = "", opt: int = 2, *args: Any, **kwargs: Any
    ) -> TargetMachine:
        """As llvmlite's. Raises what it raises."""
        made = super().create_target_machine(cpu, features, opt, *args, **kwargs)
        machine = TargetMachine(made._ptr)
        made.detach()
        # LLVM's generic CPU has an empty name there, and a name here.
        machine.options = MachineOptions(opt, cpu or "x86-64", features)
        return machine


def options_of(machine: Any) -> MachineOptions:
    """A machine's options; defaults for one that doesn't know them, or for None."""
    return getattr(machine, "options", MachineOptions())


class ObjectFileRef(object_file.ObjectFileRef):  # type: ignore[misc]  # llvmlite has no types
    """llvmlite's, with the bytes it was made from."""

    _data: bytes | None = None

    @classmethod
    def from_data(cls, data: bytes) -> ObjectFileRef:
        """As llvmlite's."""
        made = super().from_data(data)
        made._data = bytes(data)
        return made  # type: ignore[no-any-return]  # llvmlite has no types

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> ObjectFileRef:
        """As llvmlite's. Raises OSError."""
        return cls.from_data(Path(path).read_bytes())


def object_bytes(source: Any) -> bytes:
    """The bytes of an object file, by reference or path. Raises UsageError, OSError."""
    if isinstance(source, str | os.PathLike):
        return Path(source).read_bytes()
    data = getattr(source, "_data", None)
    if data is None:
        raise UsageError(
            "an ObjectFileRef of llvmlite.binding doesn't give its bytes away;"
            " make it with lazyjit.llvmlite_compat.ObjectFileRef"
        )
    return data  # type: ignore[no-any-return]  # set above, to bytes
