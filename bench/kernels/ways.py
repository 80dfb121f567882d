"""The ways from a kernel's source to a function: lazyjit's, the C extension's, Numba's and so on.

Where each begins:

| way | source | what its clock has in it |
|---|---|---|
| lazyjit, C | the kernel's C text | clang's front end, as a process; everything of lazyjit's |
| lazyjit, .ll | the IR that the same front end writes, in a file | everything of lazyjit's |
| lazyjit.numba | the Python function | Numba's typing and lowering, then lazyjit |
| numba | the Python function | Numba |
| extension | the kernel's C text | cffi's wrapper, `clang -O3`, loading the module |

`FIRST[way](kernel)` goes that way and gives what makes a call of arguments: `prepare(arguments)` is
a function of nothing, so that converting an array for cffi is not in the time of a kernel.

The same is allowed to everybody: this machine's instructions (`-march=native`), and fused
multiplications where the source has a product and a sum, which is what clang does unasked
(`-ffp-contract=on`); Numba is told so (`fastmath={"contract"}`). Numba also gets NumPy's rules of
division, for Python's would test every divisor. lazyjit runs LLVM's pipeline of level 3, as the
extension module's compiler does; its default is 2.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.kernels import Kernel
from bench.report import machine
from bench.toolchain import built, digest, run, tool

__all__ = ["FIRST", "extension_file", "ir_file", "prepare"]

Prepare = Callable[[Sequence[Any]], Callable[[], Any]]

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC")


def ir_file(kernel: Kernel) -> Path:
    """The kernel as clang's front end leaves it, before any pass; raises Absent without clang."""
    compiler = tool("clang")
    flags = [
        "-O2",
        "-march=native",
        "-fno-math-errno",
        "-Xclang",
        "-disable-llvm-passes",
        "-S",
        "-emit-llvm",
        "-fPIC",
    ]

    def build(product: Path) -> None:
        run([compiler, *flags, kernel.source, "-o", product])

    key = digest([kernel.source, compiler, *flags, machine()["processor"]])
    return built(f"{kernel.name}.ll", key, build)


def build_extension(kernel: Kernel, product: Path) -> None:
    """Compile the kernel with a wrapper by cffi's API mode into the module `kernel_<name>`."""
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(kernel.prototype)
    ffi.set_source(f"kernel_{kernel.name}", kernel.source.read_text())
    source = product.with_suffix(".c")
    ffi.emit_c_code(str(source))
    run([tool("clang"), *FLAGS, f"-I{sysconfig.get_paths()['include']}", source, "-o", product])


def extension_file(kernel: Kernel) -> Path:
    """The extension module, built when it isn't there; raises Absent without clang."""
    parts = [kernel.source, kernel.prototype, tool("clang"), *FLAGS, machine()["processor"]]
    return built(
        f"kernel_{kernel.name}.so",
        digest([*parts, sys.version]),
        functools.partial(build_extension, kernel),
    )


def load_extension(kernel: Kernel, file: Path) -> Prepare:
    name = f"kernel_{kernel.name}"
    loader = importlib.machinery.ExtensionFileLoader(name, str(file))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    function, ffi = getattr(module.lib, kernel.name), module.ffi
    types = [each.split()[-2:] for each in kernel.prototype.partition("(")[2].split(",")]

    def convert(arguments: Sequence[Any]) -> Callable[[], Any]:
        converted = [
            ffi.from_buffer(f"{words[0]}[]", each) if "*" in words[-1] else each
            for words, each in zip(types, arguments, strict=True)
        ]
        return functools.partial(function, *converted)

    return convert


def prepare(function: Callable[..., Any]) -> Prepare:
    """For what takes the arguments as they are."""
    return lambda arguments: functools.partial(function, *arguments)


def extension(kernel: Kernel) -> Prepare:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"kernel_{kernel.name}.so"
        build_extension(kernel, file)
        return load_extension(kernel, file)


def extension_ready(kernel: Kernel) -> Prepare:
    """The extension module as it comes out of the cache."""
    return load_extension(kernel, extension_file(kernel))


def new_jit() -> Any:
    import lazyjit

    return lazyjit.JIT()


def lazyjit_c(kernel: Kernel) -> Prepare:
    jit = new_jit()
    jit.add_c(kernel.source, flags=["-fno-math-errno"])
    return prepare(jit.callable(kernel.name, kernel.signature, nogil=True))


def lazyjit_ll(kernel: Kernel) -> Prepare:
    jit = new_jit()
    jit.add(ir_file(kernel))
    return prepare(jit.callable(kernel.name, kernel.signature, nogil=True))


def lazyjit_numba(kernel: Kernel) -> Prepare:
    import numba

    from lazyjit import numba as front

    jit = new_jit()
    types = [numba.typeof(each) for each in kernel.arguments(kernel.sizes[-1])]
    decorated = numba.njit(kernel.python, **NUMBA_OPTIONS)
    return prepare(front.add(jit, decorated, numba.void(*types)))


NUMBA_OPTIONS = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}


def numba(kernel: Kernel) -> Prepare:
    import numba

    return prepare(numba.njit(kernel.python, **NUMBA_OPTIONS))


def numpy(kernel: Kernel) -> Prepare:
    return prepare(kernel.numpy)


def numexpr(kernel: Kernel) -> Prepare:
    import numexpr

    assert kernel.numexpr is not None
    numexpr.set_num_threads(1)
    return prepare(kernel.numexpr(numexpr))


#: From source to a function.
FIRST: dict[str, Callable[[Kernel], Prepare]] = {
    "lazyjit-c": lazyjit_c,
    "lazyjit-ll": lazyjit_ll,
    "lazyjit-numba": lazyjit_numba,
    "numba": numba,
    "extension": extension,
    "numpy": numpy,
    "numexpr": numexpr,
}

#: What each way imports beside NumPy.
IMPORTS = {
    "lazyjit-c": ("lazyjit.jit",),
    "lazyjit-ll": ("lazyjit.jit",),
    "lazyjit-numba": ("numba", "lazyjit.numba"),
    "numba": ("numba",),
    "extension": ("cffi",),
    "numexpr": ("numexpr",),
}
