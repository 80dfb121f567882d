"""Where -l and -L look."""

import ctypes

import pytest

from lazyjit.cli.libraries import find_library, is_archive
from lazyjit.errors import LibraryNotFound

ELF = b"\x7fELF"
ARCHIVE = b"!<arch>\n"


@pytest.fixture
def folders(tmp_path):
    """Two directories for -L, and a function that puts files there."""
    names = [str(tmp_path / name) for name in ("one", "two")]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    def put(path, data):
        (tmp_path / path).write_bytes(data)
        return tmp_path / path

    return names, put


def test_the_first_directory_wins(folders):
    names, put = folders
    put("two/libx.so", ELF)
    archive = put("one/libx.a", ARCHIVE)
    assert find_library("x", names) == archive


def test_shared_before_archive_in_one_directory(folders):
    names, put = folders
    put("one/libx.a", ARCHIVE)
    shared = put("one/libx.so", ELF)
    assert find_library("x", names) == shared


def test_a_linker_script_stands_for_the_library_beside_it(folders):
    names, put = folders
    put("one/libx.so", b"GROUP ( libx.so.6 )")
    put("one/libx.a", ARCHIVE)
    put("one/libx.so.6", ELF)
    newest = put("one/libx.so.10", ELF)
    assert find_library("x", names) == newest


def test_an_exact_file_name(folders):
    names, put = folders
    path = put("two/odd.name", ELF)
    assert find_library(":odd.name", names) == path


def test_a_path_is_taken_as_it_is():
    assert str(find_library("./libx.so")) == "libx.so"


def test_the_c_librarys_own_parts_are_found_and_open():
    ctypes.CDLL(str(find_library("m")))


def test_what_is_nowhere_is_named(folders):
    with pytest.raises(LibraryNotFound, match="-lnowhere_at_all"):
        find_library("nowhere_at_all", folders[0])


def test_archives_are_known_by_their_first_bytes(folders):
    _, put = folders
    assert is_archive(put("one/a", ARCHIVE))
    assert is_archive(put("one/t", b"!<thin>\n"))
    assert not is_archive(put("one/e", ELF))
    assert not is_archive(put("one/e", ELF).with_name("missing"))
