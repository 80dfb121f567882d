"""Properties of the lexical pass: layout doesn't matter, and no text gets the better of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_programs import INPUTS, accept

from lazyjit.errors import IRError
from lazyjit.ir import Kind, ModuleIndex, carve

BARE = st.text("abcXYZ019_.$-", min_size=1, max_size=12).filter(lambda s: not s[0].isdigit())
ODD = st.text(
    st.characters(min_codepoint=1, max_codepoint=0x2FF, exclude_categories=["Cs"]),
    min_size=1,
    max_size=8,
)
GAPS = st.sampled_from(
    [" ", "\n", "\r\n", "\t", ' ; a comment } " {\n', '/* block ; " } */', "\n\n  ", ";\r"]
)
STRINGS = st.text("ab{}[]()<>;@%!#/*,= \n", max_size=12)


def spelled(name: str) -> str:
    """A name as IR text, in quotes with escapes where it must be."""
    if name[0] not in "0123456789" and all(
        c.isascii() and (c.isalnum() or c in "-$._") for c in name
    ):
        return name
    raw = name.encode()
    return (
        '"'
        + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02x}" for b in raw)
        + '"'
    )


@st.composite
def modules(draw: st.DrawFn) -> tuple[str, dict[str, Kind], dict[str, Counter[str]]]:
    """A module's text in some layout, its entities' kinds, and who refers to whom."""
    names = draw(st.lists(BARE | ODD, min_size=1, max_size=8, unique=True))
    kinds, refs, out = {}, {}, []
    for name in names:
        kind = draw(
            st.sampled_from([Kind.FUNCTION, Kind.DECLARATION, Kind.VARIABLE, Kind.EXTERNAL])
        )
        if name.startswith(("llvm.", "\1")):
            continue
        targets = draw(st.lists(st.sampled_from(names), max_size=4))
        string = draw(STRINGS)
        at = f"@{spelled(name)}"
        if kind == Kind.FUNCTION:
            tokens = ["define", "void", at, "(", ")", "{"]
            for target in targets:
                tokens += ["call", "void", "asm", '"' + string + '"', ",", '""', "(", ")"]
                tokens += ["store", "ptr", f"@{spelled(target)}", ",", "ptr", "null"]
            tokens += ["ret", "void", "}"]
        elif kind == Kind.DECLARATION:
            tokens, targets = ["declare", "{", "i8", ",", "ptr", "}", at, "(", "i32", ")"], []
        elif kind == Kind.VARIABLE:
            tokens = [at, "=", "global", "[", str(len(targets)), "x", "ptr", "]", "["]
            for i, target in enumerate(targets):
                tokens += [","] * (i > 0) + ["ptr", f"@{spelled(target)}"]
            tokens += ["]", ",", "section", '"' + string.replace("\n", "") + '"']
        else:
            tokens, targets = [at, "=", "external", "global", "i32"], []
        kinds[name] = kind
        refs[name] = Counter(dict.fromkeys(targets, 1))
        for token in tokens:
            out += [token, draw(GAPS)]
    return "".join(out), kinds, refs


@given(modules())
@settings(max_examples=150, deadline=None)
def test_entities_and_references_are_found_in_any_layout(module):
    text, kinds, refs = module
    index = ModuleIndex.from_text(text.encode())
    names = [index.source_name(entity) for entity in range(len(index))]
    assert {n: index.kind(e) for e, n in enumerate(names) if n in kinds} == kinds
    for name, targets in refs.items():
        entity = names.index(name)
        assert Counter(names[ref] for ref in index.refs(entity)) == targets
        source = index.source(entity)
        assert source in text.encode() and source == source.strip()


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_give_an_index_or_a_typed_error(data):
    index_or_error(data)


@given(st.sampled_from(INPUTS), st.data())
@settings(max_examples=200, deadline=None)
def test_damaged_modules_give_an_index_or_a_typed_error(path, data):
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from([0, 1, 1, 10, 1000]))
        text[start : start + length] = data.draw(
            st.sampled_from([b"", b'"', b"{", b"}", b"@", b";"])
        )
    index_or_error(bytes(text))


def index_or_error(text: bytes) -> None:
    try:
        index = ModuleIndex.from_text(text, file="f")
    except IRError as error:
        assert error.line is not None and 1 <= error.line <= text.count(b"\n") + 1
        return
    for entity in index.defined():
        unit = carve(index, [entity], inline_budget=1000)
        assert b"\0" in text or b"\0" not in unit.text


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_every_prefix_of_a_module_gives_an_index_or_a_typed_error(path):
    text = path.read_bytes()
    for end in range(0, len(text), 7):
        index_or_error(text[:end])


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_bytes_behind_the_text_are_never_read_as_part_of_it(path):
    text = path.read_bytes()
    index = ModuleIndex.from_text(text + b"\n@extra = global i8 0")
    assert index.entity("extra") >= 0
    assert ModuleIndex.from_text(text).entity("extra") == -1


def test_deep_nesting_costs_no_stack():
    depth = 200_000
    text = b"@x = global " + b"{" * depth + b"}" * depth + b" zeroinitializer"
    assert ModuleIndex.from_text(text).counts.variables == 1
    with pytest.raises(IRError):
        ModuleIndex.from_text(b"@x = global " + b"{" * depth)


def test_strings_may_hold_whatever_ends_an_entity():
    text = b'@x = constant [23 x i8] c"}\\22 @y = global i32 0 \\00;" define void @f() { ret void }'
    accept(text)
    index = ModuleIndex.from_text(text)
    assert index.entity("y") == -1 and index.counts.functions == 1
