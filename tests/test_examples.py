"""The examples run as they are, and print what they promise; the README shows the first of them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

#: A part of what each prints.
LINES = {
    "arrays": "backwards: 6.0\nin four threads: 3.0 3.0\n",
    "assembly": "SO LOUD\nwrong.s:2: invalid instruction mnemonic",
    "check_link": "jmp -> stub of nobody\n6 checks, 1 failed\nline 8: 0x68 isn't 0x48\n",
    "dylibs": "program with the plugin first: 101\n",
    "failing": "program(1) raised FailedToMaterialize\n  program.ll, line 5: use of undefined",
    "first_kernel": "hypotenuse: 5.0\n",
    "harness": "price(6) at a rate of 7 is 42\n",
    "lazy_reexports": "now the call that needs it\nbuilding the table\nprogram(12): 144\n",
    "link_graph": "greeting: hello, linker\nlength: 13\n",
    "link_pass": "to toupper becomes one to tolower\nchange('A'): a\n",
    "link_plugin": "link:\n  defines loud$body\n  needs toupper\nin memory: loud$body\nloud: A\n",
    "llvmlite_program": "a = 3: 21.0\n",
    "lookups": "dot: 999000.0\n",
    "objects_and_archives": "program: 42\nlinked: 3\n",
    "own_compiler": "compiling distance\ndistance: 5.0\n",
    "plugin_call_sites": "by: order order\non sale: 42\nand after: 60\n",
    "plugin_debugger": "before the first call: 0\nscale: 22\nafter it: 1\nat the end: 0\n",
    "plugin_disassembly": "distance$body:\n",
    "plugin_perf": "sum: 50000005000000\nperf knows sum, ",
    "plugin_sizes": "the largest: table 400\n",
    "plugin_unwinding": "f: 3\ntables: 1\nafter removal: 0\n",
    "removing": "the old callable: version was removed\n",
    "threads": "all threads agree: True\nfunctions compiled: 50\n",
    "typed_call": "called: 5.0 ready\nrefused:\n  TypeError: hypotenuse() takes exactly 2",
    "units": "function:\n  unit root: ",
}


def run(example: Path) -> str:
    done = subprocess.run(
        [sys.executable, example], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_every_example_is_known() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_an_example_prints_what_it_promises(name: str) -> None:
    assert LINES[name] in run(EXAMPLES / f"{name}.py")


def test_the_readme_shows_the_first_kernel_as_it_is() -> None:
    code = (EXAMPLES / "first_kernel.py").read_text().split('"""\n\n', 1)[1]
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text()
