"""The options of `lazyjit link`: every one that llvm-jitlink has, and a few of our own.

Each row fills in a `LinkRequest`. Spellings are llvm-jitlink's, and so is what they do, unless the
row says otherwise; what can't be had is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lazyjit.cli.link_request import LinkRequest, SectCreate
from lazyjit.cli.options import (
    Arity,
    CommandLineError,
    Fate,
    Option,
    parse_bool,
    parse_unsigned,
)

__all__ = ["GROUPS", "OPTIONS"]

INPUTS = "What is linked"
SYMBOLS = "Symbols"
RUNNING = "Running it"
MEMORY = "Memory"
WATCHING = "Checking and watching"
KNOWN = "Known for llvm-jitlink's sake"
GROUPS = (INPUTS, SYMBOLS, RUNNING, MEMORY, WATCHING, KNOWN)

Apply = Callable[[LinkRequest, str], None]


def _text(attribute: str) -> Apply:
    def apply(request: LinkRequest, value: str) -> None:
        setattr(request, attribute, value)

    return apply


#: More of them only cost their making.
MOST_THREADS = 1024


def _threads(request: LinkRequest, value: str) -> None:
    request.threads = parse_unsigned("-num-threads", value)
    if request.threads > MOST_THREADS:
        raise CommandLineError(f"-num-threads: {value}: at most {MOST_THREADS}")


def _flag(attribute: str, option: str, *, inverted: bool = False) -> Apply:
    def apply(request: LinkRequest, value: str) -> None:
        setattr(request, attribute, parse_bool(option, value) is not inverted)

    return apply


def _append(attribute: str) -> Apply:
    def apply(request: LinkRequest, value: str) -> None:
        getattr(request, attribute).append(value)

    return apply


def _input(*, library: bool = False, hidden: bool = False, whole: bool = False) -> Apply:
    def apply(request: LinkRequest, value: str) -> None:
        request.add(value, library=library, hidden=hidden, whole=whole)

    return apply


def _action(action: str) -> Apply:
    def apply(request: LinkRequest, value: str) -> None:
        if value == "true":
            request.action = action

    return apply


def _dylib(request: LinkRequest, value: str) -> None:
    request.current_dylib = None if value == "main" else value
    if value != "main" and value not in request.dylibs:
        request.dylibs.append(value)


def _directory(request: LinkRequest, value: str) -> None:
    request.library_dirs.append((request.current_dylib, value))


def _pair(option: str, value: str) -> tuple[str, str]:
    name, equals, what = value.partition("=")
    if not (name and equals and what):
        raise CommandLineError(f"{option}: {value!r} is not of the form NAME=VALUE")
    return name, what


def address(option: str, text: str) -> int:
    """A number of 64 bits. Raises CommandLineError."""
    number = parse_unsigned(option, text)
    if number >= 1 << 64:
        raise CommandLineError(f"{option}: {text} does not fit into 64 bits")
    return number


def _absolute(request: LinkRequest, value: str) -> None:
    name, number = _pair("-abs", value)
    request.absolutes.append((request.current_dylib, name, address("-abs", number)))


def _alias(request: LinkRequest, value: str) -> None:
    request.aliases.append((request.current_dylib, *_pair("-alias", value)))


def _section(request: LinkRequest, value: str) -> None:
    section, comma, rest = value.partition(",")
    file, at, names = rest.partition("@")
    if not (section and comma and file) or (at and not names):
        raise CommandLineError(
            f"-sectcreate: {value!r} is not of the form SECTION,FILE[@NAME=OFFSET,...]"
        )
    pairs = [_pair("-sectcreate", each) for each in names.split(",")] if at else []
    for i, (name, _) in enumerate(pairs):
        if name in (other for other, _ in pairs[:i]):
            raise CommandLineError(f"-sectcreate: symbol {name} is defined twice")
    symbols = tuple((name, address("-sectcreate", offset)) for name, offset in pairs)
    request.sections.append(SectCreate(section, file, symbols, request.current_dylib))


def _slab_size(request: LinkRequest, value: str) -> None:
    units = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
    unit = units.get(value[-2:].lower())
    number = value[:-2] if unit else value
    request.slab_size = parse_unsigned("-slab-allocate", number) * (unit or 1 << 10)
    if not request.slab_size:
        raise CommandLineError("-slab-allocate: a slab has some size")


def _slab_address(request: LinkRequest, value: str) -> None:
    request.slab_address = address("-slab-address", value)


def _page_size(request: LinkRequest, value: str) -> None:
    size = parse_unsigned("-slab-page-size", value)
    if size < 1 or size & (size - 1):
        raise CommandLineError(f"-slab-page-size: {value} is not a power of two")
    request.slab_page_size = size


def _lazy(request: LinkRequest, value: str) -> None:
    request.next_lazy = value == "true"


def _do(
    names: str, arity: Arity, text: str, apply: Apply, group: str, metavar: str = "VALUE",
    values: tuple[str, ...] = (), refused: Mapping[str, str] | None = None,
) -> Option:  # fmt: skip
    return Option(
        tuple(names.split()), arity, Fate.DO, text, apply, metavar, values, refused or {}, group
    )


def _other(fate: Fate) -> Callable[[str, Arity, str], Option]:
    def row(names: str, arity: Arity, text: str) -> Option:
        return Option(tuple(names.split()), arity, fate, text, group=KNOWN, hidden=True)

    return row


_accept, _refuse = _other(Fate.ACCEPT), _other(Fate.REFUSE)

FLAG, VALUE, JOINED, OPTIONAL, REST = (
    Arity.FLAG, Arity.VALUE, Arity.JOINED, Arity.OPTIONAL, Arity.REST,
)  # fmt: skip

REMOTE = "lazyjit links and runs in its own process"
MACH_O = "it belongs to Mach-O, and lazyjit links ELF"

OPTIONS: tuple[Option, ...] = (
    # What is linked
    _do("l", JOINED, "link with a library, libNAME.so or libNAME.a, in the directories of the "
        "dylib's -L; or with the dylib of -jd NAME", _input(library=True), INPUTS, "NAME"),
    _do("L", JOINED, "search this directory for libraries", _directory, INPUTS, "DIR"),
    _do("search-sys-lib", FLAG, "search the system's library directories too, after those of -L",
        _flag("search_system", "-search-sys-lib"), INPUTS),
    _do("hidden-l", JOINED, "as -l; what the library's members define is hidden: not seen from "
        "other dylibs", _input(library=True, hidden=True), INPUTS, "NAME"),
    _do("load_hidden", VALUE, "link an archive, given as a file, whose definitions are hidden",
        _input(hidden=True), INPUTS, "F"),
    _do("force-load force_load", VALUE, "link all members of an archive, needed or not",
        _input(whole=True), INPUTS, "F"),
    _do("all_load", FLAG, "link all members of all archives", _flag("all_load", "-all_load"),
        INPUTS),
    _do("jd", VALUE, "what follows (inputs, -L, -l, -abs, -alias) goes into this dylib; it "
        "links against those of its -l", _dylib, INPUTS, "NAME"),
    _do("preload", VALUE, "load a shared library into the process before anything else",
        _append("preloads"), INPUTS, "F"),
    _do("no-process-syms", FLAG, "hide this process's own symbols (the C library's) from the code",
        _flag("process_symbols", "-no-process-syms", inverted=True), INPUTS),
    _do("sectcreate", VALUE, "make a section of a file's bytes, with symbols at offsets in it",
        _section, INPUTS, "SECTION,F[@NAME=OFFSET,...]"),
    _do("harness", REST, "test harness files: what they define overrides the other files' "
        "definitions, what they refer to may be local there, and all else there is local",
        _append("harness"), INPUTS, "F..."),
    _do("lazy", FLAG, "link the functions of the file that follows at their first call", _lazy,
        INPUTS),
    _do("assembler", VALUE, "the llvm-mc that assembles for processors other than this one "
        "(default: one on PATH)", _text("assembler"), INPUTS, "PROGRAM"),
    # Symbols
    _do("abs", VALUE, "define a symbol at an address", _absolute, SYMBOLS, "NAME=ADDR"),
    _do("alias", VALUE, "define a symbol as another name for a second", _alias, SYMBOLS,
        "NAME=AS"),
    _do("phony-externals", FLAG, "what nothing defines is at address 0",
        _flag("phony_externals", "-phony-externals"), SYMBOLS),
    # Running it
    _do("entry", VALUE, "start at this function instead of main", _text("entry"), RUNNING, "NAME"),
    _do("args", REST, "the program's arguments: all words that follow, up to -harness",
        _append("arguments"), RUNNING, "WORDS..."),
    _do("noexec", FLAG, "link only; nothing is run", _flag("execute", "-noexec", inverted=True),
        RUNNING),
    _do("num-threads", VALUE, "how many threads link (default: one a processor; 0 means 1)",
        _threads, RUNNING, "N"),
    _do("speculate", VALUE, "simple: link what -speculate-order lists before it is called",
        _text("speculation"), RUNNING, "SCHEME", ("none", "simple")),
    _do("speculate-order", VALUE, "a CSV file of pairs: dylib, function", _text("speculate_order"),
        RUNNING, "F"),
    # Memory
    _do("slab-allocate", VALUE, "take all memory from one slab of this size (Kb if it says none "
        "of Kb, Mb, Gb)", _slab_size, MEMORY, "SIZE"),
    _do("slab-address", VALUE, "link as if the slab were at this address (with -slab-allocate and "
        "-noexec)", _slab_address, MEMORY, "ADDR"),
    _do("slab-page-size", VALUE, "and as if pages had this size (with -slab-allocate and -noexec)",
        _page_size, MEMORY, "BYTES"),
    # Checking and watching
    _do("check", VALUE, "check the linked memory against the rules in this file (repeats)",
        _append("checks"), WATCHING, "F"),
    _do("check-name", VALUE, "what rules begin with (default: jitlink-check; repeats)",
        _append("check_names"), WATCHING, "NAME"),
    _do("show-addrs", FLAG, "print the addresses of symbols, sections, GOT entries and stubs",
        _flag("show_addresses", "-show-addrs"), WATCHING),
    _do("show-relocated-section-contents", FLAG, "print the sections' bytes after fix-up",
        _flag("show_contents", "-show-relocated-section-contents"), WATCHING),
    _do("show-graphs", OPTIONAL, "print the link graphs, after fix-up, of files whose names match "
        "(default: all); the expression stands behind `=`", _text("show_graphs"), WATCHING,
        "REGEX"),
    _do("show-linked-files", FLAG, "print the name of each file when it is linked",
        _flag("show_files", "-show-linked-files"), WATCHING),
    _do("show-times", FLAG, "print on stderr what loading, linking and running took",
        _flag("show_times", "-show-times"), WATCHING),
    _do("show-err-failed-to-materialize", FLAG, "of a failure, tell also which symbols it took "
        "along", _flag("show_secondary", "-show-err-failed-to-materialize"), WATCHING),
    _do("show-init-es", FLAG, "print dylibs and symbols before the entry point is looked up",
        _flag("show_initial", "-show-init-es"), WATCHING),
    _do("show-entry-es", FLAG, "print dylibs and symbols after the entry point was looked up",
        _flag("show_linked", "-show-entry-es"), WATCHING),
    _do("write-symtab", VALUE, "write the addresses of symbols, by file, into this file",
        _text("symbol_table"), WATCHING, "F"),
    _do("debugger-support", FLAG, "tell debuggers of the code (default: unless -noexec)",
        _flag("debugger", "-debugger-support"), WATCHING),
    _do("perf-support", FLAG, "tell Linux's perf of the code", _flag("perf", "-perf-support"),
        WATCHING),
    _do("help h help-list", FLAG, "show the options, and stop", _action("help"), WATCHING),
    _do("help-hidden help-list-hidden", FLAG, "show llvm-jitlink's other options too",
        _action("help-hidden"), WATCHING),
    _do("version", FLAG, "show the versions of lazyjit and LLVM", _action("version"), WATCHING),
    # Known for llvm-jitlink's sake
    _accept("orc-runtime", VALUE, "what LLVM's runtime archive does is built in"),
    _accept("color", FLAG, "nothing here is coloured"),
    _do("triple", VALUE, "the target, which the inputs must be for; assembly is read for it",
        _text("triple"), INPUTS, "TRIPLE"),
    Option(("use-memmgr",), VALUE, Fate.ACCEPT, "default is all there is", metavar="M",
           values=("default",), refused=dict.fromkeys(
               ("generic", "simple-remote", "shared"), f"the others are for remote code; {REMOTE}"),
           group=KNOWN, hidden=True),
    _refuse("oop-executor", OPTIONAL, REMOTE),
    _refuse("oop-executor-connect", VALUE, REMOTE),
    _refuse("ObjC", FLAG, MACH_O),
    _refuse("weak-l", JOINED, "it reads a TextAPI file; " + MACH_O),
    _refuse("weak_library", VALUE, "it reads a TextAPI file; " + MACH_O),
    _refuse("vtune-support", FLAG, "code is not announced to VTune; -perf-support is there"),
    _refuse("add-self-relocations", FLAG, "it exercises JITLink itself, by edges that no object "
            "has; tests of lazyjit build such graphs by hand"),
    _refuse("record-lazy-execs", VALUE, "first calls are not recorded; lazyjit run --print-units "
            "shows what a program calls first"),
    _refuse("symbolicate-with", VALUE, "backtraces are not rewritten; -write-symtab writes the "
            "addresses and names"),
    _refuse("print-options", FLAG, "options are not listed with their values"),
    _refuse("print-all-options", FLAG, "options are not listed with their values"),
)  # fmt: skip
