"""Builds `lazyjit._native_lib`, the extension module behind `lazyjit/_native.py`, with cffi.

Every header in this folder may hold one block of declarations meant for Python, between the lines
`/* cffi: begin */` and `/* cffi: end */`. The blocks, headers in alphabetical order but `status.h`
first, make the cdef, so a declaration is written once. Every `.c` file in this folder is compiled
in; files in subfolders (fuzz targets, C-level tests) are not.

`python native/build.py` builds in place, into `lazyjit/`, for work on a checkout;
`LAZYJIT_CFLAGS` and `LAZYJIT_LDFLAGS` add flags (sanitizers). `setup.py` uses `ffi` from here.
"""

import os
import re
import shlex
from pathlib import Path

import cffi

NATIVE = Path(__file__).resolve().parent
ROOT = NATIVE.parent

HEADERS = sorted(NATIVE.glob("*.h"), key=lambda path: (path.name != "status.h", path.name))
BLOCK = re.compile(r"/\* cffi: begin \*/(.*?)/\* cffi: end \*/", re.DOTALL)

WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers"]

ffi = cffi.FFI()
ffi.cdef("\n".join(block for path in HEADERS for block in BLOCK.findall(path.read_text())))
ffi.set_source(
    "lazyjit._native_lib",
    "\n".join(f'#include "{path.name}"' for path in HEADERS),
    # Relative to the folder that holds setup.py: setuptools runs there, and so does main() below.
    sources=[str(path.relative_to(ROOT)) for path in sorted(NATIVE.glob("*.c"))],
    include_dirs=["native"],
    libraries=["pthread", "dl", "util"],
    extra_compile_args=[
        "-std=gnu11",
        "-O2",
        "-g",
        "-fvisibility=hidden",
        "-fexceptions",  # a failed call unwinds the frames of ours that it passes
        *WARNINGS,
        *shlex.split(os.environ.get("LAZYJIT_CFLAGS", "")),
    ],
    extra_link_args=shlex.split(os.environ.get("LAZYJIT_LDFLAGS", "")),
    # The call-through asks CPython whether this thread holds the GIL, which the limited API lacks.
    py_limited_api=False,
)


def main() -> None:
    """Build in place."""
    os.chdir(ROOT)
    ffi.compile(tmpdir=str(ROOT), verbose=False)


if __name__ == "__main__":
    main()
