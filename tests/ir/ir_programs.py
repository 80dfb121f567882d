"""Real programs for the IR tests: small C and C++ sources, compiled by whatever clang is found.

`carve_everything` is the heart of most tests here: it splits a module into units and has LLVM check
each of them.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest

from lazyjit.ir import CarvedUnit, ModuleIndex, carve, seed

INPUTS = sorted(Path(__file__).with_name("inputs").glob("*.ll"))

C_PROGRAM = r"""
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node { int value; struct node *next; double weights[4]; };
enum op { PUSH, ADD, MUL, DUP, JUMP, HALT };
typedef int (*binary)(int, int);

static int calls;
int shared = 7;
int tentative[16];
const int table[4] = {1, 2, 3, 5};
static _Thread_local int per_thread = 3;
extern char **environ;
extern int maybe(void) __attribute__((weak));

static int add(int a, int b) { calls++; return a + b; }
static int mul(int a, int b) { return a * b; }
static const binary operations[] = {add, mul};
static const char *const names[] = {"push", "add {", "mul }", "dup \"@x\"", "jump;", "halt"};

int interpret(const int *code) {
    static const void *const labels[] = {&&push, &&add, &&mul, &&dup, &&jump, &&halt};
    int stack[16], top = 0, at = 0;
    goto *labels[code[at]];
push: stack[top++] = code[at + 1]; at += 2; goto *labels[code[at]];
add:  top--; stack[top - 1] = operations[0](stack[top - 1], stack[top]); at++;
    goto *labels[code[at]];
mul:  top--; stack[top - 1] = operations[1](stack[top - 1], stack[top]); at++;
    goto *labels[code[at]];
dup:  stack[top] = stack[top - 1]; top++; at++; goto *labels[code[at]];
jump: at = code[at + 1]; goto *labels[code[at]];
halt: return stack[top - 1];
}

static int sum(int n, ...) {
    va_list list;
    int total = 0;
    va_start(list, n);
    while (n--) total += va_arg(list, int);
    va_end(list);
    return total;
}

struct node *push_node(struct node *list, int value) {
    struct node *made = calloc(1, sizeof *made);
    made->value = value;
    made->next = list;
    made->weights[value & 3] = value / 2.0;
    return made;
}

__attribute__((weak)) int overridable(int x) { return x + table[x & 3]; }
int aliased(int x) __attribute__((alias("overridable")));
static int helper(int x) { return x > 0 ? helper(x - 1) + shared : per_thread; }
__attribute__((constructor)) static void start(void) { calls = 100; }
__attribute__((destructor(200))) static void stop(void) { puts("stopped"); }
__asm__(".globl from_asm\nfrom_asm:\n  mov $42, %eax\n  ret\nlocal_asm: mov $1, %eax\n ret\n");
int from_asm(void);
int local_asm(void);

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(int argc, char **argv) {
    int code[] = {PUSH, 6, DUP, MUL, PUSH, 3, ADD, HALT};
    int values[] = {5, 3, 9, 1};
    struct node *list = 0;
    qsort(values, 4, sizeof *values, compare);
    for (int i = 0; i < 4; i++) list = push_node(list, values[i]);
    printf("%d %d %d\n", interpret(code), sum(3, 1, 2, 3), helper(4));
    printf("%d %d %d %d\n", aliased(2), from_asm() + local_asm(), maybe ? maybe() : -1, calls);
    tentative[3] = list->value;
    printf("%s %d %d %g\n", names[tentative[3] % 6], list->next->value, tentative[3],
           list->weights[1]);
    return environ == 0;
}
"""

CXX_PROGRAM = r"""
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct Shape { virtual ~Shape(); virtual double area() const = 0; };
Shape::~Shape() {}
struct Square : Shape {
    double side;
    explicit Square(double s) : side(s) { if (s < 0) throw std::runtime_error("negative {side}"); }
    double area() const override { return side * side; }
};
struct Noisy {
    const char *name;
    explicit Noisy(const char *n) : name(n) {}
    ~Noisy() { std::cout << name << '\n'; }
};
static Noisy last("last");
Noisy first("first");
thread_local int per_thread = 5;
static thread_local std::string text = "abc";
inline int &once() { static int value = static_cast<int>(text.size()); return value; }
template <class T> T largest(const std::vector<T> &v) {
    T m = v[0];
    for (auto &x : v) if (m < x) m = x;
    return m;
}
namespace { int hidden(int x) { return x ? hidden(x - 1) + 1 : 0; } }

int main() {
    std::map<std::string, std::function<int(int)>> table;
    table["add"] = [](int x) { return x + once(); };
    table["hidden"] = hidden;
    int sum = 0;
    for (auto &[name, f] : table) sum += f(4);
    std::vector<std::unique_ptr<Shape>> shapes;
    try { for (int i = 3; i > -2; i--) shapes.emplace_back(new Square(i)); }
    catch (const std::exception &e) { std::cout << e.what() << ' ' << text << '\n'; }
    double total = 0;
    for (auto &s : shapes) total += s->area();
    per_thread += sum;
    std::cout << sum << ' ' << total << ' ' << per_thread << ' '
              << largest(std::vector<int>{1, 9, 2}) << std::endl;
}
"""

PROGRAMS = {"c": C_PROGRAM, "c++": CXX_PROGRAM}


@functools.cache
def clang() -> str:
    """The clang to compile with; skips the test when there is none."""
    for version in ("-22", "-21", "-20", "-19", "-18", ""):
        if found := shutil.which(f"clang{version}"):
            return found
    pytest.skip("no clang found")


@functools.cache
def compiled(language: str, *options: str) -> bytes:
    """A program's IR text."""
    command = [clang(), "-x", language, "-S", "-emit-llvm", "-o", "-", *options, "-"]
    if language == "c++":
        command.insert(1, "-std=c++17")
    done = subprocess.run(command, input=PROGRAMS[language].encode(), capture_output=True)
    if done.returncode:
        pytest.skip(f"{clang()} can't compile {language} here: {done.stderr.decode()[:200]}")
    return done.stdout


@functools.cache
def native_output(language: str) -> str:
    """What the program prints when clang compiles all of it."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program"
        link(program, [], PROGRAMS[language], language)
        return run(program)


def link(program: Path, files: list[Path], source: str = "", language: str = "assembler") -> None:
    """Link objects, and a source, into a program."""
    command = [clang(), "-o", str(program), *map(str, files), "-x", language, "-"]
    done = subprocess.run([*command, "-lstdc++"], input=source.encode(), capture_output=True)
    if done.returncode:
        raise AssertionError(done.stderr.decode()[-2000:])


def run(program: Path) -> str:
    """A program's output."""
    done = subprocess.run([str(program)], capture_output=True, check=True, timeout=600)
    return done.stdout.decode()


def accept(text: bytes) -> llvm.ModuleRef:
    """The module, once LLVM has parsed and verified it in a context of its own."""
    module = llvm.parse_assembly(text.decode("utf-8", "surrogateescape"), llvm.create_context())
    module.verify()
    return module


def units(
    index: ModuleIndex, *, max_functions: int = 1, inline_budget: int = 0
) -> Iterator[CarvedUnit]:
    """Units that together define all of a module, each entity in the first that asks for it."""
    claimed = np.zeros(len(index), np.uint8)
    for entity in index.definable():
        if claimed[entity]:
            continue
        chosen = seed(index, entity, claimed, max_functions=max_functions)
        unit = carve(index, chosen, inline_budget=inline_budget)
        assert set(unit.entities) == set(chosen)
        assert unit.entities[0] == entity
        assert not claimed[unit.entities].any(), "a unit defines what another one has"
        claimed[unit.entities] = 1
        yield unit


def carve_everything(index: ModuleIndex, *, max_functions: int, inline_budget: int) -> int:
    """Carve all of a module; every unit must be LLVM's, and every name defined exactly once."""
    seen: dict[str, int] = {}
    count = 0
    for unit in units(index, max_functions=max_functions, inline_budget=inline_budget):
        count += 1
        accept(unit.text)
        for entity, name in unit.defines:
            assert name not in seen, f"{name} is defined twice"
            seen[name] = entity
    assert sorted(seen.values()) == index.definable()
    return count
