"""Values as JSON, by the same rules as the host's: `docs/decisions/0004`."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from ._kinds import INTEGERS, EnumOf, Field, FlagsOf, Kind, ListOf, OptionOf, Record, Scalar, TupleOf, Variant
from .errors import InvalidArguments

# Beyond it, many readers of JSON round.
_EXACT = 2**53 - 1
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def dumps(value: Any) -> str:
    """JSON text of plain values. What JSON can't hold is a TypeError."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def read(kind: Kind, value: Any, path: str = "") -> Any:
    """A value of the author's classes from plain JSON."""
    if isinstance(kind, Scalar):
        return _read_scalar(kind.wit, value, path)
    if isinstance(kind, OptionOf):
        return None if value is None else read(kind.item, value, path)
    if isinstance(kind, ListOf):
        if kind.item == Scalar("u8") and isinstance(value, str):
            return list(_read_scalar("bytes", value, path))
        _expect(isinstance(value, list), path, "an array", value)
        return [read(kind.item, item, f"{path}/{i}") for i, item in enumerate(value)]
    if isinstance(kind, TupleOf):
        _expect(
            isinstance(value, list) and len(value) == len(kind.items), path, f"an array of {len(kind.items)}", value
        )
        return tuple(read(inner, item, f"{path}/{i}") for i, (inner, item) in enumerate(zip(kind.items, value)))
    if isinstance(kind, Record):
        return _read_record(kind, value, path)
    if isinstance(kind, FlagsOf):
        return _read_flags(kind, value, path)
    return _read_case(kind, value, path)


def _read_record(kind: Record, value: Any, path: str) -> Any:
    _expect(isinstance(value, dict), path, "an object", value)
    known = {field.wit: field for field in kind.fields}
    for name in value:
        if name not in known:
            raise InvalidArguments(f"{path or '/'}: there is no field `{name}`; there are {', '.join(known)}")
    return kind.cls(
        **{
            field.name: read(field.kind, value.get(field.wit), f"{path}/{field.wit}")
            for field in kind.fields
            if _is_given(field, value, path)
        }
    )


def _is_given(field: Field, value: dict[str, Any], path: str) -> bool:
    given = value.get(field.wit)
    if given is None and field.has_default:
        return False
    if field.wit not in value and not isinstance(field.kind, OptionOf):
        raise InvalidArguments(f"{path or '/'}: the field `{field.wit}` is missing")
    return True


def _read_flags(kind: FlagsOf, value: Any, path: str) -> Any:
    names = {case.wit: case.value for case in kind.cases}
    fits = isinstance(value, list) and all(isinstance(name, str) and name in names for name in value)
    _expect(fits, path, f"an array of {', '.join(names)}", value)
    flags = kind.cls(0)
    for name in value:
        flags |= names[name]
    return flags


def _read_case(kind: EnumOf | Variant, value: Any, path: str) -> Any:
    inner = None
    name = value
    if isinstance(kind, Variant) and isinstance(value, dict) and len(value) == 1:
        name, inner = next(iter(value.items()))
    case = next((case for case in kind.cases if case.wit == name), None)
    if case is None or (case.record is None) != (not isinstance(value, dict)):
        shapes = [f'{{"{case.wit}": …}}' if case.record else f'"{case.wit}"' for case in kind.cases]
        raise InvalidArguments(f"{path or '/'}: expected {' or '.join(shapes)}, got {_show(value)}")
    if isinstance(kind, EnumOf):
        return case.value
    return read(case.record, inner, f"{path}/{case.wit}") if case.record else case.value()


def _read_scalar(wit: str, value: Any, path: str) -> Any:
    if wit in INTEGERS:
        if isinstance(value, str) and value.lstrip("-").isdecimal() and value.isascii():
            value = int(value)
        least, greatest = INTEGERS[wit]
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= greatest
        _expect(fits, path, f"an integer from {least} to {greatest}", value)
        return value
    if wit in ("f32", "f64"):
        value = _FLOATS.get(value, value) if isinstance(value, str) else value
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), path, "a number", value)
        return float(value)
    if wit == "bytes":
        if isinstance(value, list):
            return bytes(_read_scalar("u8", item, f"{path}/{i}") for i, item in enumerate(value))
        _expect(isinstance(value, str), path, "base64", value)
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise InvalidArguments(f"{path or '/'}: no base64: {error}") from error
    if wit in ("bool", "none"):
        _expect(isinstance(value, bool) if wit == "bool" else value is None, path, wit, value)
        return value
    _expect(isinstance(value, str) and (wit != "char" or len(value) == 1), path, "a string", value)
    return value


def write(kind: Kind, value: Any) -> Any:
    """Plain JSON of a value of the author's classes."""
    if isinstance(kind, Scalar):
        return _write_scalar(kind.wit, value)
    if isinstance(kind, OptionOf):
        return None if value is None else write(kind.item, value)
    if isinstance(kind, ListOf):
        return (
            write(Scalar("bytes"), bytes(value))
            if kind.item == Scalar("u8")
            else [write(kind.item, item) for item in value]
        )
    if isinstance(kind, TupleOf):
        return [write(inner, item) for inner, item in zip(kind.items, value, strict=True)]
    if isinstance(kind, Record):
        return {field.wit: write(field.kind, getattr(value, field.name)) for field in kind.fields}
    if isinstance(kind, FlagsOf):
        return [case.wit for case in kind.cases if case.value in value]
    if isinstance(kind, EnumOf):
        return next(case.wit for case in kind.cases if case.value == value)
    case = next(case for case in kind.cases if case.value is type(value))
    return {case.wit: write(case.record, value)} if case.record else case.wit


def _write_scalar(wit: str, value: Any) -> Any:
    if wit in ("s64", "u64") and abs(value) > _EXACT:
        return str(value)
    if wit in ("f32", "f64") and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return base64.b64encode(value).decode("ascii") if wit == "bytes" else value


def _expect(fits: bool, path: str, expected: str, value: Any) -> None:
    if not fits:
        raise InvalidArguments(f"{path or '/'}: expected {expected}, got {_show(value)}")


def _show(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=repr)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
