"""The peer: llvmlite's two JITs, `mcjit` and `lljit`, each as its documentation uses it.

    python llvmlite_peer.py --kind mcjit|lljit [--codegen-level 0..3] --times FILE
           INPUT [argument ...]

Both are eager and neither runs an optimization pipeline unless asked. llvmlite's LLJIT takes IR as
text only, so bitcode is parsed and printed first, which is part of its cost. The report is the one
that llvm_peer.cpp describes; importing llvmlite is process start and left out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm


def parse(source: Path) -> Any:
    if source.suffix == ".bc":
        return llvm.parse_bitcode(source.read_bytes())
    return llvm.parse_assembly(source.read_text())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=["mcjit", "lljit"], required=True)
    parser.add_argument("--codegen-level", type=int, default=2)
    parser.add_argument("--times", type=Path, required=True)
    parser.add_argument("input", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    start = time.clock_gettime(time.CLOCK_MONOTONIC)
    report: dict[str, Any] = {"start": start}

    def mark(step: str) -> None:
        report[step] = time.clock_gettime(time.CLOCK_MONOTONIC) - start

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=options.codegen_level,
        jit=True,
    )
    keep: list[Any] = [machine]
    if options.kind == "mcjit":
        module = parse(options.input)
        mark("parsed")
        engine = llvm.create_mcjit_compiler(module, machine)
        mark("added")
        engine.finalize_object()
        engine.run_static_constructors()
        mark("initialized")
        address = engine.get_function_address("main")
        keep += [engine, module]
    else:
        jit = llvm.create_lljit_compiler(machine)
        mark("created")
        builder = llvm.JITLibraryBuilder().add_current_process().export_symbol("main")
        text = options.input
        builder.add_ir(str(parse(text)) if text.suffix == ".bc" else text.read_text())
        mark("added")
        library = builder.link(jit, "program")
        mark("initialized")
        address = library["main"]
        keep += [jit, library]
    mark("found")

    words = [os.fsencode(word) for word in (str(options.input), *options.arguments)]
    argv = (ctypes.c_char_p * (len(words) + 1))(*words, None)
    entry = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)(address)
    report["exit_code"] = entry(len(words), ctypes.addressof(argv))
    mark("returned")
    report["max_rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    ctypes.CDLL(None).fflush(None)
    options.times.write_text(json.dumps(report))
    # The program is over; how long Python and LLVM take to clean up is nobody's question here.
    os._exit(report["exit_code"])


if __name__ == "__main__":
    main()
