"""What code to generate: levels, CPU, relocation and code model.

Two levels, as everywhere in LLVM: `opt_level` chooses the pipeline that runs on the IR,
`codegen_level` how hard the code generator tries (0 is its fast selector and allocator). Left
alone, the second follows the first. The tuning of the pipeline follows clang: vectorizers and the
unroller run from level 2 on.
"""

from __future__ import annotations

from typing import Any

from lazyjit import errors, llvmlib
from lazyjit.records import Record, replace

__all__ = [
    "CODE_MODELS",
    "RELOCATION_MODELS",
    "CompilerOptions",
    "host_cpu",
    "host_features",
    "host_triple",
]

RELOCATION_MODELS = ("pic", "static", "dynamicnopic")
CODE_MODELS = ("small", "medium", "large", "kernel")


def host_triple() -> str:
    """This process's target triple. Any thread."""
    return llvmlib.host().triple


def host_cpu() -> str:
    """LLVM's name of this machine's CPU, as `-mcpu=` takes it. Any thread."""
    return llvmlib.host().cpu


def host_features() -> str:
    """This machine's features, `+sse2,-avx512f,...`, as `-mattr=` takes them. Any thread."""
    return llvmlib.host().features


class CompilerOptions(Record):
    """How to compile. Immutable, hashable; raises UsageError for what is out of range.

    `None` means: the host's (`triple`, `cpu`, `features`), or what goes with `opt_level` (the
    rest). With a `cpu` given, `features` defaults to none beyond that CPU's own. `verify` runs
    LLVM's verifier on each unit; without it, malformed IR is LLVM's to trip over.
    """

    opt_level: int = 2
    codegen_level: int | None = None
    triple: str | None = None
    cpu: str | None = None
    features: str | None = None
    relocation_model: str = "pic"
    code_model: str = "small"
    loop_vectorize: bool | None = None
    slp_vectorize: bool | None = None
    loop_unroll: bool | None = None
    verify: bool = True

    def __post_init__(self) -> None:
        """Check the ranges; what LLVM alone can tell is checked when a compiler is made."""
        _check_level("opt_level", self.opt_level)
        if self.codegen_level is not None:
            _check_level("codegen_level", self.codegen_level)
        _check_choice("relocation_model", self.relocation_model, RELOCATION_MODELS)
        _check_choice("code_model", self.code_model, CODE_MODELS)
        for name in ("triple", "cpu", "features"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or "\0" in value):
                raise errors.UsageError(f"{name} is a string without NUL, not {value!r}")

    def resolved(self) -> CompilerOptions:
        """The same options with every `None` filled in. Any thread."""
        host = llvmlib.host()
        heavy = self.opt_level >= 2
        default: dict[str, Any] = {
            "codegen_level": self.opt_level,
            "triple": host.triple,
            "cpu": host.cpu,
            "features": host.features if self.cpu is None else "",
            "loop_vectorize": heavy,
            "slp_vectorize": heavy,
            "loop_unroll": heavy,
        }
        return replace(
            self, **{name: value for name, value in default.items() if getattr(self, name) is None}
        )


def _check_level(name: str, level: object) -> None:
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level <= 3:
        raise errors.UsageError(f"{name} is 0, 1, 2 or 3, not {level!r}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise errors.UsageError(f"{name} is one of {', '.join(choices)}, not {value!r}")
