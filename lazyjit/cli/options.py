"""What an option of a command is, and what a parsed command line asks for.

LLVM's tools spell options their own way: one dash or two, a value after `=` or as the next word,
flags that take `=true` and `=false`, and a few one-letter options whose value is glued on (`-O2`).
Neither argparse nor click reads that, so `lazyjit run` has a table of its own: one `Option` a row,
with its spellings, how it takes a value, and its fate. Every option that lli lists has a row, and
the fate says honestly what happens to it here:

    DO       it does here what it does in lli, or it is lazyjit's own
    ACCEPT   it can make no difference here, and the row says why
    REFUSE   it would make one, and the row says why lazyjit won't pretend
    LLVM     it tunes LLVM itself, and is handed to the LLVM that lazyjit compiles with

The table is in `table.py` (lazyjit's and lli's own), `codegen_flags.py` (what LLVM's code
generators register in every tool) and `llvm_flags.py` (the two and a half thousand others).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from lazyjit.errors import UsageError
from lazyjit.records import Record

__all__ = [
    "Arity",
    "CommandLineError",
    "Dump",
    "Fate",
    "Input",
    "InputKind",
    "Option",
    "Request",
    "parse_bool",
    "parse_choice",
    "parse_unsigned",
]


class CommandLineError(UsageError):
    """The command line can't be understood, or asks for what lazyjit refuses; it says why."""


class Arity(enum.Enum):
    """How an option takes its value."""

    #: No value needed; `=true`, `=false`, `=1`, `=0` are understood.
    FLAG = enum.auto()
    #: A value after `=`, or else the next word.
    VALUE = enum.auto()
    #: As VALUE, and the value may also be glued to the name: `-O2`, `-lm`.
    JOINED = enum.auto()
    #: A value only after `=`.
    OPTIONAL = enum.auto()
    #: All words that follow, dashes or not, up to another option of this kind.
    REST = enum.auto()


class Fate(enum.Enum):
    """What becomes of an option; see the top of this file."""

    DO = "does"
    ACCEPT = "accepted"
    REFUSE = "refused"
    LLVM = "LLVM"


class InputKind(enum.Enum):
    """What an input is, which decides the call that adds it."""

    MODULE = enum.auto()
    OBJECT = enum.auto()
    ARCHIVE = enum.auto()
    #: `-l`: a name to be searched for.
    LIBRARY = enum.auto()


class Dump(enum.Enum):
    """What is printed of each unit before it is compiled."""

    NOTHING = enum.auto()
    #: One line of function names, on stderr.
    NAMES = enum.auto()
    #: The unit's IR, on stderr.
    IR = enum.auto()
    #: lli's `-orc-lazy-debug=funcs-to-stdout`.
    LLI_FUNCTIONS = enum.auto()
    #: lli's `-orc-lazy-debug=mods-to-stdout`.
    LLI_MODULES = enum.auto()
    #: lli's `-orc-lazy-debug=mods-to-disk`.
    LLI_FILES = enum.auto()


class Input(Record):
    """One file or library beside the program's own, and the dylib it goes into (None: main)."""

    kind: InputKind
    name: str
    dylib: str | None


class Request:
    """Everything that a `lazyjit run` command line asks for; options fill it in one by one."""

    def __init__(self) -> None:
        #: "-" is stdin.
        self.file = "-"
        self.file_given = False
        self.arguments: list[str] = []

        self.opt_level = 2
        self.codegen_level: int | None = None
        #: None: as many as there are processors.
        self.compile_threads: int | None = None
        self.lazy = True
        self.unit_policy = "cluster"
        self.tiered = False
        self.speculate = True
        self.cpu: str | None = None
        self.features: list[str] = []
        self.relocation_model = "pic"
        self.code_model = "small"

        self.entry = "main"
        self.thread_entries: list[str] = []
        self.argv0: str | None = None
        self.run_initializers = True

        self.inputs: list[Input] = []
        #: Dylibs beside main, in the order of their first mention: main's link order.
        self.dylibs: list[str] = []
        self.library_dirs: list[str] = []
        #: Shared libraries to load into the process, with whether a failure is fatal.
        self.loads: list[tuple[str, bool]] = []
        self.process_symbols = True

        self.stats = False
        self.dump = Dump.NOTHING
        self.core_files = True
        #: Arguments for LLVM's own option parser, as `-name=value`.
        self.llvm_arguments: list[str] = []
        #: "run", or what to print instead: "help", "help-hidden", "version".
        self.action = "run"

        #: The dylib that inputs go into at this point of the command line; None is main.
        self.current_dylib: str | None = None
        #: lli's -jit-kind, when given.
        self.jit_kind: str | None = None
        #: Options seen that lli's MCJIT kind would honour and lazyjit can't: spelling and reason.
        self.mcjit_conflicts: list[tuple[str, str]] = []


#: No value is refused.
NOTHING: Mapping[str, str] = MappingProxyType({})


class Option(Record):
    """A row of the table.

    `text` is one phrase: what the option does (DO), why it makes no difference (ACCEPT) or why it
    can't be had (REFUSE). `apply` stores the value in the command's request; flags hand it "true"
    or "false".
    """

    names: tuple[str, ...]
    arity: Arity
    fate: Fate
    text: str
    apply: Callable[[Any, str], None] | None = None
    #: What the value is called in help texts.
    metavar: str = "VALUE"
    #: The only values allowed, or empty for any.
    values: tuple[str, ...] = ()
    #: Values that lli has and lazyjit does not, with the reasons.
    refused: Mapping[str, str] = NOTHING
    #: Heading in help texts.
    group: str = ""
    #: Whether `--help` shows it, or only `--help-hidden`.
    hidden: bool = False
    #: Why it is refused together with -jit-kind=mcjit, the one kind of lli's that reads it.
    mcjit: str = ""

    @property
    def name(self) -> str:
        """The first spelling, which error messages and documents use."""
        return self.names[0]

    def spelled(self, name: str | None = None) -> str:
        """The option as one writes it: with two dashes, or one before a single letter."""
        name = name or self.name
        return f"-{name}" if len(name) == 1 else f"--{name}"


def parse_bool(option: str, value: str) -> bool:
    """LLVM's reading of a flag's value; an empty one is true. Raises CommandLineError."""
    if value in ("", "true", "TRUE", "True", "1"):
        return True
    if value in ("false", "FALSE", "False", "0"):
        return False
    raise CommandLineError(f"{option}: {value!r} is neither true nor false")


def parse_unsigned(option: str, value: str) -> int:
    """A number in LLVM's notation (0x, 0b, 0o and a leading 0 for octal). CommandLineError."""
    try:
        if len(value) > 1 and value.startswith("0") and value[1].isdigit():
            return int(value, 8)
        number = int(value, 0)
    except ValueError:
        number = -1
    if number < 0 or not value[0].isdigit():
        raise CommandLineError(f"{option}: {value!r} is not a number")
    return number


def parse_choice(option: str, value: str, choices: Sequence[str]) -> str:
    """`value` if it is one of `choices`; CommandLineError names them otherwise."""
    if value not in choices:
        raise CommandLineError(f"{option}: {value!r} is not one of {', '.join(choices)}")
    return value
