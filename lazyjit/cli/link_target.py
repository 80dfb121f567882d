"""Which processor a link is for: what -triple says, else what the inputs are for.

All objects of a link are for one processor. Code for another one than this machine's can be linked,
but not run.
"""

from __future__ import annotations

from lazyjit.cli.link_files import File, FileKind, Inputs
from lazyjit.cli.link_request import LinkRequest
from lazyjit.cli.options import CommandLineError
from lazyjit.errors import InputError

__all__ = ["HOST", "is_foreign", "of"]

HOST = "x86_64"

#: e_machine -> the family, as triples begin with it.
MACHINES = {62: "x86_64", 183: "aarch64"}
FAMILIES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def _family(triple: str) -> str:
    first = triple.split("-")[0]
    if first not in FAMILIES:
        raise CommandLineError(f"-triple: {triple}: lazyjit links for {' and '.join(_known())}")
    return FAMILIES[first]


def _known() -> list[str]:
    return sorted(set(FAMILIES.values()))


def machine_of(file: File) -> str | None:
    """The family that an object is for; None if it is no object, or for none that is known."""
    if file.kind is not FileKind.OBJECT or file.data[4:6] != b"\x02\x01":
        return None
    return MACHINES.get(int.from_bytes(file.data[18:20], "little"))


def is_foreign(triple: str) -> bool:
    """Whether it is not this machine's."""
    return _family(triple) != HOST


def of(request: LinkRequest, inputs: Inputs) -> str:
    """The link's triple. Raises InputError for a file for another processor than the others, and
    CommandLineError for a program that can't be run here.
    """
    found = [(machine, file) for file in inputs.all if (machine := machine_of(file)) is not None]
    family = found[0][0] if found else HOST
    triple = f"{family}-unknown-linux-gnu"
    if request.triple is not None:
        family, triple = _family(request.triple), request.triple
    for machine, file in found:
        if machine != family:
            raise InputError(f"it is for {machine}, and the link for {family}", file=file.name)
    if family != HOST and request.execute:
        raise CommandLineError(f"code for {family} can't run here; -noexec links it")
    return triple
