"""The signature language: what it says, and that what is wrong is told."""

import pytest

from lazyjit.call.signature import parse, parse_type
from lazyjit.call.types import SCALARS, VOID, Array, Block, Out, Pointer, Structure
from lazyjit.errors import UsageError

DOUBLE, INT32 = SCALARS["double"], SCALARS["int32"]


@pytest.mark.parametrize(
    "text",
    [
        "void()",
        "double(double a, double b)",
        "void(double, const double[:] x, double[:] y, int64 n)",
        "{double, int32}(complex128, ptr)",
        "{double, {int8, float}}({int64, int64} pair)",
        "double[3](uint8[:, 3])",
        "char*(char* text, double* p)",
        "void(double[:]? fortran shape, int32[:, :] any)",
        "void(float[:, :] shape strides)",
        "void(double angle, out double sine, out {double, double} both, out int32[4])",
        "int32(char*, ..., double)",
    ],
)
def test_a_signature_spells_itself_as_it_was_written(text):
    assert str(parse(text)) == text
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("unsigned", "uint32"),
        ("unsigned int", "uint32"),
        ("long unsigned int", "uint64"),
        ("unsigned long long", "uint64"),
        ("long long int", "int64"),
        ("short int", "int16"),
        ("signed char", "int8"),
        ("unsigned char", "uint8"),
        ("double complex", "complex128"),
        ("float _Complex", "complex64"),
        ("size_t", "uint64"),
        ("float32", "float"),
        ("float64", "double"),
        ("int", "int32"),
        ("_Bool", "bool"),
    ],
)
def test_numbers_have_the_names_that_c_and_numpy_give_them(text, name):
    assert parse_type(text) == SCALARS[name]


def test_types_are_what_they_look_like():
    assert parse_type("const double[:, 3]") == Array(DOUBLE, (None, 3), const=True)
    assert parse_type("double[:] strides") == Array(DOUBLE, (None,), order="A", passes_strides=True)
    assert parse_type("void*") == Pointer()
    assert parse_type("int**") == Pointer()
    assert parse_type("const char *") == Pointer(text=True)
    assert parse_type("out double[3]") == Out(Block(DOUBLE, 3))
    assert parse("{double, int}()").result == Structure((DOUBLE, INT32))
    assert parse("void(void)").arguments == ()
    assert parse("void()").result == VOID


def test_results_and_inputs_tell_out_arguments_apart():
    signature = parse("int32(double x, out double y, out int8 z)")
    assert [each.name for each in signature.inputs] == ["x"]
    assert [str(each) for each in signature.results] == ["int32", "double", "int8"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a type is missing"),
        ("double", "'(' is missing"),
        ("double(", "a type is missing"),
        ("double(double", "',' is missing"),
        ("double(double))", "follows it"),
        ("flaot(double)", "'flaot' is not a type"),
        ("double(double[])", "':' or a number is missing"),
        ("double(double[:)", "',' is missing"),
        ("double[:](double)", "one dimension and a length"),
        ("double[0]()", "one dimension and a length"),
        ("void(ptr[:])", "can't be the element"),
        ("void(out double[:])", "one dimension and a length"),
        ("void(out void)", "can't be out"),
        ("void(void, int)", "an argument can't be void"),
        ("void(int a, int a)", "two arguments have one name"),
        ("void({})", "a type is missing"),
        ("void({double[:]})", "can't be a field"),
        ("void(double[:,:,:,:,:,:,:,:,:])", "9 dimensions"),
        ("void(&)", "is not part of one"),
        ("out double()", "can't return"),
        ("double[100000]()", "more than 4096 bytes"),
        (f"void({', '.join(['int'] * 256)})", "more than 255"),
    ],
)
def test_what_is_no_signature_is_told(text, why):
    with pytest.raises(UsageError) as told:
        parse(text)
    assert why in str(told.value)
