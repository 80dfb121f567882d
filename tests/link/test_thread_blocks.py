"""What a thread gets for JIT'd code: a block that is aligned, a record in nobody else's place.

Both depend on what a process has used up or on where its kernel puts mappings, so each test has a
process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VARIABLE = """
import ctypes, threading
import lazyjit
from lazyjit import _native, llvmlib
from lazyjit.errors import FailedToMaterialize, ResourceError

def on_thread(work):
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]

SOURCE = '''
@aligned = thread_local global i32 5, align 65536
declare ptr @llvm.threadlocal.address.p0(ptr)
define ptr @where() {
  %p = call ptr @llvm.threadlocal.address.p0(ptr @aligned)
  ret ptr %p
}
define i32 @seven() {
  ret i32 7
}
'''
"""

OUT_OF_KEYS = """
libc = ctypes.CDLL(None)
libc.pthread_getspecific.restype = ctypes.c_void_p
key = ctypes.c_uint()
while libc.pthread_key_create(ctypes.byref(key), None) == 0:
    pass

def values():
    return [libc.pthread_getspecific(key) for key in range(1024)]

def work():
    before = values()
    with lazyjit.JIT(compile_threads=1) as jit:
        jit.add(SOURCE)
        assert jit.function("seven", ctypes.c_int)() == 7  # behind a guard
        try:
            jit["where"]()
        except FailedToMaterialize as problem:
            assert isinstance(problem.__cause__, ResourceError), problem.__cause__
            assert problem.__cause__.errno == 11, problem.__cause__.errno
            assert "no thread-specific key is left" in str(problem)
        else:
            raise AssertionError("a block that nobody would free")
    return before == values()

assert on_thread(work)
"""

ALIGNED = """
def work():
    with lazyjit.JIT() as jit:
        jit.add(SOURCE)
        return jit["where"]() % 65536

assert [work(), on_thread(work)] == [0, 0]
"""

# Some kernels put large mappings at multiples of 2 MiB. Here none is at one.
ODD_PAGES = """
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
    const size_t large = 2 << 20;
    int odd = !at && flags & MAP_ANONYMOUS && size >= 1 << 28;
    char *got = (char *)syscall(SYS_mmap, at, odd ? size + 2 * large : size, protection, flags,
                                file, offset);
    return odd && got != MAP_FAILED ? (char *)((size_t)(got + large) & -large) + 4096 : got;
}
"""


def run(program: str, **environment: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VARIABLE + program],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr


def test_where_no_thread_specific_key_is_left_nobodys_value_is_overwritten() -> None:
    run(OUT_OF_KEYS)


def test_a_variables_alignment_holds_wherever_the_kernel_puts_the_block(tmp_path: Path) -> None:
    source, library = tmp_path / "odd.c", tmp_path / "odd.so"
    source.write_text(ODD_PAGES)
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", library], check=True)
    before = os.environ.get("LD_PRELOAD", "")  # the sanitizers', which come first
    run(ALIGNED, LD_PRELOAD=f"{before} {library}".strip())
