"""Programs of several files: further modules, gcc's objects, archives, dylibs, shared libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import acceptance
import pytest
from acceptance import Outcome

from bench.toolchain import built, compile_program, digest, run, system_tool, tool

SOURCES = acceptance.HERE / "linked"
HEADERS = sorted(SOURCES.glob("*.h"))
LEVELS = ["-O0", "-O2", "-O3"] if acceptance.FULL else ["-O0", "-O2"]


def module(name: str) -> Path:
    """A file of `linked/` as a module."""
    source = SOURCES / name
    flags = ["-O1", "-w", "-fcommon", *(["-std=c++20"] if source.suffix == ".cpp" else [])]
    return acceptance.or_skip(lambda: compile_program([source], flags=flags, kind="ll"))


def gcc_object(name: str, *flags: str) -> Path:
    """A file of `linked/` as an object, by gcc."""
    source = SOURCES / name
    compiler = acceptance.or_skip(lambda: system_tool("g++" if source.suffix == ".cpp" else "gcc"))
    key = digest([source, *HEADERS, compiler, *flags])
    return built(
        f"{source.stem}.o",
        key,
        lambda product: run([compiler, "-w", "-fcommon", *flags, "-c", source, "-o", product]),
    )


def archive(*objects: Path) -> Path:
    ar = acceptance.or_skip(lambda: system_tool("ar"))
    return built(
        "libparts.a",
        digest([ar, *objects]),
        lambda product: run([ar, "rcs", product, *objects]),
    )


def native_program(*parts: Path) -> Path:
    """The parts linked by clang: modules too."""
    clang = acceptance.or_skip(lambda: tool("clang++"))
    words: list[str | Path] = []
    for part in parts:
        words += ["-x", "ir" if part.suffix == ".ll" else "none", part]
    return built(
        "linked.exe",
        digest([clang, *parts]),
        lambda product: run([clang, *words, "-o", product]),
    )


def compare(
    main: Path, options: Sequence[str | Path], native_parts: Sequence[Path], tmp_path: Path
) -> None:
    binary = native_program(main, *native_parts)
    native = acceptance.run_native(binary, ["argument"], tmp_path / "native", name=main)
    for level in LEVELS:
        jit = acceptance.run_jit(main, ["argument"], tmp_path / f"jit{level}", [level, *options])
        acceptance.assert_same(jit, native)


def test_further_modules_share_code_data_and_constructors(tmp_path: Path) -> None:
    first, second = module("first.c"), module("second.c")
    options = ["--extra-module", first, "--extra-module", second]
    compare(module("main.c"), options, [first, second], tmp_path)


@pytest.mark.parametrize(
    "flags",
    [("-O2",), ("-O0", "-fPIC"), ("-O2", "-ffunction-sections", "-g")],
    ids=" ".join,
)
def test_objects_of_gcc_call_into_modules_and_back(flags: tuple[str, ...], tmp_path: Path) -> None:
    first, second = gcc_object("first.c", *flags), gcc_object("second.c", *flags)
    options = ["--extra-object", first, "--extra-object", second]
    # Linked natively from position-independent objects, whatever the JIT is given.
    twins = [gcc_object("first.c", "-O2", "-fPIC"), gcc_object("second.c", "-O2", "-fPIC")]
    compare(module("main.c"), options, twins, tmp_path)


def test_an_archive_gives_only_the_members_that_are_needed(tmp_path: Path) -> None:
    names = ("first.c", "second.c", "unneeded.c")
    objects = [gcc_object(name, "-O2", "-fPIC", "-DQUIET") for name in names]
    options = ["--extra-archive", archive(*objects)]
    compare(module("main.c"), options, objects[:2], tmp_path)


def test_a_members_constructor_runs_before_its_functions_are_used(tmp_path: Path) -> None:
    member = gcc_object("registry.c", "-O2", "-fPIC")
    options = ["--extra-archive", archive(member)]
    compare(module("registry_main.c"), options, [member], tmp_path)


def test_exceptions_cross_between_modules_and_objects_of_gcc(tmp_path: Path) -> None:
    native = gcc_object("native.cpp", "-O2", "-fPIC")
    compare(module("mixed.cpp"), ["--extra-object", native], [native], tmp_path)


def test_each_dylib_sees_its_own_definitions_first(tmp_path: Path) -> None:
    one, two = module("dylib_one.c"), module("dylib_two.c")
    main = module("dylib_main.c")
    for order, expected in (
        ("one two", b"1101 2202 11 1000\n"),
        ("two one", b"1101 2202 22 1000\n"),
    ):
        options: list[str | Path] = []
        for name in order.split():
            options += ["--jd", name, "--extra-module", {"one": one, "two": two}[name]]
        jit = acceptance.run_jit(main, [], tmp_path / order, options)
        assert jit == Outcome(expected, b"", "exit code 0"), str(jit)


def test_shared_libraries_are_found_by_name_folder_and_path(tmp_path: Path) -> None:
    compiler = acceptance.or_skip(lambda: system_tool("gcc"))
    library = tmp_path / "libproduct.so"
    run([compiler, "-shared", "-fPIC", SOURCES / "library.c", "-o", library])
    main = module("uses_library.c")
    expected = Outcome(b"30\n42\n", b"", "exit code 0")
    ways: dict[str, list[str | Path]] = {
        "dlopen": ["--dlopen", library],
        "separate": ["-L", tmp_path, "-l", "product"],
        "joined": [f"-L{tmp_path}", "-lproduct"],
    }
    for way, options in ways.items():
        jit = acceptance.run_jit(main, [], tmp_path / way, options)
        assert jit == expected, f"{way}: {jit}"


def test_another_function_can_be_the_entry(tmp_path: Path) -> None:
    compiler = acceptance.or_skip(lambda: system_tool("gcc"))
    library = tmp_path / "libproduct.so"
    run([compiler, "-shared", "-fPIC", SOURCES / "library.c", "-o", library])
    options = ["--dlopen", library, "--entry", "other_entry"]
    jit = acceptance.run_jit(module("uses_library.c"), ["given"], tmp_path / "run", options)
    assert jit == Outcome(b"other entry 2 given\n", b"", "exit code 12"), str(jit)


def test_a_missing_symbol_is_named_and_ends_the_run(tmp_path: Path) -> None:
    jit = acceptance.run_jit(module("uses_library.c"), [], tmp_path / "run", [])
    assert jit.ending.startswith("exit code") and jit.ending != "exit code 0", str(jit)
    assert b"library_function" in jit.stderr, str(jit)
