"""How arguments are given: their number, their names, defaults; and what the callable shows."""

import copy
import ctypes
import inspect
import pickle

import pytest

import lazyjit
from lazyjit import FunctionState, TypedFunction
from lazyjit.errors import UsageError

ADD = """
define double @add(double %a, double %b) {
  %r = fadd double %a, %b
  ret double %r
}
define i32 @nameless(i32, i32) {
  %r = sub i32 %0, %1
  ret i32 %r
}
define i64 @none() { ret i64 42 }
@data = global i32 7
"""


@pytest.fixture
def add(jit):
    jit.add(ADD)
    return jit["add"]


def test_by_position_and_by_name(add):
    assert add(1.0, 2.0) == add(1.0, b=2.0) == add(b=2.0, a=1.0) == 3.0
    assert add(*[1.0], **dict.fromkeys(["b"], 2.0)) == 3.0


@pytest.mark.parametrize(
    ("positional", "named", "words"),
    [
        ((), {}, "add() takes exactly 2 arguments (0 given)"),
        ((1,), {}, "add() takes exactly 2 arguments (1 given)"),
        ((1, 2, 3), {}, "add() takes exactly 2 arguments (3 given)"),
        ((1, 2, 3), {"a": 1}, "add() takes exactly 2 arguments (3 given)"),
        ((1,), {"a": 2}, "add() got multiple values for argument 'a'"),
        ((1,), {"c": 2}, "add() got an unexpected keyword argument 'c'"),
        ((), {"b": 2}, "add() missing required argument 'a' (pos 1)"),
        ((), {"": 2, "a": 1}, "add() got an unexpected keyword argument ''"),
    ],
)
def test_a_wrong_number_or_name_is_told(add, positional, named, words):
    for function in (add, add.builtin):
        with pytest.raises(TypeError) as told:
            function(*positional, **named)
        assert str(told.value) == words


def test_arguments_without_names_go_by_position(jit):
    jit.add(ADD)
    function = jit["nameless"]
    assert function(5, 3) == 2
    with pytest.raises(TypeError, match=r"nameless\(\) argument 2 must be int, not str"):
        function(1, "x")
    with pytest.raises(TypeError, match="unexpected keyword argument 'arg0'"):
        function(arg0=1, arg1=2)
    with pytest.raises(TypeError, match="unexpected keyword argument ''"):
        function(1, **{"": 2})
    kinds = [each.kind for each in inspect.signature(function).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_ONLY] * 2
    assert jit["none"]() == 42
    with pytest.raises(TypeError, match=r"none\(\) takes exactly 0 arguments \(1 given\)"):
        jit["none"](1)


def test_a_stub_lends_names_defaults_and_words(jit):
    def adding(left: float, right: float = 10.0) -> float:
        """Add."""

    jit.add(ADD)
    add = jit.callable("add", adding)
    assert add(1.0) == 11.0
    assert add(1.0, right=2.0) == add(right=1.0, left=2.0) == 3.0
    assert add.__doc__ == "Add."
    assert inspect.signature(add) == inspect.Signature(
        [
            inspect.Parameter("left", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=float),
            inspect.Parameter(
                "right", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=float, default=10.0
            ),
        ],
        return_annotation=float,
    )
    with pytest.raises(TypeError, match=r"^add\(\) takes at least 1 argument \(0 given\)$"):
        add()
    with pytest.raises(TypeError, match=r"^add\(\) takes at most 2 arguments \(3 given\)$"):
        add(1, 2, 3)
    with pytest.raises(TypeError, match=r"^add\(\) missing required argument 'left' \(pos 1\)$"):
        add(right=1.0)


def test_a_callable_shows_what_it_is(jit, add):
    assert add.__name__ == add.__qualname__ == "add"
    assert add.__doc__ == "add: double(double a, double b)"
    assert str(add.signature) == "double(double a, double b)"
    assert str(inspect.signature(add)) == "(a: float, b: float) -> float"
    assert isinstance(add, TypedFunction) and callable(add)
    assert add.address == jit.lookup("add")
    assert add.nogil is False and jit.callable("add", nogil=True).nogil is True
    assert "double @add(double %a" in add.ir and "fadd" in add.ir
    assert "addsd" in add.asm
    assert "TypedFunction" in type(add).__name__
    assert TypedFunction.__doc__.startswith("A native function")


def test_the_state_climbs_as_the_function_is_compiled(jit, add):
    assert (add.state, add.ready) == (FunctionState.LAZY, False)
    assert repr(add) == "<jit function add: double(double a, double b) [lazy]>"
    assert add.compile() is add
    assert (add.state, add.ready) == (FunctionState.READY, True)
    assert repr(add) == "<jit function add: double(double a, double b) [ready]>"
    assert jit.statistics().functions_compiled == 1
    assert add(1, 1) == 2
    assert jit.statistics().functions_compiled == 1


def test_a_callable_is_copied_as_itself_and_never_pickled(add):
    assert copy.copy(add) is copy.deepcopy(add) is add
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(add)


def test_nobody_makes_one_by_the_class(add):
    for kind in (TypedFunction, type(add)):
        with pytest.raises(TypeError, match="are made by"):
            kind()


def test_a_builtin_goes_through_the_same_gate(jit):
    tracker = jit.add(ADD)
    add = jit["add"]
    builtin = add.builtin
    assert type(builtin) is type(len)
    assert builtin(1.0, b=2.0) == 3.0
    assert builtin.__name__ == "add" and builtin.__self__ is add
    assert builtin.__doc__ == "add: double(double a, double b)"
    del add
    assert builtin(1.0, 2.0) == 3.0
    tracker.remove()
    with pytest.raises(lazyjit.LazyJITError, match="removed"):
        builtin(1.0, 2.0)


def test_functions_of_one_signature_share_a_wrapper(jit):
    jit.add("\n".join(f"define i32 @f{n}(i32 %x) {{ ret i32 {n} }}" for n in range(20)))
    linked = jit.statistics().objects_linked
    jit.compile()
    compiled = jit.statistics().objects_linked - linked
    assert [jit[f"f{n}"](0) for n in range(20)] == list(range(20))
    assert jit.statistics().objects_linked - linked - compiled == 1


def test_what_can_not_be_called_is_refused(jit):
    jit.add(ADD)
    with pytest.raises(UsageError, match="data is data"):
        _ = jit["data"]
    with pytest.raises(lazyjit.LazyJITError, match="nowhere"):
        _ = jit["nowhere"]
    with pytest.raises(TypeError, match="is a str"):
        _ = jit[0]
    with pytest.raises(UsageError, match="which is not int32"):
        jit.callable("add", "int32(double, double)")
    with pytest.raises(UsageError, match="a signature is a str"):
        jit.callable("add", 3)
    jit.define("abs", ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p).value)
    with pytest.raises(UsageError, match="give a signature"):
        _ = jit["abs"]
    assert jit.callable("abs", "int(int)")(-5) == 5


def test_functions_of_the_process_take_a_signature(jit):
    assert jit.callable("hypot", "double(double, double)")(3, 4) == 5
    assert jit.callable("strlen", "size_t(char*)")("déjà") == 6


def test_variadic_functions_are_called_as_c_calls_them(jit):
    out = ctypes.create_string_buffer(40)
    format_both = jit.callable("snprintf", "int(ptr, size_t, char*, ..., double, int)")
    assert format_both(out, 40, "%.2f %d", 1.5, 7) == 6
    assert out.value == b"1.50 7"
