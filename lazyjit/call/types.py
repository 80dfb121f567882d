"""The types of a signature: what Python gives or gets, and what C sees of it.

    Scalar      int8 .. uint64, float, double, bool, complex64, complex128: a number
    Pointer     ptr, double*, char*: an address
    Array       double[:], const int32[:, 3]: memory that somebody lends
    Structure   {double, int32}: fields by value
    Block       double[3]: values in a row, as a result
    Out         out double: the callee writes it, Python gets it among the results
    VOID        no result

Each type prints as the signature language spells it (`lazyjit.call.signature` reads that). Types
are immutable, and equal when they spell the same.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from lazyjit.records import Record

__all__ = [
    "SCALARS",
    "VOID",
    "Argument",
    "Array",
    "Block",
    "Out",
    "Pointer",
    "Scalar",
    "Structure",
    "Type",
    "Void",
]


class Void(Record):
    """No result."""

    def __str__(self) -> str:
        return "void"


VOID: Final = Void()


class Scalar(Record):
    """A number. `kind` is 'i' signed, 'u' unsigned, 'f' floating-point, 'b' bool, 'c' complex.

    `first_class` is a complex number's: see `Structure`.
    """

    name: str
    kind: Literal["i", "u", "f", "b", "c"]
    #: In bytes.
    size: int
    first_class: bool = False

    @property
    def alignment(self) -> int:
        """In bytes."""
        return self.size // 2 if self.kind == "c" else self.size

    @property
    def memory(self) -> str:
        """The IR type that it has in memory."""
        if self.kind == "c":
            part = "float" if self.size == 8 else "double"
            return f"{{ {part}, {part} }}"
        if self.kind == "f":
            return "float" if self.size == 4 else "double"
        return f"i{8 * self.size}"

    @property
    def dtype(self) -> str:
        """As NumPy spells it."""
        return f"{self.kind}{self.size}"

    def __str__(self) -> str:
        return self.name


_NUMBERS = (
    *(Scalar(f"int{8 * size}", "i", size) for size in (1, 2, 4, 8)),
    *(Scalar(f"uint{8 * size}", "u", size) for size in (1, 2, 4, 8)),
    Scalar("float", "f", 4),
    Scalar("double", "f", 8),
    Scalar("bool", "b", 1),
    Scalar("complex64", "c", 8),
    Scalar("complex128", "c", 16),
)

#: Every name of a number: ours, C's (as on this system, where long has 64 bits), NumPy's.
SCALARS: Final[dict[str, Scalar]] = {number.name: number for number in _NUMBERS}
SCALARS.update(
    {
        other: SCALARS[name]
        for name, others in {
            "int8": "signed_char int8_t byte",
            "int16": "short int16_t",
            "int32": "int int32_t",
            "int64": "long int64_t ssize_t intp ptrdiff_t intptr_t long_long",
            "uint8": "unsigned_char uint8_t char ubyte",
            "uint16": "unsigned_short uint16_t ushort",
            "uint32": "unsigned_int unsigned uint32_t uint",
            "uint64": "unsigned_long uint64_t size_t uintp uintptr_t ulong unsigned_long_long",
            "float": "float32 single",
            "double": "float64",
            "bool": "_Bool bool_",
            "complex64": "float_complex",
            "complex128": "double_complex complex",
        }.items()
        for other in others.split()
    }
)


class Pointer(Record, apart=("cls",)):
    """An address. Takes None, an int, a ctypes or cffi pointer, a callable of ours; gives int or
    None. `char*` takes bytes and str, and gives bytes."""

    #: What it points to; None: anything.
    target: Scalar | Structure | None = None
    #: `char*`: a string that ends in a NUL.
    text: bool = False
    #: The ctypes or cffi class that it came from; told apart by nobody but Python.
    cls: Any = None

    def __str__(self) -> str:
        return "char*" if self.text else "ptr" if self.target is None else f"{self.target}*"


class Array(Record):
    """Memory that an object with the buffer protocol or `__array_interface__` lends to the call.

    The callee gets a pointer to the first element, then, where asked for, the extents and the
    strides as int64, strides in bytes.
    """

    element: Scalar
    #: Extents; None: any.
    shape: tuple[int | None, ...]
    #: The callee only reads: a read-only array will do.
    const: bool = False
    #: 'C' or 'F': contiguous in this order; 'A': any layout.
    order: Literal["C", "F", "A"] = "C"
    passes_shape: bool = False
    passes_strides: bool = False
    #: None is a null pointer.
    optional: bool = False

    def __str__(self) -> str:
        extents = ", ".join(":" if extent is None else str(extent) for extent in self.shape)
        words = ["const "] if self.const else []
        words.append(f"{self.element}[{extents}]")
        words.append("?" if self.optional else "")
        if self.order == "F":
            words.append(" fortran")
        elif self.order == "A" and not self.passes_strides:
            words.append(" any")
        words.append(" shape" if self.passes_shape else "")
        words.append(" strides" if self.passes_strides else "")
        return "".join(words)


class Structure(Record, apart=("cls",)):
    """Fields by value. Takes and gives tuples, or instances of `cls`, a ctypes Structure.

    `first_class` says how the callee has it: as C does by the ABI, or as a value of IR, whose
    elements travel as if they were values of their own.
    """

    fields: tuple[Scalar | Pointer | Structure, ...]
    first_class: bool = False
    cls: Any = None

    def __str__(self) -> str:
        return "{" + ", ".join(map(str, self.fields)) + "}"


class Block(Record):
    """`count` numbers in a row, as a result: Python gets a NumPy array."""

    element: Scalar
    count: int

    def __str__(self) -> str:
        return f"{self.element}[{self.count}]"


class Out(Record):
    """The callee gets a pointer to memory for `target`; Python gets what it wrote there."""

    target: Scalar | Pointer | Structure | Block

    def __str__(self) -> str:
        return f"out {self.target}"


Type = Void | Scalar | Pointer | Array | Structure | Block | Out


class Argument(Record):
    """An argument: its type, and its name if it has one ("" if not)."""

    type: Type
    name: str = ""

    def __str__(self) -> str:
        return f"{self.type} {self.name}".rstrip()


def size_and_alignment(kind: Scalar | Pointer | Structure | Block) -> tuple[int, int]:
    """In bytes, as C lays it out."""
    if isinstance(kind, Scalar):
        return kind.size, kind.alignment
    if isinstance(kind, Pointer):
        return 8, 8
    if isinstance(kind, Block):
        return kind.element.size * kind.count, kind.element.alignment
    size, most = 0, 1
    for each in kind.fields:
        part, alignment = size_and_alignment(each)
        size = -(-size // alignment) * alignment + part
        most = max(most, alignment)
    return -(-size // most) * most, most


def memory_type(kind: Scalar | Pointer | Structure | Block) -> str:
    """The IR type that it has in memory."""
    if isinstance(kind, Scalar):
        return kind.memory
    if isinstance(kind, Pointer):
        return "ptr"
    if isinstance(kind, Block):
        return f"[{kind.count} x {kind.element.memory}]"
    return "{ " + ", ".join(map(memory_type, kind.fields)) + " }"


def leaves(
    kind: Scalar | Pointer | Structure, offset: int = 0
) -> list[tuple[int, Scalar | Pointer]]:
    """The numbers and pointers within, each with its offset in bytes."""
    if not isinstance(kind, Structure):
        return [(offset, kind)]
    found: list[tuple[int, Scalar | Pointer]] = []
    at = 0
    for each in kind.fields:
        size, alignment = size_and_alignment(each)
        at = -(-at // alignment) * alignment
        found += leaves(each, offset + at)
        at += size
    return found
