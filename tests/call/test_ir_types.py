"""Types as IR says them, and signatures held against them."""

import pytest

from lazyjit.call.ir_head import read_head
from lazyjit.call.ir_types import fit, signature_of
from lazyjit.call.signature import parse
from lazyjit.errors import UsageError

TYPES = b"""
%pair = type { double, i32 }
%"odd name" = type { %pair, i64 }
%loop = type { %loop }
"""


def head(text):
    return read_head(text.encode(), lambda: TYPES)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("define void @f() {", "void()"),
        ("define double @f(double %a, double %b) #0 {", "double(double a, double b)"),
        (
            "define dso_local noundef i32 @f(i8 noundef signext %0, ptr nocapture %p) {",
            "int32(int8, ptr p)",
        ),
        ("define internal fastcc void @f()", None),
        ("define zeroext i1 @f(i1 zeroext %x, i8 zeroext %y) {", "bool(bool x, uint8 y)"),
        ("define { double, i64 } @f() {", "{double, int64}()"),
        ("define %pair @f(%pair %p) {", "{double, int32}({double, int32} p)"),
        ('define void @f(%"odd name" %p) {', "void({{double, int32}, int64} p)"),
        ("define [3 x double] @f() {", "double[3]()"),
        ("define void @f(ptr sret(%pair) align 8 %r, i64 %n) {", "{double, int32}(int64 n)"),
        ("define void @f(ptr byval(%pair) align 8 %p) {", "void({double, int32} p)"),
        ("define i64 @f(i64 range(i64 0, 7) %class, i64 %a.b) {", "int64(int64, int64)"),
        (
            'define noundef float @"a (b"(float nofpclass(nan inf) %x) "key"="value" { ; comment',
            "float(float x)",
        ),
        ("define i32 @f(ptr %s, ...) {", None),
        ("define i128 @f() {", None),
        ("define void @f(<4 x float> %v) {", None),
        ("define void @f(%loop %v) {", None),
        ("define void @f(half %v) {", None),
        ("define cc 10 void @f() {", None),
        ("define void @f(%unknown %v) {", None),
    ],
)
def test_a_head_says_what_a_function_takes(text, signature):
    if signature is None:
        with pytest.raises(UsageError):
            signature_of(head(text), "f")
    else:
        assert str(signature_of(head(text), "f")) == signature


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("double(double[:], int64)", "define double @f(ptr %x, i64 %n) {"),
        ("double(double[:], int64)", "define double @f(i64 %x, i64 %n) {"),
        ("void(double[:, :] shape strides)", "define void @f(ptr, i64, i64, i64, i64) {"),
        ("bool(bool)", "define i1 @f(i1 %x) {"),
        ("complex128(complex128)", "define { double, double } @f(double %a, double %b) {"),
        ("complex64(complex64)", "define <2 x float> @f(<2 x float> %a) {"),
        ("{int32, int32}({float, float})", "define i64 @f(<2 x float> %a) {"),
        ("{int32, int32}()", "define { i32, i32 } @f() {"),
        ("{double, double, double}()", "define void @f(ptr sret(%x) %r) {"),
        ("{double, double, double}()", "define { double, double, double } @f() {"),
        ("void({int64, int64, int64})", "define void @f(ptr byval(%x) %p) {"),
        ("int32(char*, ..., double)", "define i32 @f(ptr %s, ...) {"),
        ("void(out double)", "define void @f(ptr %s) {"),
    ],
)
def test_a_signature_fits_the_head_of_its_function(signature, text):
    fit(parse(signature), head(text), "f")


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        ("double(double)", "define double @f(double %x, double %y) {"),
        ("double(double)", "define double @f(float %x) {"),
        ("float(double)", "define double @f(double %x) {"),
        ("double(int32)", "define double @f(i64 %x) {"),
        ("void()", "define double @f() {"),
        ("double()", "define void @f() {"),
        ("double(double[:])", "define double @f(double %x) {"),
        ("double(double[:] shape)", "define double @f(ptr %x) {"),
        ("complex128()", "define <2 x float> @f() {"),
        ("{int64, int64, int64}()", "define { i64, i64 } @f() {"),
        ("int32(char*, double)", "define i32 @f(ptr %s, ...) {"),
        ("int32(char*, ..., double)", "define i32 @f(ptr %s, double %x) {"),
        ("void({int64, int64, int64})", "define void @f(ptr %p) {"),
        ("void()", "define fastcc void @f() {"),
    ],
)
def test_a_signature_of_another_function_is_refused(signature, text):
    with pytest.raises(UsageError):
        fit(parse(signature), head(text), "f")


def test_names_of_arguments_come_from_ir_unless_the_signature_has_them():
    fitted = fit(
        parse("double(double, double b)"), head("define double @f(double %x, double %y)"), "f"
    )
    assert [each.name for each in fitted.arguments] == ["x", "b"]


def test_an_aggregate_of_ir_is_told_from_a_structure_of_c():
    floats = parse("{float, float}({float, float})")
    c = fit(floats, head("define <2 x float> @f(<2 x float> %x) {"), "f")
    ir = fit(floats, head("define { float, float } @f({ float, float } %x) {"), "f")
    assert not c.result.first_class and not c.arguments[0].type.first_class
    assert ir.result.first_class and ir.arguments[0].type.first_class
