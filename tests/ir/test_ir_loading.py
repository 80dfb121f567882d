"""Whatever a client has as IR becomes the same index."""

from __future__ import annotations

import llvmlite.binding as llvm
import llvmlite.ir
import pytest
from ir_programs import INPUTS, accept

from lazyjit.errors import IRError, UsageError
from lazyjit.ir import ModuleIndex

TEXT = 'source_filename = "m.c"\ndefine i32 @f(i32 %x) {\n  ret i32 %x\n}\n@d = global i8 0\n'


def test_text_is_taken_from_str_bytes_and_paths(tmp_path):
    path = tmp_path / "m.ll"
    path.write_text(TEXT)
    for source in (TEXT, TEXT.encode(), bytearray(TEXT.encode()), path, str(path)):
        index = ModuleIndex.load(source, ordinal=4)
        assert index.counts.functions == 1 and index.entity("d") >= 0 and index.ordinal == 4
    assert ModuleIndex.load(path).file == str(path)
    assert ModuleIndex.load(TEXT).file == "<text>"
    assert ModuleIndex.load(TEXT, file="named").file == "named"
    assert ModuleIndex.load("define void @f() { ret void }").counts.functions == 1
    assert memoryview(ModuleIndex.load(memoryview(TEXT.encode())).text) == TEXT.encode()


@pytest.mark.parametrize("stem", ["linkages", "gotos", "types"])
def test_bitcode_is_printed_once(tmp_path, stem):
    path = next(path for path in INPUTS if path.stem == stem)
    bitcode = accept(path.read_bytes()).as_bitcode()
    file = tmp_path / "m.bc"
    file.write_bytes(bitcode)
    expected = ModuleIndex.load(path)
    for source in (bitcode, file):
        index = ModuleIndex.load(source)
        assert index.counts.functions == expected.counts.functions
        assert index.counts.variables == expected.counts.variables
        assert index.counts.aliases == expected.counts.aliases


def test_llvmlite_modules_are_printed():
    module = llvmlite.ir.Module(name="made")
    function = llvmlite.ir.Function(
        module, llvmlite.ir.FunctionType(llvmlite.ir.IntType(32), []), name="built {here}"
    )
    llvmlite.ir.IRBuilder(function.append_basic_block()).ret(llvmlite.ir.IntType(32)(7))
    for source in (module, llvm.parse_assembly(str(module), llvm.create_context())):
        index = ModuleIndex.load(source)
        assert index.entity("built {here}") >= 0 and index.counts.functions == 1


def test_unreadable_input_raises_with_its_file(tmp_path):
    path = tmp_path / "bad.bc"
    path.write_bytes(b"BC\xc0\xdegarbage that is no bitcode")
    with pytest.raises(IRError) as caught:
        ModuleIndex.load(path)
    assert caught.value.file == str(path) and caught.value.reason
    truncated = accept(TEXT.encode()).as_bitcode()[:-40]
    with pytest.raises(IRError):
        ModuleIndex.load(truncated)
    with pytest.raises(OSError, match=r"absent\.ll"):
        ModuleIndex.load(tmp_path / "absent.ll")
    with pytest.raises(OSError, match=r"absent\.bc"):
        ModuleIndex.load(str(tmp_path / "absent.bc"))
    path = tmp_path / "bad.ll"
    path.write_text("define void @f() {\n\n")
    with pytest.raises(IRError) as caught:
        ModuleIndex.load(path)
    assert (caught.value.file, caught.value.line) == (str(path), 1)
    with pytest.raises(UsageError):
        ModuleIndex.load(5)  # type: ignore[arg-type]
