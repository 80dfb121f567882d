"""The options of `lazyjit run`: lazyjit's own, and those that lli defines for itself.

Each row fills in a `Request`. Where an option of lli's has a lazyjit name too, they share a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lazyjit.cli.options import (
    Arity,
    Dump,
    Fate,
    Input,
    InputKind,
    Option,
    Request,
    parse_bool,
    parse_choice,
    parse_unsigned,
)

__all__ = ["GROUPS", "OPTIONS"]

PROGRAM = "The program"
COMPILING = "Compiling"
LINKING = "Linking"
WATCHING = "Watching"
LLI = "Taken for lli's sake"
GROUPS = (PROGRAM, COMPILING, LINKING, WATCHING, LLI)

LEVELS = ("0", "1", "2", "3")

Apply = Callable[[Request, str], None]


def _text(attribute: str) -> Apply:
    def apply(request: Request, value: str) -> None:
        setattr(request, attribute, value)

    return apply


def _number(attribute: str, option: str) -> Apply:
    def apply(request: Request, value: str) -> None:
        setattr(request, attribute, parse_unsigned(option, value))

    return apply


def _flag(attribute: str, option: str, *, inverted: bool = False) -> Apply:
    def apply(request: Request, value: str) -> None:
        setattr(request, attribute, parse_bool(option, value) is not inverted)

    return apply


def _append(attribute: str) -> Apply:
    def apply(request: Request, value: str) -> None:
        getattr(request, attribute).append(value)

    return apply


def _input(kind: InputKind) -> Apply:
    def apply(request: Request, value: str) -> None:
        request.inputs.append(Input(kind, value, request.current_dylib))

    return apply


def _level(attribute: str, option: str) -> Apply:
    def apply(request: Request, value: str) -> None:
        setattr(request, attribute, int(parse_choice(option, value, LEVELS)))

    return apply


def _compile_threads(request: Request, value: str) -> None:
    # lli's 0 compiles on the thread that asks. Here LLVM never runs on a thread of the program,
    # whose stack may be small; one compile thread is what comes closest.
    request.compile_threads = max(1, parse_unsigned("--compile-threads", value))


def _entry(request: Request, value: str) -> None:
    request.entry = value


def _dylib(request: Request, value: str) -> None:
    request.current_dylib = None if value == "main" else value
    if value != "main" and value not in request.dylibs:
        request.dylibs.append(value)


def _jit_kind(request: Request, value: str) -> None:
    request.jit_kind = value
    request.lazy = value == "orc-lazy"


def _per_module(request: Request, value: str) -> None:
    if parse_bool("--per-module-lazy", value):
        request.unit_policy = "module"


def _print_units(request: Request, value: str) -> None:
    request.dump = Dump.NAMES if value == "names" else Dump.IR


LLI_DUMPS = {
    "no-dump": Dump.NOTHING,
    "funcs-to-stdout": Dump.LLI_FUNCTIONS,
    "mods-to-stdout": Dump.LLI_MODULES,
    "mods-to-disk": Dump.LLI_FILES,
}


def _lli_dump(request: Request, value: str) -> None:
    request.dump = LLI_DUMPS[value]


def _platform(request: Request, value: str) -> None:
    request.run_initializers = value != "Inactive"


def _features(request: Request, value: str) -> None:
    request.features.extend(part for part in value.split(",") if part)


def _relocation_model(request: Request, value: str) -> None:
    # LLVM itself reads dynamic-no-pic as pic on x86-64.
    request.relocation_model = "pic" if value == "dynamic-no-pic" else value


def _action(action: str) -> Apply:
    def apply(request: Request, value: str) -> None:
        if value == "true":
            request.action = action

    return apply


def _do(
    names: str, arity: Arity, text: str, apply: Apply, group: str, metavar: str = "VALUE",
    values: tuple[str, ...] = (), hidden: bool = False, refused: Mapping[str, str] | None = None,
) -> Option:  # fmt: skip
    return Option(
        tuple(names.split()), arity, Fate.DO, text, apply, metavar, values, refused or {}, group,
        hidden,
    )  # fmt: skip


def _accept(names: str, arity: Arity, text: str, mcjit: str = "") -> Option:
    return Option(
        tuple(names.split()), arity, Fate.ACCEPT, text, group=LLI, hidden=True, mcjit=mcjit
    )


ARM_MODELS = dict.fromkeys(("ropi", "rwpi", "ropi-rwpi"), "x86-64 has no such model; ARM has")
OTHER_CODE_MODELS = {
    "tiny": "x86-64 has no tiny code model",
    "kernel": "it needs the top 2 GiB of the address space, where no program can be",
}
GDB_DUMPS = dict.fromkeys(
    ("jit-debug-descriptor", "jit-debug-objects"),
    "`lazyjit link` and `JIT(debugger_support=True)` show code to gdb",
)

FLAG, VALUE, JOINED, OPTIONAL = Arity.FLAG, Arity.VALUE, Arity.JOINED, Arity.OPTIONAL

OPTIONS: tuple[Option, ...] = (
    # The program
    _do("entry entry-function", VALUE, "start at this function instead of main", _entry,
        PROGRAM, "NAME"),
    _do("thread-entry", VALUE, "run this `void()` on a thread of its own beside main (repeats)",
        _append("thread_entries"), PROGRAM, "NAME"),
    _do("fake-argv0", VALUE, "what the program sees as argv[0], instead of FILE",
        _text("argv0"), PROGRAM, "TEXT"),
    _do("disable-core-files", FLAG, "leave no core file when the program crashes",
        _flag("core_files", "--disable-core-files", inverted=True), PROGRAM),
    # Compiling
    _do("O", JOINED, "optimization level, 0 to 3 (default 2)", _level("opt_level", "-O"),
        COMPILING, "N"),
    _do("codegen-level c", JOINED, "code generator's own level, if it is to differ from -O",
        _level("codegen_level", "--codegen-level"), COMPILING, "N"),
    _do("compile-threads", VALUE, "how many threads compile (default: one a processor)",
        _compile_threads, COMPILING, "N"),
    _do("lazy", FLAG, "compile what is called, when it is first called (default)",
        _flag("lazy", "--lazy"), COMPILING),
    _do("eager", FLAG, "compile everything before the program starts",
        _flag("lazy", "--eager", inverted=True), COMPILING),
    _do("unit-policy", VALUE, "what is compiled at a time: function, cluster (default) or module",
        _text("unit_policy"), COMPILING, "POLICY", ("function", "cluster", "module")),
    _do("tiered", FLAG, "compile quickly at first, and again at -O's level on idle threads",
        _flag("tiered", "--tiered"), COMPILING),
    _do("no-speculate", FLAG, "leave idle threads idle, instead of making likely callees",
        _flag("speculate", "--no-speculate", inverted=True), COMPILING),
    _do("mcpu", VALUE, "compile for this processor (default: this machine's)", _text("cpu"),
        COMPILING, "CPU"),
    _do("mattr", VALUE, "turn processor features on and off", _features, COMPILING, "+A,-B"),
    _do("relocation-model", VALUE, "pic (default) or static", _relocation_model, COMPILING,
        "MODEL", ("pic", "static", "dynamic-no-pic"), refused=ARM_MODELS),
    _do("code-model", VALUE, "small (default), medium or large", _text("code_model"), COMPILING,
        "MODEL", ("small", "medium", "large"), refused=OTHER_CODE_MODELS),
    # Linking
    _do("extra-module", VALUE, "add a module, as IR text or bitcode", _input(InputKind.MODULE),
        LINKING, "F"),
    _do("extra-object", VALUE, "add an object file", _input(InputKind.OBJECT), LINKING, "F"),
    _do("extra-archive", VALUE, "add an archive, whose members are linked as they are needed",
        _input(InputKind.ARCHIVE), LINKING, "F"),
    _do("jd", VALUE, "what follows goes into this dylib; main links against them in order",
        _dylib, LINKING, "NAME"),
    _do("l", JOINED, "link with a library, libNAME.so or libNAME.a", _input(InputKind.LIBRARY),
        LINKING, "NAME"),
    _do("L", JOINED, "search this directory for libraries first", _append("library_dirs"),
        LINKING, "DIR"),
    _do("dlopen", VALUE, "load a shared library into the process",
        lambda request, value: request.loads.append((value, True)), LINKING, "F"),
    _do("no-process-syms", FLAG, "hide this process's own symbols (the C library's) from the code",
        _flag("process_symbols", "--no-process-syms", inverted=True), LINKING),
    # Watching
    _do("stats", FLAG, "at the end, tell on stderr what was compiled and what it took",
        _flag("stats", "--stats"), WATCHING),
    _do("print-units", OPTIONAL, "print each unit on stderr as it is compiled: its ir (default), "
        "or names of its functions", _print_units, WATCHING, "WHAT", ("", "ir", "names")),
    _do("help h help-list", FLAG, "show the options, and stop", _action("help"), WATCHING),
    _do("help-hidden help-list-hidden", FLAG, "show lli's options too", _action("help-hidden"),
        WATCHING),
    _do("version", FLAG, "show the versions of lazyjit and LLVM", _action("version"), WATCHING),
    # What lli has beyond that
    _do("jit-kind", VALUE, "orc-lazy means --lazy, orc and mcjit mean --eager", _jit_kind, LLI,
        "KIND", ("orc", "orc-lazy", "mcjit"), hidden=True),
    _do("per-module-lazy", FLAG, "means --unit-policy=module", _per_module, LLI, hidden=True),
    _do("disable-lazy-compilation", FLAG, "means --eager",
        _flag("lazy", "--disable-lazy-compilation", inverted=True), LLI, hidden=True),
    _do("orc-lazy-debug", VALUE, "prints the functions or the IR of each unit on stdout, or "
        "writes the IR into files in the current directory", _lli_dump, LLI, "WHAT",
        tuple(LLI_DUMPS), hidden=True, refused=GDB_DUMPS),
    _do("lljit-platform", VALUE, "Inactive leaves out static constructors and destructors; the "
        "others run them", _platform, LLI, "P",
        ("Auto", "ExecutorNative", "GenericIR", "Inactive"), hidden=True),
    _do("load", VALUE, "loads a shared library into the process; failure is a warning",
        lambda request, value: request.loads.append((value, False)), LLI, "F", hidden=True),
    _do("march", VALUE, "names the architecture, which must be x86-64", lambda *_: None, LLI,
        "ARCH", ("x86-64", "x86_64"), hidden=True),
    _accept("jit-linker", VALUE, "lazyjit has one linker, its own"),
    _accept("orc-runtime", VALUE, "what LLVM's runtime archive does is built in"),
    _accept("emulated-tls", FLAG, "thread-local variables work with and without"),
    _accept("enable-cache-manager", FLAG, "a cache saves time and changes no result; no files "
            "are read or written"),
    _accept("object-cache-dir", VALUE, "belongs to --enable-cache-manager"),
    _accept("soft-float", FLAG, "lli reads it nowhere either"),
    _accept("force-interpreter", FLAG, "lli's default kinds ignore it too, and compiled code "
            "computes the same"),
    _accept("interpreter-print-volatile", FLAG, "only lli's interpreter reads it"),
    _accept("mtriple", VALUE, "lli's default kinds ignore it too: the module's own triple counts",
            mcjit="lazyjit does not override a module's triple"),
    _accept("remote-mcjit", FLAG, "only lli's MCJIT kind reads it",
            mcjit="lazyjit runs the program in its own process"),
    _accept("mcjit-remote-process", VALUE, "only lli's MCJIT kind reads it",
            mcjit="lazyjit runs the program in its own process"),
)  # fmt: skip
