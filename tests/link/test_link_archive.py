"""Static archives as `ar` makes them, by hand in the other dialects, and malformed."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linking import Build, Program

from lazyjit.errors import ArchiveFormatError, InputError, LibraryNotFound
from lazyjit.link.archive import Archive, is_archive

LONG = "a_member_with_a_name_that_does_not_fit_into_the_header.o"
MakeArchive = Callable[..., Path]


@pytest.fixture
def ar(build: Build, tmp_path: Path) -> MakeArchive:
    """`ar(flags)` -> an archive of two members that define f and g, and of a text file."""
    tool = shutil.which("ar")
    if tool is None:
        pytest.skip("no ar to make archives with")

    def make(flags: str) -> Path:
        folder = tmp_path / "archived"
        folder.mkdir(exist_ok=True)
        (folder / "f.o").write_bytes(
            build("extern int g(void); int f(void) { return g() + 1; }", "-fPIC")
        )
        (folder / LONG).write_bytes(build("int shared = 1; int g(void) { return 41; }", "-fPIC"))
        (folder / "notes.txt").write_text("odd")
        path = folder / "lib.a"
        members = ["f.o", LONG, "notes.txt"]
        subprocess.run(
            [tool, flags, path.name, *members], cwd=folder, check=True, capture_output=True
        )
        return path

    return make


@pytest.mark.parametrize("flags", ["rcs", "rcS", "rcsT", "rcST"])
def test_members_are_found_by_their_symbols(ar: MakeArchive, program: Program, flags: str) -> None:
    archive = Archive(ar(flags))
    assert archive.thin == ("T" in flags)
    assert [member.name for member in archive.members()] == ["f.o", LONG, "notes.txt"]
    assert sorted(archive.symbols) == ["f", "g", "shared"]
    assert "g" in archive and "nothing" not in archive
    assert archive.member_for("nothing") is None
    f, g = archive.member_for("f"), archive.member_for("g")
    assert f is not None and g is not None
    assert (f.name, g.name) == ("f.o", LONG)
    assert archive.member_for("shared") is g, "a member is read once"
    program.link(f.data, g.data)
    assert program.call("f") == 42


def test_an_archive_may_be_given_as_bytes(ar: MakeArchive) -> None:
    data = ar("rcs").read_bytes()
    assert is_archive(data) and not is_archive(data[1:])
    assert "f" in Archive(data, file="memory.a")


def test_a_thin_archive_needs_its_files(ar: MakeArchive) -> None:
    path = ar("rcsT")
    (path.parent / "f.o").unlink()
    archive = Archive(path)
    with pytest.raises(LibraryNotFound, match=r"f\.o"):
        archive.member_for("f")
    with pytest.raises(ArchiveFormatError, match="as a path"):
        Archive(path.read_bytes()).member_for("g")
    beside = Archive(path.read_bytes(), path=path).member_for("g")
    assert beside is not None and beside.name == LONG


def test_an_archive_that_cannot_be_read_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.a"):
        Archive(tmp_path / "none.a")
    with pytest.raises(IsADirectoryError):
        Archive(tmp_path)
    with pytest.raises(FileNotFoundError, match="''"):
        Archive("")
    with pytest.raises(ArchiveFormatError, match="not an archive"):
        Archive(b"")


def test_an_archive_that_a_thin_one_refers_to_may_be_missing(ar: MakeArchive) -> None:
    inner = ar("rcs")
    outer = inner.with_name("outer.a")
    subprocess.run(["ar", "rcT", outer.name, inner.name], cwd=inner.parent, check=True)
    inner.unlink()
    with pytest.raises(LibraryNotFound, match=r"outer\.a: member .*: No such file"):
        list(Archive(outer).members())


def member(name: bytes, body: bytes) -> bytes:
    header = name.ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8)
    return header + str(len(body)).encode().ljust(10) + b"`\n" + body + b"\n" * (len(body) & 1)


def bsd_index(word: str, names: list[tuple[bytes, int]]) -> bytes:
    strings, pairs = b"", b""
    for name, offset in names:
        pairs += struct.pack(f"<2{word}", len(strings), offset)
        strings += name + b"\0"
    return (
        struct.pack(f"<{word}", len(pairs))
        + pairs
        + struct.pack(f"<{word}", len(strings))
        + strings
    )


@pytest.mark.parametrize(("name", "word"), [(b"__.SYMDEF", "I"), (b"__.SYMDEF_64", "Q")])
def test_the_bsd_dialect(assemble: Build, name: bytes, word: str) -> None:
    body = assemble(".globl f\nf: ret")
    size = len(bsd_index(word, [(b"f", 0)]))
    first = 8 + len(member(name, b"x" * size))
    data = b"!<arch>\n" + member(name, bsd_index(word, [(b"f", first)]))
    data += member(b"#1/24", b"a name with spaces.o".ljust(24, b"\0") + body)
    archive = Archive(data)
    found = archive.member_for("f")
    assert found is not None
    assert (found.name, found.data) == ("a name with spaces.o", body)


def test_an_index_of_64_bits(assemble: Build) -> None:
    index = struct.pack(">QQ", 1, 0) + b"f\0"
    offset = 8 + len(member(b"/SYM64/", index))
    data = b"!<arch>\n" + member(b"/SYM64/", struct.pack(">QQ", 1, offset) + b"f\0")
    data += member(b"f.o/", assemble(".globl f\nf: ret"))
    found = Archive(data).member_for("f")
    assert found is not None and found.name == "f.o"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an archive"),
        (b"\x7fELF", "not an archive"),
        (b"!<arch>\nshort", "no member header"),
        (b"!<arch>\n" + member(b"a/", b"x")[:-2], "outside of the file"),
        (b"!<arch>\n" + member(b"a/", b"").replace(b"0         `", b"?         `"), "no size"),
        (b"!<arch>\n" + member(b"/", b"\xff\xff\xff\xff"), "index of 4294967295"),
        (b"!<arch>\n" + member(b"/", struct.pack(">II", 1, 8) + b"unended"), "inside its names"),
        (b"!<arch>\n" + member(b"__.SYMDEF", b"\xff\0\0\0"), "bytes of pairs"),
        (b"!<arch>\n" + member(b"#1/99", b"x"), "bad name length"),
    ],
)
def test_malformed_archives_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(ArchiveFormatError, match=words) as caught:
        Archive(data, file="bad.a")
    assert caught.value.file == "bad.a"


def test_a_bad_place_of_a_long_name_is_refused() -> None:
    data = b"!<arch>\n" + member(b"//", b"long/\n") + member(b"/99", b"x")
    with pytest.raises(ArchiveFormatError, match="long name"):
        list(Archive(data).members())


def test_an_index_that_points_nowhere_is_refused() -> None:
    index = struct.pack(">II", 1, 9999) + b"f\0"
    archive = Archive(b"!<arch>\n" + member(b"/", index))
    with pytest.raises(ArchiveFormatError, match="no member header"):
        archive.member_for("f")


@settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_garbled_archives_fail_with_an_input_error_only(
    ar: MakeArchive, data: st.DataObject
) -> None:
    if not hasattr(ar, "bytes"):
        ar.bytes = ar("rcs").read_bytes()  # type: ignore[attr-defined]
    garbled = bytearray(ar.bytes)  # type: ignore[attr-defined]
    for _ in range(data.draw(st.integers(1, 6))):
        garbled[data.draw(st.integers(0, len(garbled) - 1))] = data.draw(st.integers(0, 255))
    del garbled[data.draw(st.integers(8, len(garbled))) :]
    try:
        archive = Archive(bytes(garbled))
        for name in archive.symbols:
            archive.member_for(name)
        list(archive.members())
    except (InputError, LibraryNotFound):
        pass


def test_a_thin_archive_refers_into_others(ar: MakeArchive, tmp_path: Path) -> None:
    inner = ar("rcs")
    outer = inner.with_name("outer.a")
    subprocess.run(["ar", "rcT", outer.name, inner.name], cwd=inner.parent, check=True)
    archive = Archive(outer)
    assert [member.name for member in archive.members()] == ["f.o", LONG, "notes.txt"]
    member, same = archive.member_for("g"), Archive(inner).member_for("g")
    assert member is not None and same is not None and member.data == same.data
    raw = outer.read_bytes()
    for bad in (raw.replace(b":", b"x"), raw.replace(b":", b":z"), raw.replace(b":", b":9")):
        outer.write_bytes(bad)
        with pytest.raises((ArchiveFormatError, LibraryNotFound)):
            list(Archive(outer).members())
    outer.write_bytes(raw)
    inner.write_bytes(raw)  # which refers to itself
    with pytest.raises(ArchiveFormatError, match="thin itself"):
        list(Archive(outer).members())


@pytest.mark.parametrize("name", [b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF_64"])
@pytest.mark.parametrize("size", [0, 1, 3, 7])
def test_an_index_too_short_for_its_count_is_malformed(name: bytes, size: int) -> None:
    if size >= (8 if b"64" in name else 4):
        pytest.skip("long enough for a count")
    with pytest.raises(ArchiveFormatError, match="index"):
        Archive(b"!<arch>\n" + member(name, bytes(size)))
