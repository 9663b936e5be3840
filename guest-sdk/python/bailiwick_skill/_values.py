"""Values on their way between the component's bindings and the author's classes."""

from __future__ import annotations

import dataclasses
import struct
import typing
from typing import Any

from ._kinds import (
    INTEGERS,
    EnumOf,
    Field,
    FlagsOf,
    Kind,
    ListOf,
    OptionOf,
    Record,
    Scalar,
    TupleOf,
    Variant,
)
from ._names import camel


class Values:
    """Turns values of one interface; `bindings` is the module that componentize-py made
    for it. Its classes have the parts of WIT in the same order, so they go by position."""

    def __init__(self, bindings: Any):
        self._bindings = bindings

    def arguments(self, params: list[Field], values: typing.Sequence[Any]) -> dict[str, Any]:
        """Arguments by name. What was left out is left to the function's default."""
        return {
            param.name: self.lift(param.kind, value)
            for param, value in zip(params, values)
            if not (param.has_default and value is None)
        }

    def lift(self, kind: Kind, value: Any) -> Any:
        """From the bindings to what the author's function takes."""
        if isinstance(kind, OptionOf):
            return None if value is None else self.lift(kind.item, value)
        if isinstance(kind, ListOf):
            return [self.lift(kind.item, item) for item in value]
        if isinstance(kind, TupleOf):
            return tuple(self.lift(inner, item) for inner, item in zip(kind.items, value))
        if isinstance(kind, Record):
            values = [getattr(value, field.name) for field in dataclasses.fields(value)]
            return kind.cls(**self.arguments(kind.fields, values))
        if isinstance(kind, Variant):
            return self._lift_variant(kind, value)
        if isinstance(kind, EnumOf):
            members: list[Any] = list(self._class(kind))
            return kind.cases[members.index(value)].value
        if isinstance(kind, FlagsOf):
            flags = kind.cls(0)
            for flag, case in zip(self._class(kind), kind.cases):
                flags |= case.value if flag in value else kind.cls(0)
            return flags
        return value

    def _lift_variant(self, kind: Variant, value: Any) -> Any:
        case = kind.cases[self._cases(kind).index(type(value))]
        return self.lift(case.record, value.value) if case.record else case.value()

    def lower(self, kind: Kind, value: Any, path: str) -> Any:
        """From what the author's function gave to the bindings. A value that is not of
        the type that the function promised is a TypeError that says where it is."""
        if isinstance(kind, Scalar):
            return _scalar(kind.wit, value, path)
        if isinstance(kind, OptionOf):
            return None if value is None else self.lower(kind.item, value, path)
        if isinstance(kind, ListOf):
            _expect(isinstance(value, (list, tuple)), path, "a list", value)
            items = [self.lower(kind.item, item, f"{path}[{i}]") for i, item in enumerate(value)]
            # In the bindings a list of bytes is bytes.
            return bytes(items) if kind.item == Scalar("u8") else items
        if isinstance(kind, TupleOf):
            fits = isinstance(value, (list, tuple)) and len(value) == len(kind.items)
            _expect(fits, path, f"a tuple of {len(kind.items)}", value)
            return tuple(
                self.lower(inner, item, f"{path}[{i}]") for i, (inner, item) in enumerate(zip(kind.items, value))
            )
        if isinstance(kind, Record):
            _expect(isinstance(value, kind.cls), path, kind.cls.__name__, value)
            fields = [
                self.lower(field.kind, getattr(value, field.name), f"{path}.{field.name}") for field in kind.fields
            ]
            return self._class(kind)(*fields)
        if isinstance(kind, Variant):
            return self._lower_variant(kind, value, path)
        if isinstance(kind, EnumOf):
            values = [case.value for case in kind.cases]
            _expect(value in values, path, f"one of {', '.join(map(str, values))}", value)
            return list(self._class(kind))[values.index(value)]
        return self._lower_flags(kind, value, path)

    def _lower_variant(self, kind: Variant, value: Any, path: str) -> Any:
        classes = [case.value for case in kind.cases]
        _expect(type(value) in classes, path, " or ".join(cls.__name__ for cls in classes), value)
        case = kind.cases[classes.index(type(value))]
        made = self._cases(kind)[classes.index(type(value))]
        return made(self.lower(case.record, value, path)) if case.record else made()

    def _lower_flags(self, kind: FlagsOf, value: Any, path: str) -> Any:
        _expect(isinstance(value, kind.cls), path, kind.cls.__name__, value)
        made = self._class(kind)
        flags = made(0)
        for flag, case in zip(made, kind.cases):
            flags |= flag if case.value in value else made(0)
        return flags

    def _class(self, kind: Any) -> Any:
        return getattr(self._bindings, camel(kind.name))

    def _cases(self, kind: Variant) -> list[type]:
        """The classes of a variant's cases: a union of them, or the only one."""
        union = self._class(kind)
        return list(typing.get_args(union)) or [union]


def _scalar(wit: str, value: Any, path: str) -> Any:
    if wit in INTEGERS:
        _expect(isinstance(value, int) and not isinstance(value, bool), path, "int", value)
        least, greatest = INTEGERS[wit]
        if not least <= value <= greatest:
            raise OverflowError(f"{path}: {value} is no {wit}, which holds {least} to {greatest}")
        return int(value)
    if wit in ("f32", "f64"):
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), path, "float", value)
        return _float(wit, float(value), path)
    if wit == "bytes":
        _expect(isinstance(value, (bytes, bytearray, memoryview)), path, "bytes", value)
        return bytes(value)
    if wit == "bool":
        _expect(isinstance(value, bool), path, "bool", value)
        return value
    if wit == "none":
        _expect(value is None, path, "None", value)
        return None
    _expect(isinstance(value, str), path, "str", value)
    _expect(wit != "char" or len(value) == 1, path, "one character", value)
    _expect(not any("\ud800" <= char <= "\udfff" for char in value), path, "str without lone surrogates", value)
    return str(value)


def _float(wit: str, value: float, path: str) -> float:
    if wit == "f32":
        try:
            struct.pack("<f", value)
        except OverflowError as error:
            raise OverflowError(f"{path}: {value} is too large for an f32") from error
    return value


def _expect(fits: bool, path: str, expected: str, value: Any) -> None:
    if not fits:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise TypeError(f"{path}: expected {expected}, got {type(value).__name__} {shown}")
