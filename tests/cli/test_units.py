"""What --print-units and -orc-lazy-debug print."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from lazyjit.cli.options import Dump
from lazyjit.cli.units import printer

UNIT = SimpleNamespace(name="p.ll.0", functions=["main", "f"], text=b"define ...\n\0")
DATA = SimpleNamespace(name="data/1", functions=[], text=b"@x = ...\n")


@pytest.mark.parametrize(
    ("dump", "unit", "printed"),
    [
        (Dump.NAMES, UNIT, "unit p.ll.0: main f\n"),
        (Dump.NAMES, DATA, "unit data/1: (data)\n"),
        (Dump.IR, UNIT, "; unit p.ll.0: main f\ndefine ...\n\n"),
    ],
)
def test_our_own_goes_to_stderr(capfdbinary, dump, unit, printed):
    printer(dump)(unit)
    out, err = capfdbinary.readouterr()
    assert (out, err.decode()) == (b"", printed)


@pytest.mark.parametrize(
    ("dump", "printed"),
    [
        ("LLI_FUNCTIONS", "before\n[ main f ]\nafter\n"),
        (
            "LLI_MODULES",
            "before\n----- Module Start -----\ndefine ...\n----- Module End -----\nafter\n",
        ),
    ],
)
def test_lli_s_goes_through_c_s_stdout_in_order(dump, printed):
    code = (
        "import ctypes\nfrom types import SimpleNamespace\n"
        "from lazyjit.cli.options import Dump\nfrom lazyjit.cli.units import printer\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.printf(b'before\\n')\n"
        "unit = SimpleNamespace(name='u', functions=['main', 'f'], text=b'define ...\\0')\n"
        f"printer(Dump.{dump})(unit)\n"
        "libc.printf(b'after\\n')\n"
        "libc.exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stdout == printed


def test_lli_s_files_land_in_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printer(Dump.LLI_FILES)(UNIT)
    printer(Dump.LLI_FILES)(DATA)
    assert (tmp_path / "p.ll.0.ll").read_bytes() == b"define ...\n"
    assert (tmp_path / "data_1.ll").exists()


def test_nothing_is_asked_for_by_default():
    assert printer(Dump.NOTHING) is None
