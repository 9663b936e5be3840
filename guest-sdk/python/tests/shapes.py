"""A skill with every kind of type."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from typing import Literal, NewType, Optional, Union

from bailiwick_skill import F32, U8, U32, Char

Id = NewType("Id", str)


class Color(Enum):
    """A color."""

    RED = 1
    """Warm."""
    DARK_BLUE = "navy"
    NAVY = "navy"


class Access(Flag):
    READ = auto()
    WRITE_ALL = auto()
    BOTH = READ | WRITE_ALL


@dataclass
class Point:
    """A place.

    It has two dimensions.
    """

    x: float
    """To the right."""
    y: float = 0.5


@dataclass
class Circle:
    """Round."""

    center: Point
    radius: F32


@dataclass
class Path:
    """A line.

    Attributes:
        points: In order.
    """

    points: list[Point]
    closed: Optional[bool] = None


@dataclass
class Nothing:
    """No shape at all."""


Shape = Union[Circle, Path, Nothing]


@dataclass
class Report:
    shapes: list[Shape]
    color: Color
    access: Access
    pair: tuple[U8, str]
    note: str | None
    data: bytes
    from_: str
    letter: Char = "a"
    tags: list[str] = field(default_factory=list)


def report(
    shapes: list[Shape],
    color: Color = Color.RED,
    access: Access = Access.READ,
    *,
    size: U32 = 3,
    style: Literal["thin", "thick-line"] = "thin",
    one: Optional[Shape] = None,
    name: Id = Id("x"),
) -> Report:
    """Makes a report.

    Args:
        shapes: What is drawn,
            all of it.
        size (int): How large.

    Returns:
        The report.
    """
    every = shapes + ([one] if one else [])
    return Report(every, color, access, (size, style), None, b"\x00\x01", name)


def nothing() -> None:
    """Does nothing."""


def numbers(of: tuple[int, ...]) -> tuple[bool, list[Optional[U8]]]:
    """Numbers."""
    return bool(of), [None]
