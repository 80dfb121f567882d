"""Objects and archives: code that a compiler has made already.

Objects are linked when one of their symbols is wanted, and an archive's members likewise, so that
what is never called takes no memory. IR, objects and archives may refer to each other. The
files here are made on the spot, with the compiler inside lazyjit; those of clang or gcc do as well.
"""

import ctypes
import tempfile
from pathlib import Path

import lazyjit
from lazyjit.codegen import LLVMCompiler

OBJECT = """
declare i32 @triple(i32)
define i32 @six_times(i32 %x) {
  %t = call i32 @triple(i32 %x)
  %r = add i32 %t, %t
  ret i32 %r
}
"""

MEMBERS = {
    "triple.o": "define i32 @triple(i32 %x) { %r = mul i32 %x, 3 ret i32 %r }",
    "unused.o": "define i32 @unused() { ret i32 0 }",
}

PROGRAM = """
declare i32 @six_times(i32)
define i32 @program() {
  %r = call i32 @six_times(i32 7)
  ret i32 %r
}
"""


def compiled(source: str) -> bytes:
    """An object file's bytes."""
    with compiler.compile(source.encode()) as result:
        return result.bytes


def archive(members: dict[str, bytes]) -> bytes:
    """What `ar rc` writes: for each member a header of ASCII fields, then its bytes."""
    parts = [b"!<arch>\n"]
    for name, data in members.items():
        header = f"{name + '/':16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(data):<10}`\n"
        parts += [header.encode(), data, b"\n" * (len(data) % 2)]
    return b"".join(parts)


compiler = LLVMCompiler()
with tempfile.TemporaryDirectory() as folder, lazyjit.JIT() as jit:
    object_file, archive_file = Path(folder, "six.o"), Path(folder, "libtriple.a")
    object_file.write_bytes(compiled(OBJECT))
    archive_file.write_bytes(archive({name: compiled(ir) for name, ir in MEMBERS.items()}))

    jit.add(PROGRAM, name="program.ll")
    jit.add(object_file)
    jit.add(archive_file)
    print("linked so far:", jit.statistics().objects_linked)
    print("program:", jit.function("program", ctypes.c_int)())
    # The program's unit, six.o and triple.o; unused.o stayed where it was.
    print("linked:", jit.statistics().objects_linked)
