"""Debug information in units: lines, scopes and inlining stay; types and variables go."""

from __future__ import annotations

import re

import pytest
from ir_programs import accept, compiled

from lazyjit.ir import ModuleIndex, carve

RECORDS = (
    """    #dbg_value(i32 %x, !20, !DIExpression(), !30)
""",
    """    #dbg_assign(i32 %x, !20, !DIExpression(), !40, ptr @g,
      !DIExpression(), !30) %y = add i32 %x, 1
    #dbg_label(!41, !30)
""",
)
# As LLVM had them before it had records.
CALLS = (
    """  call void @llvm.dbg.value(metadata i32 %x, metadata !20,
    metadata !DIExpression()), !dbg !30
""",
    """  tail call void @llvm.dbg.assign(metadata i32 %x, metadata !20, metadata !DIExpression(),
    metadata !40, metadata ptr @g, metadata !DIExpression()) #1, !dbg !30 %y = add i32 %x, 1
""",
)
MODULE = """
define void @f(i32 %x) !dbg !10 {
@FIRST@  store i32 %x, ptr @g, align 4, !dbg !30, !DIAssignID !40
@SECOND@  ret void, !dbg !31
}
declare void @llvm.dbg.value(metadata, metadata, metadata)
declare void @llvm.dbg.assign(metadata, metadata, metadata, metadata, metadata, metadata)
@g = global i32 0, align 4, !dbg !50
attributes #1 = { nounwind }
!llvm.dbg.cu = !{!0, !2}
!llvm.module.flags = !{!3, !4}
!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, producer: "p", isOptimized: true,
  runtimeVersion: 0, emissionKind: FullDebug, enums: !60, retainedTypes: !61, globals: !62,
  imports: !63, macros: !64, splitDebugInlining: false, nameTableKind: None)
!1 = !DIFile(filename: "a.c", directory: "/d", source: "int \\22many\\22 ( } lines")
!2 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, emissionKind: FullDebug)
!3 = !{i32 2, !"Debug Info Version", i32 3}
!4 = !{i32 7, !"Dwarf Version", i32 5}
!10 = distinct !DISubprogram(name: "f", linkageName: "f", scope: !11, file: !1, line: 3, type: !12,
  scopeLine: 4, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: !0, templateParams: !60,
  declaration: !13, retainedNodes: !60, containingType: !11, thrownTypes: !60, annotations: !60)
!11 = distinct !DICompositeType(tag: DW_TAG_class_type, name: "C", file: !1, elements: !60)
!12 = !DISubroutineType(types: !60)
!13 = !DISubprogram(name: "f", scope: !11, file: !1, line: 2, type: !12, spFlags: 0)
!14 = distinct !DISubprogram(name: "inlined", scope: !1, file: !1, line: 8, type: !12,
  spFlags: DISPFlagDefinition, unit: !2)
!20 = !DILocalVariable(name: "x", scope: !10, file: !1, line: 3, type: !21)
!21 = !DIBasicType(name: "int", size: 32, encoding: DW_ATE_signed)
!30 = !DILocation(line: 5, column: 1, scope: !32)
!31 = !DILocation(line: 9, column: 1, scope: !33, inlinedAt: !34)
!32 = !DILexicalBlock(scope: !35, file: !1, line: 5)
!33 = !DILexicalBlockFile(scope: !14, file: !1, discriminator: 2)
!34 = distinct !DILocation(line: 6, column: 2, scope: !10)
!35 = distinct !DILexicalBlock(scope: !10, file: !1, line: 4, column: 3)
!40 = distinct !DIAssignID()
!41 = !DILabel(scope: !10, name: "l", file: !1, line: 5)
!50 = !DIGlobalVariableExpression(var: !51, expr: !DIExpression())
!51 = distinct !DIGlobalVariable(name: "g", scope: !0, file: !1, line: 1, type: !21)
!60 = !{!21} !61 = !{!11} !62 = !{!50} !63 = !{} !64 = !{}
"""


HEAD, OLD = (
    MODULE.replace("@FIRST@", first).replace("@SECOND@", second)
    for first, second in (RECORDS, CALLS)
)


@pytest.mark.parametrize("text", [HEAD, OLD], ids=["records", "calls"])
def test_lines_scopes_and_inlining_stay_and_all_else_goes(text):
    accept(text.encode())
    index = ModuleIndex.from_text(text.encode())
    text = carve(index, [index.entity("f")]).text.decode()
    accept(text.encode())
    kept = {int(number) for number in re.findall(r"^!(\d+) =", text, re.MULTILINE)}
    assert kept == {0, 1, 2, 3, 4, 10, 14, 30, 31, 32, 33, 34, 35}
    for word in ("#dbg_", "llvm.dbg.value", "DIAssignID", "retainedTypes", "source:", "imports"):
        assert word not in text
    assert re.search(r"!10 = distinct !DISubprogram\(.*unit: !0, scope: !1, file: !1, type: ", text)
    assert "inlinedAt: !34" in text and "%y = add i32 %x, 1" in text
    assert set(re.search(r"!llvm.dbg.cu = !\{(.*)\}", text).group(1).split(", ")) == {"!0", "!2"}


def test_the_kept_lines_survive_llvms_own_check():
    index = ModuleIndex.from_text(HEAD.encode())
    printed = str(accept(carve(index, [index.entity("f")]).text))
    assert "DISubprogram(" in printed and "inlinedAt" in printed  # nothing was stripped as broken


def test_lines_stay_where_they_were():
    index = ModuleIndex.from_text(HEAD.encode())
    unit = carve(index, [index.entity("f")])
    lines = unit.text.decode().split("\n")
    at = next(i for i, line in enumerate(lines, 1) if line.startswith("  ret void, !dbg"))
    assert HEAD.split("\n")[unit.original_line(at) - 1].startswith("  ret void, !dbg")


def test_data_loses_its_variable_record():
    index = ModuleIndex.from_text(HEAD.encode())
    text = carve(index, [index.entity("g")]).text.decode()
    assert "@g = dso_local global i32 0, align 4\n" in text and "DIGlobal" not in text


def test_debug_information_of_a_compiled_unit_is_in_proportion_to_it():
    index = ModuleIndex.from_text(compiled("c++", "-O2", "-g"))
    whole = len(index.text)
    sizes = [
        len(carve(index, [entity]))
        for entity in index.defined()
        if index.kind(entity).name == "FUNCTION"
    ]
    assert max(sizes) < whole / 4 and sorted(sizes)[len(sizes) // 2] < 32 * 1024


def test_every_function_with_lines_keeps_them():
    index = ModuleIndex.from_text(compiled("c", "-O1", "-g"))
    for entity in index.defined():
        if b"!dbg" in index.source(entity) and index.kind(entity).name == "FUNCTION":
            module = str(accept(carve(index, [entity]).text))
            assert "!DILocation(line:" in module and "DICompositeType" not in module
