"""From type hints to the types of WIT.

The machine that builds and the component both do this from the same hints, and come to
the same types: the first to write WIT, the second to turn values.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
import typing
from typing import Any

from . import _names
from ._kinds import (
    REFINES,
    Case,
    EnumOf,
    Field,
    FlagsOf,
    Kind,
    ListOf,
    Named,
    Record,
    Scalar,
    Signature,
    TupleOf,
    Variant,
    Wit,
    is_plain,
    option,
)
from ._source import Source, own_doc, sections
from .errors import BuildError

_PLAIN = {bool: "bool", int: "s64", float: "f64", str: "string", bytes: "bytes"}

# What to use in place of types that don't cross.
_INSTEAD = {
    "dict": "a dataclass, or list[tuple[str, …]] where the keys aren't known",
    "Dict": "a dataclass, or list[tuple[str, …]] where the keys aren't known",
    "Mapping": "a dataclass, or list[tuple[str, …]] where the keys aren't known",
    "set": "a list, or a Flag where the members are known",
    "frozenset": "a list, or a Flag where the members are known",
    "Any": "a dataclass, or str that holds JSON text",
    "object": "a dataclass, or str that holds JSON text",
    "datetime": "str, such as 2026-03-29T01:30:00Z",
    "date": "str, such as 2026-03-29",
    "timedelta": "a number of seconds",
    "Decimal": "str, which keeps every digit",
    "Fraction": "a tuple of two int",
    "Path": "str",
    "UUID": "str",
    "complex": "a tuple of two float",
    "bytearray": "bytes",
    "Sequence": "list",
    "Iterable": "list",
    "Iterator": "list",
    "Generator": "list",
}
_ANY_INSTEAD = (
    "bool, int, float, str, bytes, list, tuple, Optional, a dataclass, an Enum, a Flag or a union of dataclasses"
)


class Derivation:
    """Types and signatures of one skill. Each class becomes one type."""

    def __init__(self, source: Source | None = None, taken: frozenset[str] = frozenset()):
        self._source = source
        self._taken = taken
        self._by_class: dict[Any, Named] = {}
        self._under_way: list[type] = []
        self.named: list[Named] = []
        """Every type that has a name, each after those that it is made of."""

    def signature(self, function: Any, name: str, what: str = "tool") -> Signature:
        """The WIT of a function; `name` is the one it goes by."""
        wit = _names.kebab(name)
        if wit is None:
            raise self._error(
                function,
                None,
                f"{what} `{name}`: the name needs a letter first and "
                "then letters, digits and single underscores, all ASCII",
            )
        where = _Where(self, function, f"{what} `{name}`", wit)
        hints = where.hints()
        params = [self._param(where, hints, param) for param in inspect.signature(function).parameters.values()]
        where.distinct(params)
        if "return" not in hints:
            raise where.error(
                "return", "has no return type; write `-> str:` with the type that it gives, or `-> None:`"
            )
        result = where.part("return").kind(hints["return"])
        nothing = hints["return"] is type(None)
        return Signature(
            name, wit, function, params, None if nothing else result, self._function_docs(function, params)
        )

    def _param(self, where: _Where, hints: dict[str, Any], param: inspect.Parameter) -> Field:
        name = param.name
        if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD):
            raise where.error(
                name, f"`{param}` takes any number of values, which has no type in WIT; take a list or a dataclass"
            )
        if name not in hints:
            raise where.error(name, f"parameter `{name}` has no type; write `{name}: str` with the type that it takes")
        part = where.part(name)
        kind = part.kind(hints[name])
        has_default = param.default is not param.empty
        return Field(name, part.name_of(name), option(kind) if has_default else kind, part.docs(), has_default)

    def _function_docs(self, function: Any, params: list[Field]) -> str:
        entries = [f"- `{param.wit}`: {param.docs}" for param in params if param.docs]
        return sections(own_doc(function), "\n".join(entries))[0]

    def type_of(self, hint: Any, function: Any, what: str) -> Kind:
        """The type of a hint that stands for itself, such as the input of a workflow."""
        return _Where(self, function, what, _names.kebab(function.__name__) or "value").kind(hint)

    def record(self, cls: type, where: _Where, empty: bool = False) -> Record | None:
        """A dataclass; None where it has no fields and may have none."""
        if cls in self._by_class:
            return typing.cast(Record, self._by_class[cls])
        if cls in self._under_way:
            raise where.error_here(
                f"`{cls.__name__}` holds itself, and WIT has no recursive types; "
                "name the inner one by an index into a list, or pass JSON text in a str"
            )
        fields = dataclasses.fields(cls)
        if not fields:
            if empty:
                return None
            raise where.error_here(
                f"dataclass `{cls.__name__}` has no fields, and a record needs one; "
                "give it a field, or use bool or None"
            )
        inner = _Where(self, cls, f"dataclass `{cls.__name__}`", _names.kebab(cls.__name__) or "")
        docs, entries = self._class_docs(cls)
        record = Record(self._name(cls.__name__, inner), cls, docs)
        self._under_way.append(cls)
        hints = inner.hints()
        for field in fields:
            record.fields.append(self._field(inner, hints, field, entries))
        self._under_way.pop()
        inner.distinct(record.fields)
        return typing.cast(Record, self._add(cls, record))

    def _field(self, where: _Where, hints: dict[str, Any], field: Any, entries: dict[str, str]) -> Field:
        if not field.init:
            raise where.error(
                field.name, f"field `{field.name}` is `init=False` and can't be given; make it a property"
            )
        part = where.part(field.name)
        kind = part.kind(hints[field.name])
        missing = dataclasses.MISSING
        has_default = field.default is not missing or field.default_factory is not missing
        docs = entries.get(field.name, "")
        return Field(field.name, part.name_of(field.name), option(kind) if has_default else kind, docs, has_default)

    def choice(self, cls: Any, where: _Where) -> Named:
        """An Enum or a Flag."""
        if cls in self._by_class:
            return self._by_class[cls]
        docs, entries = self._class_docs(cls)
        inner = _Where(self, cls, f"`{cls.__name__}`", "")
        members = [member for name, member in cls.__members__.items() if member.name == name]
        if not members:
            raise where.error_here(f"`{cls.__name__}` has no members; give it one")
        cases = [Case(inner.part(m.name).name_of(m.name), m, entries.get(m.name, "")) for m in members]
        inner.distinct(cases)
        name = self._name(cls.__name__, inner)
        if not issubclass(cls, enum.Flag):
            return self._add(cls, EnumOf(name, docs, cases))
        single = [case for case in cases if case.value.value and not case.value.value & (case.value.value - 1)]
        return self._add(cls, FlagsOf(name, cls, docs, single))

    def variant(self, hint: Any, members: list[Any], where: _Where) -> Variant:
        """A union of dataclasses, by the name that it has in its module, or by its place."""
        key = ("union", frozenset(members))
        if key in self._by_class:
            return typing.cast(Variant, self._by_class[key])
        variant = Variant(self._name(where.alias_of(hint) or where.path, where))
        for member in members:
            case = _names.kebab(member.__name__)
            if case is None:
                raise where.error_here(f"`{member.__name__}` has no name in WIT; use ASCII letters and digits")
            docs, _ = self._class_docs(member)
            variant.cases.append(Case(case, member, docs, self.record(member, where, empty=True)))
        where.distinct(variant.cases)
        return typing.cast(Variant, self._add(key, variant))

    def literal(self, values: tuple[Any, ...], where: _Where) -> EnumOf:
        """A Literal of texts."""
        for value in values:
            if not isinstance(value, str):
                raise where.error_here(f"Literal[{value!r}] is no text; use an Enum, or int")
            if _names.kebab(value) != value:
                raise where.error_here(
                    f"the text {value!r} of a Literal has no name in WIT; use lowercase words with hyphens, or an Enum"
                )
        key = ("literal", *values, where.path)
        if key in self._by_class:
            return typing.cast(EnumOf, self._by_class[key])
        cases = [Case(value, value) for value in values]
        return typing.cast(EnumOf, self._add(key, EnumOf(self._name(where.path, where), "", cases)))

    def _add(self, key: Any, kind: Named) -> Named:
        self._by_class[key] = kind
        self.named.append(kind)
        return kind

    def _name(self, name: str, where: _Where) -> str:
        """A name in WIT. An interface has one room for types and functions."""
        made = _names.kebab(name)
        if made is None:
            raise where.error_here(f"`{name}` has no name in WIT; use ASCII letters and digits")
        if made in self._taken:
            made = f"{made}-value"
        if any(other.name == made for other in self.named):
            raise where.error_here(f"two types are called `{made}`; rename one of them")
        return made

    def _class_docs(self, cls: type) -> tuple[str, dict[str, str]]:
        return self._source.class_docs(cls) if self._source else ("", {})

    def _error(self, thing: Any, part: str | None, message: str) -> BuildError:
        file, line = self._source.place(thing, part) if self._source else (None, None)
        return BuildError(message, file, line)


class _Where:
    """A place in the author's code, for errors and for types without a name."""

    def __init__(self, owner: Derivation, thing: Any, what: str, path: str, name: str | None = None):
        self._owner = owner
        self._thing = thing
        self._what = what
        self._name = name
        self.path = path

    def part(self, name: str) -> _Where:
        path = f"{self.path}-{'result' if name == 'return' else name}"
        return _Where(self._owner, self._thing, self._what, path, name)

    def error(self, name: str | None, message: str) -> BuildError:
        return self._owner._error(self._thing, name, f"{self._what}: {message}")

    def error_here(self, message: str) -> BuildError:
        is_class = isinstance(self._thing, type)
        if self._name == "return":
            message = f"its return type: {message}"
        elif self._name is not None:
            message = f"{'field' if is_class else 'parameter'} `{self._name}`: {message}"
        return self.error(self._name, message)

    def hints(self) -> dict[str, Any]:
        try:
            return typing.get_type_hints(self._thing, include_extras=True)
        except NameError as error:
            raise self.error(
                None,
                f"a type hint names `{error.name}`, which isn't known; import or define it at the top of the module",
            ) from error
        except TypeError as error:
            raise self.error(None, f"a type hint can't be read: {error}") from error

    def docs(self) -> str:
        _, entries = sections(own_doc(self._thing))
        return entries.get(self._name or "", "")

    def name_of(self, name: str) -> str:
        made = _names.kebab(name)
        if made is None:
            raise self.error_here(
                "the name needs a letter first and then letters, digits and single underscores, all ASCII"
            )
        return made

    def distinct(self, parts: list[Any]) -> None:
        seen = set()
        for part in parts:
            if part.wit in seen:
                raise self.error(None, f"two of its parts are called `{part.wit}` in WIT; rename one")
            seen.add(part.wit)

    def alias_of(self, hint: Any) -> str | None:
        """The name that a module gave to a union: `Shape = Circle | Square`."""
        if hasattr(hint, "__value__"):
            return hint.__name__
        module = sys.modules.get(getattr(self._thing, "__module__", ""))
        for name, value in vars(module).items() if module else ():
            if not name.startswith("_") and typing.get_origin(value) in _UNIONS and value == hint:
                return name
        return None

    def kind(self, hint: Any) -> Kind:
        """The type that a hint stands for."""
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._annotated(args[0], args[1:])
        if hint in _PLAIN:
            return Scalar(_PLAIN[hint])
        if hint is None or hint is type(None):
            return self._nothing()
        if hasattr(hint, "__value__") and hasattr(hint, "__name__"):
            return self._union(hint, hint.__value__) or self.kind(hint.__value__)
        if hasattr(hint, "__supertype__"):
            return self.kind(hint.__supertype__)
        if origin in _UNIONS:
            return typing.cast(Kind, self._union(hint, hint))
        if origin is typing.Literal:
            return self._owner.literal(args, self)
        if origin is list and args:
            return ListOf(self.kind(args[0]))
        if origin is tuple and args:
            return self._tuple(args)
        return self._class(hint)

    def _annotated(self, base: Any, notes: tuple[Any, ...]) -> Kind:
        name = next((note.name for note in notes if isinstance(note, Wit)), None)
        if name is None:
            return self.kind(base)
        if REFINES.get(name) is not base:
            raise self.error_here(
                f"`Wit({name!r})` can't refine {_show(base)}; use one of the names that "
                "bailiwick_skill exports, such as U32"
            )
        return Scalar(name)

    def _nothing(self) -> Kind:
        if self._name == "return":
            return Scalar("none")
        raise self.error_here("None alone says nothing; use bool, or Optional of the type that it may have")

    def _tuple(self, args: tuple[Any, ...]) -> Kind:
        if len(args) == 2 and args[1] is Ellipsis:
            return ListOf(self.kind(args[0]))
        if args == ((),):
            raise self.error_here("a tuple without items says nothing; give it items, or use None")
        return TupleOf(tuple(self.kind(arg) for arg in args))

    def _union(self, hint: Any, value: Any) -> Kind | None:
        if typing.get_origin(value) not in _UNIONS:
            return None
        members = [arg for arg in typing.get_args(value) if arg is not type(None)]
        optional = len(members) < len(typing.get_args(value))
        if len(members) == 1:
            return option(self.kind(members[0]))
        others = [member for member in members if not is_plain(member)]
        if others:
            raise self.error_here(
                f"the union {_show(value)} holds {_show(others[0])}, and only dataclasses tell a "
                "reader which one a value is; make each of them a dataclass, or use one type"
            )
        variant = self._owner.variant(_without_none(hint, value, members), members, self)
        return option(variant) if optional else variant

    def _class(self, hint: Any) -> Kind:
        if is_plain(hint):
            return typing.cast(Kind, self._owner.record(hint, self))
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return self._owner.choice(hint, self)
        if hint in (list, typing.List):
            raise self.error_here("a list of what? Write list[str] with the type of its items")
        if hint in (tuple, typing.Tuple):
            raise self.error_here("a tuple of what? Write tuple[str, int] with the types of its items")
        if isinstance(hint, type) and (hasattr(hint, "_fields") or typing.is_typeddict(hint)):
            raise self.error_here(f"{_show(hint)} is no type that crosses into WIT; make it a dataclass")
        names = [
            getattr(cls, "__name__", str(cls)) for cls in getattr(typing.get_origin(hint) or hint, "__mro__", (hint,))
        ]
        instead = next(
            (_INSTEAD[name] for name in [*names, _show(hint)] if name in _INSTEAD and name != "object"), None
        )
        if hint is object:
            instead = _INSTEAD["object"]
        raise self.error_here(f"{_show(hint)} is no type that crosses into WIT; use {instead or _ANY_INSTEAD}")


_UNIONS = (typing.Union, types.UnionType)


def _without_none(hint: Any, value: Any, members: list[Any]) -> Any:
    """The hint that an alias would be for, where `| None` was added to it."""
    return hint if len(members) == len(typing.get_args(value)) else typing.Union[tuple(members)]


def _show(hint: Any) -> str:
    if isinstance(hint, type) and not typing.get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "")
