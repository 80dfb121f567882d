"""How words become a Request."""

import pytest

from lazyjit.cli.options import CommandLineError, Dump, Input, InputKind
from lazyjit.cli.parser import parse


def test_what_follows_the_file_belongs_to_the_program():
    request = parse(["-O1", "p.ll", "-O3", "--stats", "--", "@x"])
    assert (request.file, request.arguments) == ("p.ll", ["-O3", "--stats", "--", "@x"])
    assert (request.opt_level, request.stats) == (1, False)


def test_two_dashes_end_the_options():
    request = parse(["--", "-O0", "x"])
    assert (request.file, request.arguments, request.opt_level) == ("-O0", ["x"], 2)


def test_the_second_pair_of_dashes_is_a_file():
    assert parse(["--", "--", "x"]).file == "--"


@pytest.mark.parametrize(("words", "given"), [([], False), (["-"], True), (["-O0"], False)])
def test_stdin_is_the_default_file(words, given):
    request = parse(words)
    assert (request.file, request.file_given) == ("-", given)


@pytest.mark.parametrize(
    "words",
    [
        ["-entry-function=f"],
        ["--entry-function=f"],
        ["-entry-function", "f"],
        ["--entry-function", "f"],
        ["--entry=f"],
        ["-entry", "f"],
    ],
)
def test_one_dash_or_two_and_a_value_attached_or_not(words):
    request = parse([*words, "p.ll"])
    assert (request.entry, request.file) == ("f", "p.ll")


@pytest.mark.parametrize("words", [["-O0"], ["--O0"], ["-O=0"], ["-O", "0"], ["-O3", "-O0"]])
def test_the_level_may_be_glued_on_and_the_last_one_counts(words):
    assert parse([*words, "p.ll"]).opt_level == 0


@pytest.mark.parametrize("words", [["-c0"], ["-c", "0"], ["--codegen-level=0"], ["-c=0"]])
def test_the_code_generator_has_a_level_of_its_own(words):
    request = parse([*words, "p.ll"])
    assert (request.opt_level, request.codegen_level) == (2, 0)


@pytest.mark.parametrize("level", ["4", "s", "", "12"])
def test_levels_out_of_range_are_refused(level):
    with pytest.raises(CommandLineError, match="not one of 0, 1, 2, 3"):
        parse([f"-O={level}", "p.ll"])


@pytest.mark.parametrize(
    ("word", "lazy"),
    [
        ("--lazy", True),
        ("--eager", False),
        ("--eager=true", False),
        ("--eager=0", True),
        ("--lazy=False", False),
        ("-jit-kind=orc", False),
        ("-jit-kind=orc-lazy", True),
        ("-jit-kind=mcjit", False),
        ("-disable-lazy-compilation", False),
    ],
)
def test_ways_to_say_lazy_and_eager(word, lazy):
    assert parse([word, "p.ll"]).lazy is lazy


def test_flags_leave_the_next_word_alone():
    assert parse(["--stats", "true"]).file == "true"


@pytest.mark.parametrize("value", ["maybe", "2", "yes"])
def test_flags_take_only_truth_values(value):
    with pytest.raises(CommandLineError, match="neither true nor false"):
        parse([f"--stats={value}"])


@pytest.mark.parametrize(
    ("value", "threads"), [("3", 3), ("0x10", 16), ("010", 8), ("0b11", 3), ("0", 1)]
)
def test_numbers_in_llvm_notation(value, threads):
    assert parse(["--compile-threads", value, "p"]).compile_threads == threads


@pytest.mark.parametrize("value", ["", "x", "-1", "+1", "1.5", " 1", "08"])
def test_what_is_not_a_number(value):
    with pytest.raises(CommandLineError, match="not a number"):
        parse([f"--compile-threads={value}"])


def test_a_missing_value():
    with pytest.raises(CommandLineError, match="--entry needs a value"):
        parse(["--entry"])


def test_a_value_may_look_like_an_option():
    assert parse(["--fake-argv0", "-x", "p.ll"]).argv0 == "-x"


def test_an_empty_entry_is_refused():
    with pytest.raises(CommandLineError, match="--entry needs a name"):
        parse(["--entry=", "p.ll"])


def test_inputs_go_into_the_dylib_named_last():
    words = (
        "--extra-module a.ll --jd one --extra-object b.o -lm --jd=two -extra-archive=c.a "
        "--jd one --extra-module d.ll --jd main -l foo -L. p.ll"
    )
    request = parse(words.split())
    assert request.inputs == [
        Input(InputKind.MODULE, "a.ll", None),
        Input(InputKind.OBJECT, "b.o", "one"),
        Input(InputKind.LIBRARY, "m", "one"),
        Input(InputKind.ARCHIVE, "c.a", "two"),
        Input(InputKind.MODULE, "d.ll", "one"),
        Input(InputKind.LIBRARY, "foo", None),
    ]
    assert request.dylibs == ["one", "two"]
    assert request.library_dirs == ["."]


def test_unknown_options_come_with_a_guess():
    with pytest.raises(CommandLineError, match=r"'-jit-knd=orc'; did you mean --jit-kind\?"):
        parse(["-jit-knd=orc", "p.ll"])


@pytest.mark.parametrize("word", ["-code-modle=small", "-Ofast", "---O2", "-", "--=x"])
def test_misspellings_are_not_taken_for_glued_values(word):
    if word == "-":
        assert parse([word]).file == "-"
        return
    with pytest.raises(CommandLineError, match="unknown option"):
        parse([word])


def test_values_outside_the_list_name_the_list():
    with pytest.raises(CommandLineError, match="not one of function, cluster, module"):
        parse(["--unit-policy=blocks"])


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("-code-model=kernel", "top 2 GiB"),
        ("-code-model=tiny", "no tiny"),
        ("-relocation-model=ropi", "ARM"),
        ("-orc-lazy-debug=jit-debug-objects", "gdb"),
        ("-march=aarch64", "not one of x86-64"),
    ],
)
def test_what_can_t_be_had_is_refused_with_the_reason(word, reason):
    with pytest.raises(CommandLineError, match=reason):
        parse([word, "p.ll"])


@pytest.mark.parametrize(
    ("word", "dump"),
    [
        ("--print-units", Dump.IR),
        ("--print-units=ir", Dump.IR),
        ("--print-units=names", Dump.NAMES),
        ("-orc-lazy-debug=funcs-to-stdout", Dump.LLI_FUNCTIONS),
        ("-orc-lazy-debug=mods-to-stdout", Dump.LLI_MODULES),
        ("-orc-lazy-debug=mods-to-disk", Dump.LLI_FILES),
        ("-orc-lazy-debug=no-dump", Dump.NOTHING),
    ],
)
def test_what_is_printed_of_units(word, dump):
    assert parse([word, "p.ll"]).dump is dump


def test_processor_features_collect():
    request = parse(["-mattr=+avx2,-fma", "--mattr", "+bmi", "-mcpu=haswell", "p.ll"])
    assert (request.features, request.cpu) == (["+avx2", "-fma", "+bmi"], "haswell")


def test_help_wins_over_what_follows():
    assert parse(["--help", "--nonsense"]).action == "help"


def test_llvm_gets_its_own_options():
    request = parse(["-inline-threshold", "5", "--enable-gvn-hoist", "-print-changed=quiet", "p"])
    assert request.llvm_arguments == [
        "-inline-threshold=5",
        "-enable-gvn-hoist",
        "-print-changed=quiet",
    ]
    assert request.file == "p"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-thread-entry=f"], "--thread-entry"),
        (["-per-module-lazy"], "--per-module-lazy"),
        (["-remote-mcjit"], "its own process"),
        (["-tailcallopt"], "ABI of fastcc"),
        (["-fp-contract=fast"], "fuses"),
    ],
)
def test_what_only_mcjit_reads_is_refused_with_mcjit_alone(words, reason):
    parse([*words, "p.ll"])
    parse([*words, "-jit-kind=orc-lazy", "p.ll"])
    with pytest.raises(CommandLineError, match=reason):
        parse([*words, "-jit-kind=mcjit", "p.ll"])


def test_response_files_stand_for_their_words(tmp_path):
    response = tmp_path / "options"
    response.write_text("-O0 --entry='my f'\n--jd x p.ll -y")
    request = parse(["--stats", f"@{response}", "z"])
    assert (request.opt_level, request.entry, request.stats) == (0, "my f", True)
    assert (request.file, request.arguments) == ("p.ll", ["-y", "z"])
    assert parse(["@nowhere"]).file == "@nowhere"
