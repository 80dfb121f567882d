"""What every test may use: the report's header, and the outside tools that some tests need."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest


def pytest_report_header() -> str:
    from lazyjit import llvmlib

    version = ".".join(map(str, llvmlib.version()))
    return f"lazyjit on LLVM {version} for {llvmlib.host().cpu}"


def _clang_of_llvm_22() -> str | None:
    """A clang whose IR the bound LLVM reads: older IR is upgraded, newer is refused."""
    for name in ("clang-22", "clang"):
        path = shutil.which(name)
        if path is None:
            continue
        words = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        found = re.search(r"version (\d+)\.", words)
        if found and int(found.group(1)) == 22:
            return path
    return None


@pytest.fixture(scope="session")
def clang() -> str:
    """The path of a clang 22; without one, the test is skipped."""
    path = _clang_of_llvm_22()
    if path is None:
        pytest.skip("needs clang 22 (apt-get install clang-22, from apt.llvm.org)")
    return path
