"""The examples run as they are, and print what they promise; the README shows the first of them."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from lazyjit.c_source import find_compiler
from lazyjit.errors import CompilerNotFound

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

#: A part of what each prints.
LINES = {
    "arrays": "backwards: 6.0\nin four threads: 3.0 3.0\n",
    "assembly": "SO LOUD\nwrong.s:2: invalid instruction mnemonic",
    "black_scholes": "one: 10.4506\nall within their bounds: True\n",
    "check_link": "jmp -> stub of nobody\n6 checks, 1 failed\nline 8: 0x68 isn't 0x48\n",
    "c_kernels": "smooth: [0.0, 1.0, 2.0, 3.0, 2.0]\nbroken.c:2: use of undeclared identifier 'y'",
    "calling_out": "integral of x squared: 9.0000\nraised by Python, through C: no value at 1.5",
    "dylibs": "program with the plugin first: 101\n",
    "failing": "program(1) raised FailedToMaterialize\n  program.ll, line 5: use of undefined",
    "first_kernel": "hypotenuse: 5.0\n",
    "harness": "price(6) at a rate of 7 is 42\n",
    "lazy_reexports": "now the call that needs it\nbuilding the table\nprogram(12): 144\n",
    "link_graph": "greeting: hello, linker\nlength: 13\n",
    "link_memory": "answer: 42\nanswer would be at 0x100000\nnumber would be at 0x101000\n",
    "link_pass": "to toupper becomes one to tolower\nchange('A'): a\n",
    "link_plugin": "link:\n  defines loud$body\n  needs toupper\nin memory: loud$body\nloud: A\n",
    "llvmlite_program": "a = 3: 21.0\n",
    "lookups": "dot: 999000.0\n",
    "mandelbrot": "in the set: 69376 of 307200 pixels\n",
    "matrix_product": "1x200 by 200x7: True\n  product_1_200_7() argument 'c' must have 1 elements",
    "nbody": "less than a hundred-thousandth: True\nmomentum is still zero: True\n",
    "numba_functions": "equal to Numba's: True\n",
    "objects_and_archives": "program: 42\nlinked: 3\n",
    "own_compiler": "compiling distance\ndistance: 5.0\n",
    "plugin_call_sites": "by: order order\non sale: 42\nand after: 60\n",
    "plugin_debugger": "before the first call: 0\nscale: 22\nafter it: 1\nat the end: 0\n",
    "plugin_disassembly": "distance$body:\n",
    "plugin_perf": "sum: 50000005000000\nperf knows sum, ",
    "plugin_sizes": "the largest: table 400\n",
    "plugin_unwinding": "f: 3\ntables: 1\nafter removal: 0\n",
    "removing": "the old callable: version was removed\n",
    "repl": "4.0\nodd\neven\n1.0\nerror: square takes 1 numbers, not 2\nerror: the end is",
    "stencil": "as NumPy has it: True\ntransposed, too: True\n",
    "sympy_expressions": "1 of 2 functions compiled\nagrees with NumPy: True\n",
    "text_plugins": "reloaded: ibm 3\na file that is no good: the old code stays, ibm\nunloaded: ",
    "threads": "all threads agree: True\nfunctions compiled: 50\n",
    "typed_call": "called: 5.0 ready\nrefused:\n  TypeError: hypotenuse() takes exactly 2",
    "ufunc": "so far: [3. 3. 4. 4. 5.]\nof nothing: -inf\nlast of each row: [ 3.  7. 11.]\n",
    "units": "function:\n  unit root: ",
}

#: What those read that read their standard input.
INPUT = {
    "repl": """
        def square(x) = x * x
        square(3) + 2 * (1 - 3) - 1
        def odd(n) = if n < 1 then 0 else even(n - 1)
        def even(n) = if n < 1 then 1 else odd(n - 1)
        even(10)
        square(1, 2)
        2 *
        """
}

#: What some need that need not be there.
MODULES = {"numba_functions": "numba", "sympy_expressions": "sympy"}
COMPILED = {"c_kernels", "calling_out"}


def check_needs(name: str) -> None:
    """Skip what can't run here."""
    if name in MODULES:
        pytest.importorskip(MODULES[name])
    if name in COMPILED:
        try:
            find_compiler()
        except CompilerNotFound as error:
            pytest.skip(str(error))


def run(example: Path, folder: Path) -> str:
    """What it prints; `folder` is for its temporary files."""
    done = subprocess.run(
        [sys.executable, example],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        input=INPUT.get(example.stem, ""),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_every_example_is_known() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_an_example_prints_what_it_promises(name: str, tmp_path: Path) -> None:
    check_needs(name)
    assert LINES[name] in run(EXAMPLES / f"{name}.py", tmp_path)


def test_the_mandelbrot_example_saves_a_picture(tmp_path: Path) -> None:
    assert f"the picture: {tmp_path / 'mandelbrot.png'}\n" in run(
        EXAMPLES / "mandelbrot.py", tmp_path
    )
    data = (tmp_path / "mandelbrot.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
    begin = data.index(b"IDAT")
    size = int.from_bytes(data[begin - 4 : begin], "big")
    assert len(zlib.decompress(data[begin + 4 : begin + 4 + size])) == 480 * 641


def test_the_language_asks_who_sits_at_a_terminal(tmp_path: Path) -> None:
    ours, its = os.openpty()
    os.write(ours, b"2 * 21\n\x04")  # control-D
    done = subprocess.run(
        [sys.executable, EXAMPLES / "repl.py"],
        stdin=its,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=600,
    )
    os.close(its)
    os.close(ours)
    assert done.returncode == 0
    assert done.stdout == b"> 42.0\n> "


def test_the_readme_shows_the_first_kernel_as_it_is() -> None:
    code = (EXAMPLES / "first_kernel.py").read_text().split('"""\n\n', 1)[1]
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text()
