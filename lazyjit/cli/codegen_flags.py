"""The flags that LLVM's code generators register in every tool, lli among them.

lli hands exactly five of them to its ORC kinds (-mcpu, -mattr, -march, -relocation-model and
-code-model, which are in `table.py`); the rest reach only `-jit-kind=mcjit`, or nothing at all. A
script that gives them to lli therefore gets by without them, and so it does here. The few that
change what a program does under MCJIT are refused together with that kind.

Flags that end in `=` need a value.
"""

from __future__ import annotations

from lazyjit.cli.options import Arity, Fate, Option

__all__ = ["GROUP", "INERT", "MCJIT_ONLY", "OPTIONS", "spelled"]

GROUP = "The code generator's flags, accepted"

#: (why it makes no difference, the flags)
INERT: tuple[tuple[str, str], ...] = (
    (
        "shapes object or assembly files, of which only lazyjit's own linker sees any",
        """
        addrsig align-loops= as-secure-log-file= asm-show-inst basic-block-address-map
        basic-block-sections= call-graph-section crel data-sections emit-call-site-info
        emit-compact-unwind-non-canonical emit-dwarf-unwind= enable-tlsdesc filetype=
        force-dwarf-frame-section function-sections gsframe implicit-mapsyms
        incremental-linker-compatible large-data-threshold= mc-relax-all no-integrated-as
        nozero-initialized-in-bss partition-static-data-sections save-temp-labels
        separate-named-sections split-machine-functions stack-size-section tls-size=
        unique-basic-block-section-names unique-section-names use-ctors x86-relax-relocations
        x86-sse2avx xray-function-index
        """,
    ),
    (
        "shapes debug information, which the program does not see",
        "debug-entry-values debugger-tune= dwarf-version= dwarf64 strict-dwarf",
    ),
    (
        "concerns the assembler's warnings",
        """
        W fatal-warnings merror-missing-parenthesis merror-noncontigious-register
        mwarn-missing-parenthesis mwarn-noncontigious-register mwarn-sign-mismatch
        no-deprecated-warn no-type-check no-warn
        """,
    ),
    (
        "allows an optimization, or sets an attribute, in tools that look at it; lli does not",
        """
        denormal-fp-math= denormal-fp-math-f32= disable-tail-calls enable-no-infs-fp-math
        enable-no-nans-fp-math enable-no-signed-zeros-fp-math enable-no-trapping-fp-math
        enable-sign-dependent-rounding-fp-math frame-pointer= stack-symbol-ordering stackrealign
        thread-model= trap-func= vector-library=
        """,
    ),
    (
        "concerns another processor or system",
        """
        arm-add-build-attributes arm-implicit-it= fdpic hexagon-add-build-attributes
        ignore-xcoff-visibility lto-aix-system-assembler= m68k-register-prefix-optional
        m68k-ssection-threshold= m68k-use-base-pointer meabi= mxcoff-roptr
        riscv-add-build-attributes swift-async-fp= target-abi= vec-extabi xcoff-traceback-table
        """,
    ),
    (
        "belongs to link-time optimization, profiling or another tool; lli never gets there",
        """
        cs-profile-generate cs-profile-path= ctx-prof-include-empty dump-thin-cg-sccs
        enable-lto-internalization extbinary-write-vtable-type-prof lto-discard-value-names
        lto-embed-bitcode= lto-keep-symbol-copies lto-pass-remarks-filter=
        lto-pass-remarks-format= lto-pass-remarks-hotness-threshold= lto-pass-remarks-output=
        lto-pass-remarks-with-hotness lto-stats-file= regalloc-cheap-remat-weight=
        regalloc-copy-weight= regalloc-expensive-remat-weight= regalloc-load-weight=
        regalloc-store-weight= thinlto-assume-merged threads= use-undef
        """,
    ),
)

#: flag -> why it is refused with -jit-kind=mcjit; lli's ORC kinds ignore each.
MCJIT_ONLY: dict[str, str] = {
    "enable-jmc-instrument": "lazyjit does not instrument code for a debugger",
    "exception-model=": "lazyjit unwinds by DWARF tables only",
    "float-abi=": "x86-64 has one floating-point ABI",
    "fp-contract=": "lazyjit fuses floating-point operations only where the IR says so",
    "tailcallopt": "lazyjit does not change the ABI of fastcc functions",
}


def spelled(flag: str) -> str:
    """A flag of the lists above as one writes it."""
    return f"{'-' if len(flag) == 1 else '--'}{flag.removesuffix('=')}"


def _option(flag: str, text: str, mcjit: str = "") -> Option:
    arity = Arity.VALUE if flag.endswith("=") else Arity.FLAG
    names = (flag.removesuffix("="),)
    return Option(names, arity, Fate.ACCEPT, text, group=GROUP, hidden=True, mcjit=mcjit)


OPTIONS: tuple[Option, ...] = (
    *(_option(flag, text) for text, flags in INERT for flag in flags.split()),
    *(_option(flag, "only lli's MCJIT kind reads it", mcjit) for flag, mcjit in MCJIT_ONLY.items()),
)
