"""Objects of real software give under `lazyjit link` what the native program gives.

Lua, zlib and a C++ program that draws the standard library from its static archive; by gcc and by
clang; optimized or not; position-independent, for fixed positions, and in the large code model.
Every object is linked twice, by the system's linker and by lazyjit, and both run.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import acceptance
import pytest
from acceptance import Outcome

from bench import lua
from bench.debian import ZLIB
from bench.toolchain import built, digest, run, system_tool, tool

#: The models of code; the flags with which the system links a program of such objects.
MODELS = {
    "pic": (["-fPIC"], []),
    "nopic": (["-fno-pic", "-fno-pie"], ["-no-pie"]),
    "large": (["-mcmodel=large", "-fPIC"], []),
}


@dataclass(frozen=True)
class Build:
    """How a program is compiled."""

    compiler: str
    level: str
    model: str

    def __str__(self) -> str:
        return f"{self.compiler}{self.level}-{self.model}"

    @property
    def flags(self) -> list[str]:
        return [self.level, "-w", *MODELS[self.model][0]]

    def find(self, *, cplusplus: bool = False) -> str:
        """The compiler's path; skips the test when it isn't there."""
        if self.compiler == "gcc":
            return acceptance.or_skip(lambda: system_tool("g++" if cplusplus else "gcc"))
        return acceptance.or_skip(lambda: tool("clang++" if cplusplus else "clang"))


EVERY = [
    Build(compiler, level, model)
    for model, level, compiler in itertools.product(MODELS, ("-O0", "-O2"), ("gcc", "clang"))
]
#: For a short run: each compiler, level and model at least once.
SHORT = [
    Build("gcc", "-O2", "pic"),
    Build("clang", "-O0", "nopic"),
    Build("clang", "-O2", "large"),
]
BUILDS = pytest.mark.parametrize("build", EVERY if acceptance.FULL else SHORT, ids=str)


def compile_each(
    build: Build,
    sources: Sequence[Path],
    *,
    include: Sequence[Path] = (),
    defines: Sequence[str] = (),
    name: str,
) -> list[Path]:
    """An object for each source, all in one folder of the cache."""
    compiler = build.find(cplusplus=sources[0].suffix == ".cpp")
    headers = sorted(header for source in sources for header in source.parent.glob("*.h"))
    flags = [*build.flags, *defines]

    def compile_them(product: Path) -> None:
        product.mkdir()
        own = product.parent / "include"
        own.mkdir()
        lua.write_multiarch_header(own)
        paths = [f"-I{folder}" for folder in (own, *include)]
        for source in sources:
            run([compiler, *flags, *paths, "-c", source, "-o", product / f"{source.stem}.o"])

    key = digest([*sources, *set(headers), compiler, *flags])
    folder = built(f"{name}.objects", key, compile_them)
    return [folder / f"{source.stem}.o" for source in sources]


def native_twin(build: Build, objects: Sequence[Path], flags: Sequence[str], name: str) -> Path:
    """The same objects, linked by the system's linker."""
    compiler = build.find(cplusplus="-static-libstdc++" in flags)
    words = [*MODELS[build.model][1], *flags]
    key = digest([*objects, compiler, *words])
    return built(f"{name}.exe", key, lambda out: run([compiler, *objects, *words, "-o", out]))


def linked(
    words: Sequence[str | Path], folder: Path, *, stdin: bytes = acceptance.STANDARD_INPUT
) -> Outcome:
    """The outcome of `lazyjit link`."""
    return acceptance.finish([sys.executable, "-m", "lazyjit", "link", *words], folder, stdin=stdin)


@BUILDS
def test_lua(build: Build, tmp_path: Path) -> None:
    sources = acceptance.or_skip(lua.sources)
    objects = compile_each(build, sources, defines=lua.compile_flags(), name="lua")
    binary = native_twin(build, objects, ["-rdynamic", *lua.LIBRARIES], "lua")
    scripts = sorted((acceptance.HERE / "lua").glob("*.lua"))
    for script in scripts if acceptance.FULL else scripts[:4]:
        arguments = [script, "one", "two"]
        # A program's name is its first object's, as llvm-jitlink has it.
        native = acceptance.run_native(
            binary, arguments, tmp_path / f"{script.stem}.native", name=objects[0]
        )
        jit = linked([*objects, "--args", *arguments], tmp_path / f"{script.stem}.jit")
        acceptance.assert_same(jit, native)


@BUILDS
def test_zlib(build: Build, tmp_path: Path) -> None:
    source = acceptance.or_skip(ZLIB.folder)
    library = sorted(source.glob("*.c"))
    parts = compile_each(build, library, defines=["-DHAVE_UNISTD_H"], name="zlib")
    ar = acceptance.or_skip(lambda: system_tool("ar"))
    key = digest([ar, *parts])
    archive = built("libz.a", key, lambda product: run([ar, "rcs", product, *parts]))
    for program, arguments, stdin in (
        ("example", ["made.gz"], b""),
        ("minigzip", ["-c", "-9"], bytes(range(256)) * 4000),
    ):
        main = compile_each(
            build, [source / "test" / f"{program}.c"], include=[source], name=program
        )
        binary = native_twin(build, [*main, archive], [], program)
        native = acceptance.finish(
            [main[0], *arguments], tmp_path / f"{program}.native", executable=binary, stdin=stdin
        )
        folder = tmp_path / f"{program}.jit"
        jit = linked([*main, archive, "--args", *arguments], folder, stdin=stdin)
        acceptance.assert_same(jit, native)


@BUILDS
@pytest.mark.parametrize("program", ["exceptions", "generic", "lifetime"])
def test_cplusplus_with_the_library_from_its_static_archive(
    program: str, build: Build, tmp_path: Path
) -> None:
    source = acceptance.HERE / "cpp" / f"{program}.cpp"
    objects = compile_each(build, [source], defines=["-std=c++20"], name=program)
    binary = native_twin(build, objects, ["-static-libstdc++"], program)
    compiler = build.find(cplusplus=True)
    archive = run([compiler, "-print-file-name=libstdc++.a"]).strip()
    if not Path(archive).is_file() or shutil.which("ar") is None:
        pytest.skip("this machine has no libstdc++.a")
    native = acceptance.run_native(binary, ["an argument"], tmp_path / "native", name=objects[0])
    jit = linked([*objects, archive, "--args", "an argument"], tmp_path / "jit")
    acceptance.assert_same(jit, native)
