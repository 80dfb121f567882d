"""The examples run as they are, and print what they promise; the README shows the first of them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"

#: A part of what each prints.
LINES = {
    "dylibs": "program with the plugin first: 101\n",
    "failing": "program(1) raised FailedToMaterialize\n  program.ll, line 5: use of undefined",
    "first_kernel": "hypotenuse: 5.0\n",
    "lazy_reexports": "now the call that needs it\nbuilding the table\nprogram(12): 144\n",
    "lookups": "dot: 999000.0\n",
    "objects_and_archives": "program: 42\nlinked: 3\n",
    "own_compiler": "compiling distance\ndistance: 5.0\n",
    "removing": "the old callable: version was removed\n",
    "threads": "all threads agree: True\nfunctions compiled: 50\n",
    "ufunc": "so far: [3. 3. 4. 4. 5.]\nof nothing: -inf\nlast of each row: [ 3.  7. 11.]\n",
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
