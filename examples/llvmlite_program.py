"""A program written for llvmlite's MCJIT, with its import changed.

    python examples/llvmlite_program.py

Prints what it would print with `import llvmlite.binding as llvm`.
"""

import ctypes

from llvmlite import ir

import lazyjit.llvmlite_compat as llvm

module = ir.Module(name="polynomial")
double = ir.DoubleType()
function = ir.Function(module, ir.FunctionType(double, [double, double]), name="horner")
builder = ir.IRBuilder(function.append_basic_block())
x, a = function.args
builder.ret(builder.fadd(builder.fmul(builder.fadd(builder.fmul(a, x), a), x), a))

target_machine = llvm.Target.from_default_triple().create_target_machine(opt=3)
with llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), target_machine) as engine:
    engine.finalize_object()
    address = engine.get_function_address("horner")
    horner = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)(address)
    print("a x^2 + a x + a with x = 2, a = 3:", horner(2.0, 3.0))
