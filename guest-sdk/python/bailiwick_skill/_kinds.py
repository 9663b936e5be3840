"""The types that values of a skill can have, as both WIT and Python know them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Union


@dataclass(frozen=True)
class Wit:
    """The WIT type that an annotation stands for, where Python has only one for many."""

    name: str


U8 = Annotated[int, Wit("u8")]
U16 = Annotated[int, Wit("u16")]
U32 = Annotated[int, Wit("u32")]
U64 = Annotated[int, Wit("u64")]
S8 = Annotated[int, Wit("s8")]
S16 = Annotated[int, Wit("s16")]
S32 = Annotated[int, Wit("s32")]
S64 = Annotated[int, Wit("s64")]
F32 = Annotated[float, Wit("f32")]
F64 = Annotated[float, Wit("f64")]
Char = Annotated[str, Wit("char")]

# Which types of Python an annotation may refine, and the least and greatest integers.
INTEGERS = {
    f"{sign}{bits}": (-(1 << bits - 1) if sign == "s" else 0, (1 << bits - (sign == "s")) - 1)
    for sign in "su"
    for bits in (8, 16, 32, 64)
}
REFINES = {**{name: int for name in INTEGERS}, "f32": float, "f64": float, "char": str}


@dataclass(frozen=True)
class Scalar:
    """A number, a truth value, a text, or bytes."""

    wit: str


@dataclass(frozen=True)
class ListOf:
    item: Kind


@dataclass(frozen=True)
class TupleOf:
    items: tuple[Kind, ...]


@dataclass(frozen=True)
class OptionOf:
    item: Kind


@dataclass(frozen=True)
class Field:
    """A field of a record or a parameter of a function."""

    name: str
    """As Python has it."""
    wit: str
    kind: Kind
    docs: str = ""
    has_default: bool = False
    """Whether the callee has a value of its own for a field that was left out."""


@dataclass(eq=False)
class Record:
    """A dataclass."""

    name: str
    cls: type
    docs: str = ""
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """One case of a variant, an enum or flags."""

    wit: str
    value: Any
    """The class of a variant's case, the member of an enum, the text of a Literal."""
    docs: str = ""
    record: Record | None = None
    """What a variant's case carries."""


@dataclass(eq=False)
class Variant:
    """A union of dataclasses."""

    name: str
    docs: str = ""
    cases: list[Case] = field(default_factory=list)


@dataclass(eq=False)
class EnumOf:
    """An Enum, or a Literal of texts."""

    name: str
    docs: str = ""
    cases: list[Case] = field(default_factory=list)


@dataclass(eq=False)
class FlagsOf:
    """A Flag."""

    name: str
    cls: type
    docs: str = ""
    cases: list[Case] = field(default_factory=list)


Named = Union[Record, Variant, EnumOf, FlagsOf]
Kind = Union[Scalar, ListOf, TupleOf, OptionOf, Record, Variant, EnumOf, FlagsOf]


@dataclass
class Signature:
    """A function as a tool: its parameters and what it gives."""

    name: str
    """As Python has it."""
    wit: str
    function: Any
    params: list[Field]
    result: Kind | None
    docs: str = ""


def option(kind: Kind) -> OptionOf:
    """An option, and never an option of one: Python has a single None."""
    return kind if isinstance(kind, OptionOf) else OptionOf(kind)


def is_plain(cls: Any) -> bool:
    """Whether a class is a dataclass that stands for a record."""
    return isinstance(cls, type) and dataclasses.is_dataclass(cls)
