"""What can go wrong, as one tree split by whose fault it is.

    LazyJITError
    ├── UsageError                    the caller broke a contract of the API
    │   ├── GraphError                ... the rules of a link graph, in a pass or by hand
    │   ├── SessionClosed             ... by using what was closed
    │   ├── DylibNotFound / DuplicateDylib
    │   ├── ResourceTrackerDefunct    ... by using a tracker whose code was removed
    │   └── SymbolsCouldNotBeRemoved  ... by removing symbols that are being made
    ├── InputError                    what was handed in is malformed
    │   ├── IRError                   ... IR or bitcode; carries file, line and LLVM's words
    │   ├── SourceError               ... C source; carries file, line and the compiler's words
    │   ├── ObjectFormatError         ... an object file
    │   ├── ArchiveFormatError
    │   ├── LinkerScriptError
    │   └── AssemblyError             ... assembly; carries file, line, column and LLVM's words
    ├── LinkError                     the pieces are well formed but don't fit together
    │   ├── SymbolsNotFound           names that nothing defines, all of them at once
    │   ├── DuplicateDefinition       two strong definitions of a name
    │   │   └── CommonTooLarge        a common symbol, larger than what has its place by now
    │   ├── RelocationError           an unsupported kind, or a target out of range
    │   ├── MissingDefinitions        a materializer left a promised symbol undefined
    │   └── CheckError                a check on the linked program is false, or can't be made
    ├── MaterializationError          making a symbol failed; `__cause__` says why
    │   ├── FailedToMaterialize       ... here, or in something that the symbol depends on
    │   ├── SymbolRemoved             ... because its code was removed meanwhile
    │   └── CompileError              LLVM refused a unit
    ├── ResourceError                 the system refused: memory, addresses, threads, files
    │   ├── ArenaFull
    │   ├── LibraryNotFound
    │   └── CompilerNotFound          no C compiler is installed
    ├── IncompatibleLLVM              the installed llvmlite is not one that lazyjit binds
    └── InternalError                 a bug in lazyjit

Errors carry their data as attributes (symbols, addresses, files), so that a program never parses
a message. Native status codes are mapped to this tree at one door, `lazyjit/_native.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lazyjit.records import Record

__all__ = [
    "ArchiveFormatError",
    "ArenaFull",
    "AssemblyError",
    "CheckError",
    "CommonTooLarge",
    "CompileError",
    "CompilerNotFound",
    "Diagnostic",
    "DuplicateDefinition",
    "DuplicateDylib",
    "DylibNotFound",
    "FailedToMaterialize",
    "GraphError",
    "IRError",
    "IncompatibleLLVM",
    "InputError",
    "InternalError",
    "LazyJITError",
    "LibraryNotFound",
    "LinkError",
    "LinkerScriptError",
    "MaterializationError",
    "MissingDefinitions",
    "ObjectFormatError",
    "RelocationError",
    "ResourceError",
    "ResourceTrackerDefunct",
    "SessionClosed",
    "SourceError",
    "SymbolRemoved",
    "SymbolsCouldNotBeRemoved",
    "SymbolsNotFound",
    "UsageError",
]


class LazyJITError(Exception):
    """Base of everything that lazyjit raises on purpose."""


class UsageError(LazyJITError):
    """The caller broke a contract of the API."""


class GraphError(UsageError):
    """A link graph was built, changed or used against its rules."""


class SessionClosed(UsageError):
    """The session was closed, before the call or during it."""


class DylibNotFound(UsageError):
    """No dylib has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no dylib named {name!r}")
        self.name = name


class DuplicateDylib(UsageError):
    """A dylib of this name exists."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a dylib named {name!r} exists")
        self.name = name


class ResourceTrackerDefunct(UsageError):
    """The resource tracker's code was removed or transferred."""


class SymbolsCouldNotBeRemoved(UsageError):
    """These symbols are being made; only removing their tracker takes them back."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.symbols = sorted(symbols)
        super().__init__(f"being materialized: {', '.join(self.symbols)}")


class InputError(LazyJITError):
    """What was handed in is malformed.

    `file` names the input, `line` is 1-based or None, `reason` is the finding in words.
    """

    def __init__(self, reason: str, *, file: str | None = None, line: int | None = None) -> None:
        where = file or ""
        if line is not None:
            where = f"{where or '<text>'}:{line}"
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.file = file
        self.line = line


class IRError(InputError):
    """Malformed LLVM IR or bitcode; `reason` holds LLVM's words where LLVM found it."""


class Diagnostic(Record):
    """One thing that a compiler said."""

    #: "error", "warning" or "note".
    kind: str
    #: The compiler's words.
    reason: str
    #: What it was said of.
    file: str
    #: 1-based, or None.
    line: int | None = None
    #: 1-based, or None.
    column: int | None = None

    def __str__(self) -> str:
        place = [str(each) for each in (self.file, self.line, self.column) if each is not None]
        return f"{':'.join(place)}: {self.kind}: {self.reason}"


class SourceError(InputError):
    """C source that the compiler refused, at its first error.

    `column` is 1-based or None; `diagnostics` are all that the compiler said, in its order.
    """

    def __init__(
        self,
        reason: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        super().__init__(reason, file=file, line=line)
        self.column = column
        self.diagnostics = tuple(diagnostics)


class ObjectFormatError(InputError):
    """A malformed or foreign object file; `offset` is where, in bytes, or None."""

    def __init__(self, reason: str, *, file: str | None = None, offset: int | None = None) -> None:
        super().__init__(reason, file=file)
        self.offset = offset


class ArchiveFormatError(InputError):
    """A malformed archive."""


class LinkerScriptError(InputError):
    """A malformed linker script, or one for another purpose than naming libraries."""


class AssemblyError(InputError):
    """LLVM's assembler refused assembly text; `column` is 1-based or None, `reason` its words."""

    def __init__(
        self,
        reason: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(reason, file=file, line=line)
        self.column = column


class LinkError(LazyJITError):
    """The pieces are well formed but don't fit together."""


class SymbolsNotFound(LinkError):
    """Names that nothing defines. `symbols` lists them all; `needed_by` says who asked."""

    def __init__(self, symbols: Iterable[str], *, needed_by: str | None = None) -> None:
        self.symbols = sorted(symbols)
        self.needed_by = needed_by
        what = ", ".join(self.symbols)
        super().__init__(
            f"symbols not found: {what}" + (f" (needed by {needed_by})" if needed_by else "")
        )


class DuplicateDefinition(LinkError):
    """A second strong definition of `symbol` in `dylib`."""

    def __init__(self, symbol: str, dylib: str, *, by: str | None = None) -> None:
        super().__init__(
            f"duplicate definition of {symbol} in dylib {dylib}" + (f" by {by}" if by else "")
        )
        self.symbol = symbol
        self.dylib = dylib
        self.by = by


class CommonTooLarge(DuplicateDefinition):
    """A common symbol that is larger, or more strictly aligned, than what has its place by now.

    `wanted` and `placed` are sizes and alignments in bytes, as pairs. Add what has it before
    anything that has it is linked: then there is room for the largest.
    """

    def __init__(
        self,
        symbol: str,
        dylib: str,
        wanted: tuple[int, int],
        placed: tuple[int, int],
        *,
        by: str | None = None,
    ) -> None:
        super().__init__(symbol, dylib, by=by)
        self.wanted = wanted
        self.placed = placed
        self.args = (
            f"{by + ': ' if by else ''}common symbol {symbol} of {wanted[0]} bytes (aligned to"
            f" {wanted[1]}) came after {placed[0]} bytes (aligned to {placed[1]}) were linked for"
            f" it in dylib {dylib}",
        )


class RelocationError(LinkError):
    """A relocation of a kind that can't be linked, or whose target is out of range.

    `kind` is the ABI's name (R_X86_64_PC32), `symbol` its target or None, `file` the object,
    `section` and `offset` the place, `value` what did not fit.
    """

    def __init__(
        self,
        reason: str,
        *,
        kind: str,
        symbol: str | None = None,
        file: str | None = None,
        section: str | None = None,
        offset: int | None = None,
        value: int | None = None,
    ) -> None:
        place = f"{section}+{offset:#x}" if section is not None and offset is not None else ""
        parts = [part for part in (file, place) if part]
        target = f" against {symbol}" if symbol else ""
        super().__init__(f"{': '.join([*parts, kind + target])}: {reason}")
        self.reason = reason
        self.kind = kind
        self.symbol = symbol
        self.file = file
        self.section = section
        self.offset = offset
        self.value = value


class MissingDefinitions(LinkError):
    """A materializer finished without the definitions that it had promised."""

    def __init__(self, unit: str, symbols: Iterable[str]) -> None:
        self.unit = unit
        self.symbols = sorted(symbols)
        super().__init__(f"{unit} did not define {', '.join(self.symbols)}")


class CheckError(LinkError):
    """A check on the linked program is false, or can't be made.

    `expression` is the check, `file` and `line` (1-based) its place or None, `reason` the finding
    in words; `left` and `right` are the values of both sides, or None when there are none.
    """

    def __init__(
        self,
        reason: str,
        *,
        expression: str,
        file: str | None = None,
        line: int | None = None,
        left: int | None = None,
        right: int | None = None,
    ) -> None:
        where = file or ""
        if line is not None:
            where = f"{where or '<checks>'}:{line}"
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.expression = expression
        self.file = file
        self.line = line
        self.left = left
        self.right = right


class MaterializationError(LazyJITError):
    """Making a symbol failed."""


class FailedToMaterialize(MaterializationError):
    """These symbols can't be had: making them, or something that they depend on, failed.

    `symbols` maps dylib names to symbol names; `__cause__` is the failure at the root.
    """

    def __init__(self, symbols: Mapping[str, Iterable[str]], cause: BaseException | None) -> None:
        self.symbols = {dylib: sorted(names) for dylib, names in symbols.items()}
        what = "; ".join(f"{dylib}: {', '.join(names)}" for dylib, names in self.symbols.items())
        super().__init__(f"failed to materialize {what}" + (f": {cause}" if cause else ""))
        self.__cause__ = cause


class SymbolRemoved(MaterializationError):
    """The symbol's code was removed from the session."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol} was removed")
        self.symbol = symbol


class CompileError(MaterializationError):
    """LLVM refused to compile a unit; `unit` names it, `reason` holds LLVM's words."""

    def __init__(self, reason: str, *, unit: str, file: str | None = None) -> None:
        super().__init__(f"{unit}: {reason}")
        self.reason = reason
        self.unit = unit
        self.file = file


class ResourceError(LazyJITError):
    """The system refused; `errno` is its code or None."""

    def __init__(self, reason: str, *, errno: int | None = None) -> None:
        super().__init__(reason)
        self.errno = errno


class ArenaFull(ResourceError):
    """The session's address range has no room for an allocation."""


class LibraryNotFound(ResourceError):
    """A shared library or archive was not found or can't be loaded."""


class CompilerNotFound(ResourceError):
    """No C compiler that can be used was found; the message says what to install."""


class IncompatibleLLVM(LazyJITError):
    """The installed llvmlite lacks an entry point, or has another LLVM."""


class InternalError(LazyJITError):
    """A broken invariant of lazyjit's own: please report it."""
