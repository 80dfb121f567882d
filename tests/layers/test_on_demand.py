"""What IR has to offer, one entity at a time, compiled when it is called."""

from __future__ import annotations

import ctypes
import threading

import pytest

from lazyjit import JIT
from lazyjit.errors import FailedToMaterialize
from lazyjit.link.runtime import thread_local_address

INT = ctypes.c_int32


def body(expression: str) -> str:
    return f"{{\n  {expression}\n}}\n"


def constant(name: str, value: int, how: str = "") -> str:
    return f"define {how} i32 @{name}() " + body(f"ret i32 {value}")


def caller(name: str, callee: str) -> str:
    return f"define i32 @{name}() " + body(f"%r = call i32 @{callee}()\n  ret i32 %r")


@pytest.fixture(params=["function", "cluster", "module"])
def jits(request):
    """A JIT of each unit policy."""
    with JIT(compile_threads=2, unit_policy=request.param, opt_level=1) as jit:
        yield jit
        jit.session.verify_session()


# Which definition counts


@pytest.mark.parametrize("linkage", ["weak", "weak_odr", "linkonce", "linkonce_odr"])
def test_the_first_of_two_weak_definitions_serves_both_modules(jits, linkage):
    # linkonce_odr may be inlined, and its definitions are alike by the linkage's promise.
    values = (5, 5) if linkage.endswith("odr") else (5, 6)
    for number, value in enumerate(values):
        jits.add(
            constant("shared", value, f"{linkage} noinline".replace(" noinline", ""))
            + caller(f"use{number}", "shared")
            + f"define ptr @where{number}() "
            + body("ret ptr @shared")
        )
    assert [jits.function(f"use{number}", INT)() for number in (0, 1)] == [5, 5]
    where = [jits.function(f"where{number}", ctypes.c_void_p)() for number in (0, 1)]
    assert where == [jits.lookup("shared")] * 2


def test_a_strong_definition_takes_a_weak_ones_place_before_it_is_used(jits):
    jits.add(constant("shared", 5, "weak") + caller("use", "shared"))
    jits.add(constant("shared", 7))
    assert jits.function("use", INT)() == 7
    assert jits.function("shared", INT)() == 7


def test_a_weak_definition_steps_back_behind_a_strong_one(jits):
    jits.add(constant("shared", 7))
    jits.add(constant("shared", 5, "weak") + caller("use", "shared"))
    assert jits.function("use", INT)() == 7


def test_locals_of_one_name_in_two_modules_are_two(jits):
    for number in (1, 2):
        jits.add(constant("same", number, "internal") + caller(f"use{number}", "same"))
    assert [jits.function(f"use{number}", INT)() for number in (1, 2)] == [1, 2]


def test_common_symbols_of_two_modules_are_one(jits):
    for number in (1, 2):
        jits.add(
            f"@counter = common global i32 0\ndefine i32 @bump{number}() "
            + body(
                "%a = load i32, ptr @counter\n  %b = add i32 %a, 1\n"
                "  store i32 %b, ptr @counter\n  ret i32 %b"
            )
        )
    assert [jits.function(f"bump{number}", INT)() for number in (1, 2, 1)] == [1, 2, 3]


def test_a_comdat_group_stays_together(jits):
    text = (
        "$group = comdat any\n@data = linkonce_odr global i32 11, comdat($group)\n"
        "define linkonce_odr i32 @group() comdat " + body("%r = load i32, ptr @data\n  ret i32 %r")
    )
    jits.add(text + caller("use1", "group"))
    jits.add(text + caller("use2", "group"))
    assert [jits.function(f"use{number}", INT)() for number in (1, 2)] == [11, 11]


def test_an_alias_is_another_name_for_the_same_address(jits):
    jits.add(
        constant("real", 9) + "@other = alias i32 (), ptr @real\n"
        "@value = global i32 3\n@name = alias i32, ptr @value\n" + caller("use", "other")
    )
    assert jits.function("use", INT)() == 9
    assert jits.function("other", INT)() == 9
    assert jits.lookup("other") == jits.lookup("real")
    assert jits.lookup("name") == jits.lookup("value")


def test_an_ifunc_is_what_its_resolver_chose(jits):
    jits.add(
        constant("slow", 1) + constant("fast", 2) + "@which = ifunc i32 (), ptr @resolve\n"
        "define internal ptr @resolve() " + body("ret ptr @fast") + caller("use", "which")
    )
    assert jits.function("use", INT)() == 2
    assert jits.function("which", INT)() == 2


def test_an_ifunc_whose_resolver_fails_raises(jits):
    jits.add(
        "@which = ifunc i32 (), ptr @resolve\ndeclare void @missing_choice()\n"
        "define internal ptr @resolve() "
        + body("call void @missing_choice()\n  ret ptr null")
        + caller("use", "which")
    )
    with pytest.raises(FailedToMaterialize, match="missing_choice"):
        jits.function("use", INT)()


def test_extern_weak_data_is_null_when_nobody_has_it(jits):
    jits.add(
        "@maybe = extern_weak global i32\ndefine i1 @has() "
        + body("%r = icmp ne ptr @maybe, null\n  ret i1 %r")
    )
    assert jits.function("has", ctypes.c_bool)() is False


def test_available_externally_is_not_a_definition(jits):
    jits.add(
        "define available_externally i32 @elsewhere() "
        + body("ret i32 4")
        + caller("use", "elsewhere")
    )
    jits.add(constant("elsewhere", 4))
    assert jits.function("use", INT)() == 4


# Bodies


def test_computed_gotos_work(jits):
    jits.add(
        """
@table = internal constant [2 x ptr] [ptr blockaddress(@jump, %one), ptr blockaddress(@jump, %two)]
define i32 @jump(i32 %which) {
  %slot = getelementptr [2 x ptr], ptr @table, i32 0, i32 %which
  %target = load ptr, ptr %slot
  indirectbr ptr %target, [label %one, label %two]
one:
  ret i32 1
two:
  ret i32 2
}
"""
        + "define i32 @use(i32 %x) "
        + body("%r = call i32 @jump(i32 %x)\n  ret i32 %r")
    )
    assert [jits.function("use", INT, INT)(x) for x in (0, 1)] == [1, 2]


def test_a_million_tail_calls_need_no_stack(jits):
    half = """
define tailcc i32 @{0}(i32 %n) {{
  %end = icmp eq i32 %n, 0
  br i1 %end, label %a, label %b
a:
  ret i32 {2}
b:
  %m = sub i32 %n, 1
  %r = musttail call tailcc i32 @{1}(i32 %m)
  ret i32 %r
}}
"""
    jits.add(
        half.format("even", "odd", 1)
        + half.format("odd", "even", 0)
        + "define i32 @use(i32 %n) "
        + body("%r = call tailcc i32 @even(i32 %n)\n  ret i32 %r")
    )
    use = jits.function("use", INT, INT)
    assert (use(1_000_000), use(999_999)) == (1, 0)


def test_varargs_arrive(jits):
    jits.add("""
declare void @llvm.va_start(ptr)
declare void @llvm.va_end(ptr)
define double @second(i32 %n, ...) {
  %list = alloca [24 x i8], align 8
  call void @llvm.va_start(ptr %list)
  %a = va_arg ptr %list, i32
  %b = va_arg ptr %list, double
  call void @llvm.va_end(ptr %list)
  ret double %b
}
define double @use() {
  %r = call double (i32, ...) @second(i32 2, i32 1, double 2.5)
  ret double %r
}
""")
    assert jits.function("use", ctypes.c_double)() == 2.5


def test_first_calls_keep_every_argument_of_every_kind(jits):
    types = [INT] * 9 + [ctypes.c_double] * 10
    names = [f"%i{n}" for n in range(9)] + [f"%d{n}" for n in range(10)]
    kinds = ["i32"] * 9 + ["double"] * 10
    arguments = ", ".join(f"{kind} {name}" for kind, name in zip(kinds, names, strict=True))
    jits.add(
        f"define double @weigh({arguments}) {{\n  %s0 = fadd double 0.0, 0.0\n"
        + "".join(f"  %f{n} = sitofp i32 %i{n} to double\n" for n in range(9))
        + "".join(
            f"  %m{n} = fmul double {n + 1}.0, {name}\n  %s{n + 1} = fadd double %s{n}, %m{n}\n"
            for n, name in enumerate([f"%f{n}" for n in range(9)] + [f"%d{n}" for n in range(10)])
        )
        + "  ret double %s19\n}\n"
    )
    values = [n + 1 for n in range(19)]
    weigh = jits.function("weigh", ctypes.c_double, *types)
    assert weigh(*values) == sum(n * n for n in values) == weigh(*values)


def test_large_structures_come_back_through_memory(jits):
    class Three(ctypes.Structure):
        _fields_ = [(name, ctypes.c_int64) for name in "abc"]

    jits.add(
        "define void @three(ptr sret({i64, i64, i64}) %out, i64 %x) "
        + body(
            "store i64 %x, ptr %out\n  %c = getelementptr {i64, i64, i64}, ptr %out, i32 0,"
            " i32 2\n  store i64 7, ptr %c\n  ret void"
        )
    )
    three = jits.function("three", Three, ctypes.c_int64)(5)
    assert (three.a, three.c) == (5, 7)


def test_module_assembly_defines_functions_and_sees_the_modules(jits):
    jits.add(
        """
module asm ".text"
module asm ".globl from_asm"
module asm "from_asm:"
module asm "  movl $42, %eax"
module asm "  ret"
declare i32 @from_asm()
"""
        + caller("use", "from_asm")
    )
    assert jits.function("use", INT)() == 42
    assert jits.function("from_asm", INT)() == 42


def test_quoted_and_numbered_names_are_names(jits):
    jits.add(
        'define i32 @"odd name!"() ' + body("ret i32 1") + "@0 = internal global i32 2\n"
        "define i32 @use() "
        + body(
            '%a = call i32 @"odd name!"()\n  %b = load i32, ptr @0\n'
            "  %r = add i32 %a, %b\n  ret i32 %r"
        )
    )
    assert jits.function("use", INT)() == 3
    assert jits.function("odd name!", INT)() == 1


def test_a_linker_name_is_taken_as_it_is_written(jits):
    jits.add('define i32 @"\\01plain"() ' + body("ret i32 8") + caller("use", '"\\01plain"'))
    assert jits.function("use", INT)() == 8
    assert jits.function("plain", INT)() == 8


# Threads


def test_each_thread_has_its_own_thread_local(jits):
    jits.add(
        "@mine = thread_local global i32 100\n"
        "@hidden = internal thread_local(initialexec) global i32 0\n"
        "define i32 @bump() "
        + body(
            "%a = load i32, ptr @mine\n  %b = add i32 %a, 1\n  store i32 %b, ptr @mine\n"
            "  %c = load i32, ptr @hidden\n  %d = add i32 %c, 1000\n"
            "  store i32 %d, ptr @hidden\n  %r = add i32 %b, %d\n  ret i32 %r"
        )
    )
    jits.add(
        "@mine = external thread_local global i32\n"
        "define i32 @peek() " + body("%a = load i32, ptr @mine\n  ret i32 %a")
    )
    bump, peek = jits.function("bump", INT), jits.function("peek", INT)
    results: list[tuple[list[int], int, int]] = []
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        own = [bump() for _ in range(3)]
        at = thread_local_address(jits.lookup("mine"))
        results.append((own, peek(), ctypes.c_int32.from_address(at).value))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [([1101, 2102, 3103], 103, 103)] * 4
    assert peek() == 100


def test_threads_that_call_first_at_the_same_moment_compile_once():
    with JIT(compile_threads=2, unit_policy="function", opt_level=0, speculate=False) as jit:
        count = 20
        jit.add("".join(constant(f"f{n}", n) for n in range(count)))
        functions = [jit.function(f"f{n}", INT) for n in range(count)]
        together = threading.Barrier(8)
        wrong: list[int] = []

        def run() -> None:
            together.wait()
            wrong.extend(n for n, function in enumerate(functions) if function() != n)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert jit.statistics().functions_compiled == count


def test_a_thread_with_a_small_stack_can_make_a_first_call(jits):
    jits.add(constant("small", 64))
    function = jits.function("small", INT)
    found: list[int] = []
    before = threading.stack_size(128 << 10)
    try:
        thread = threading.Thread(target=lambda: found.append(function()))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert found == [64]


# Addresses


def test_function_pointers_compare_equal_across_modules_and_time(jits):
    jits.add(
        constant("f", 1)
        + "define ptr @here() "
        + body("ret ptr @f")
        + "@stored = constant ptr @f\n"
    )
    jits.add(
        "declare i32 @f()\n@stored2 = global [2 x ptr] [ptr null, ptr @f]\n"
        "define i1 @same(ptr %p) " + body("%r = icmp eq ptr %p, @f\n  ret i1 %r")
    )
    address = jits.lookup("f")
    assert jits.function("same", ctypes.c_bool, ctypes.c_void_p)(address) is True
    assert jits.function("f", INT)() == 1
    assert jits.function("same", ctypes.c_bool, ctypes.c_void_p)(address) is True
    assert jits.function("here", ctypes.c_void_p)() == address
    assert ctypes.c_void_p.from_address(jits.lookup("stored")).value == address
    assert ctypes.c_void_p.from_address(jits.lookup("stored2") + 8).value == address


def test_code_is_never_writable_and_executable(jits):
    jits.add(constant("f", 1))
    jits.function("f", INT)()
    with open("/proc/self/maps") as maps:  # noqa: PTH123  # not a file to read as a Path
        arena = [line for line in maps if "lazyjit" in line]
    assert arena
    assert not [line for line in arena if "w" in line.split()[1] and "x" in line.split()[1]]


@pytest.mark.parametrize("model", ["small", "large"])
@pytest.mark.parametrize("relocation", ["pic", "static"])
def test_every_code_and_relocation_model_links(model, relocation):
    with JIT(compile_threads=1, code_model=model, relocation_model=relocation) as jit:
        jit.add(
            "declare i32 @abs(i32)\n@g = global i32 -3\ndefine i32 @f() "
            + body("%a = load i32, ptr @g\n  %r = call i32 @abs(i32 %a)\n  ret i32 %r")
            + caller("use", "f")
        )
        assert jit.function("use", INT)() == 3


def test_what_a_neighbour_lacks_fails_the_neighbour_alone():
    source = """
declare i32 @nowhere(i32)
define internal i32 @rare(i32 %n) {
  %r = call i32 @nowhere(i32 %n)
  ret i32 %r
}
define i32 @usual(i32 %n) {
  %zero = icmp eq i32 %n, 0
  br i1 %zero, label %odd, label %even
odd:
  %r = call i32 @rare(i32 %n)
  ret i32 %r
even:
  ret i32 %n
}
"""
    for opt_level in (0, 2):
        with JIT(compile_threads=1, opt_level=opt_level, unit_policy="cluster") as jit:
            jit.add(source)
            usual = jit.function("usual", ctypes.c_int, ctypes.c_int)
            assert usual(5) == 5
            with pytest.raises(FailedToMaterialize, match="nowhere"):
                usual(0)
            assert usual(6) == 6


def test_what_is_asked_for_as_a_whole_shares_units():
    source = "\n".join(f"define i32 @f{i}() {{ ret i32 {i} }}" for i in range(40))
    with JIT(compile_threads=1, opt_level=0) as jit:
        jit.add(source + "\ndefine i32 @alone() { ret i32 -1 }")
        assert jit.function("alone", INT)() == -1
        assert jit.statistics().functions_compiled == 1, "nobody calls the others"
        jit.compile()
        counted = jit.statistics()
        assert (counted.functions_compiled, counted.units) == (41, 4)
        assert [jit.function(f"f{i}", INT)() for i in range(40)] == list(range(40))
        assert jit.statistics().first_calls == 1
