"""JSON Schemas (2020-12) of types, as the host derives them from WIT."""

from __future__ import annotations

from typing import Any

from ._kinds import INTEGERS, Case, Field, FlagsOf, Kind, ListOf, OptionOf, Record, Scalar, TupleOf, Variant

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def whole(kind: Kind) -> dict[str, Any]:
    """The schema of a type, by itself."""
    return {"$schema": DIALECT, **schema(kind)}


def schema(kind: Kind) -> dict[str, Any]:
    """The schema of a type, as a part of another."""
    if isinstance(kind, Scalar):
        return _scalar(kind.wit)
    if isinstance(kind, ListOf):
        return _scalar("bytes") if kind.item == Scalar("u8") else {"type": "array", "items": schema(kind.item)}
    if isinstance(kind, TupleOf):
        count = len(kind.items)
        return {
            "type": "array",
            "prefixItems": [schema(item) for item in kind.items],
            "items": False,
            "minItems": count,
            "maxItems": count,
        }
    if isinstance(kind, OptionOf):
        return {"anyOf": [schema(kind.item), {"type": "null"}]}
    if isinstance(kind, Record):
        return _described(_object(kind.fields), kind.docs)
    if isinstance(kind, Variant):
        return _described({"oneOf": [_case(case) for case in kind.cases]}, kind.docs)
    names = {"type": "string", "enum": [case.wit for case in kind.cases]}
    made = {"type": "array", "items": names, "uniqueItems": True} if isinstance(kind, FlagsOf) else names
    # The values of an `enum` have no place for documentation of their own.
    cases = "\n".join(f"- `{case.wit}`: {case.docs}" for case in kind.cases if case.docs)
    return _described(made, "\n\n".join(filter(None, [kind.docs, cases])))


def _scalar(wit: str) -> dict[str, Any]:
    if wit in ("s64", "u64"):
        digits = "^-?[0-9]{1,20}$" if wit == "s64" else "^[0-9]{1,20}$"
        return {"anyOf": [_integer(wit), {"type": "string", "pattern": digits}]}
    if wit in INTEGERS:
        return _integer(wit)
    if wit in ("f32", "f64"):
        return {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
    others: dict[str, dict[str, Any]] = {
        "bool": {"type": "boolean"},
        "bytes": {"type": "string", "contentEncoding": "base64"},
        "char": {"type": "string", "minLength": 1, "maxLength": 1},
        "none": {"type": "null"},
    }
    return others.get(wit, {"type": "string"})


def _integer(wit: str) -> dict[str, Any]:
    least, greatest = INTEGERS[wit]
    return {"type": "integer", "minimum": least, "maximum": greatest}


def _object(fields: list[Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.wit: _described(schema(field.kind), field.docs) for field in fields},
        "required": [field.wit for field in fields if not isinstance(field.kind, OptionOf)],
        "additionalProperties": False,
    }


def _case(case: Case) -> dict[str, Any]:
    if case.record is None:
        return _described({"const": case.wit}, case.docs)
    one = {
        "type": "object",
        "properties": {case.wit: schema(case.record)},
        "required": [case.wit],
        "additionalProperties": False,
    }
    return _described(one, case.docs)


def _described(made: dict[str, Any], docs: str) -> dict[str, Any]:
    description = "\n\n".join(filter(None, [docs, made.get("description", "")]))
    return {**made, "description": description} if description else made
