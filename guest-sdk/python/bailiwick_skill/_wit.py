"""The text of a skill's WIT package."""

from __future__ import annotations

from ._kinds import (
    Case,
    EnumOf,
    Field,
    FlagsOf,
    Kind,
    ListOf,
    Named,
    OptionOf,
    Record,
    Scalar,
    Signature,
    TupleOf,
    Variant,
)
from ._names import wit

INTERFACE = "tools"
"""The interface of the skill's own tools."""
WORLD = "guest"


def package(
    name: str, docs: str, named: list[Named], tools: list[Signature], imports: list[str], exports: list[str]
) -> str:
    """The whole package. `imports` and `exports` are interfaces of other packages."""
    parts = [f"{_docs(docs, '')}package {name};\n"]
    if tools:
        inner = [*(_named(kind) for kind in named), *(_function(tool) for tool in tools)]
        parts.append(f"{_docs('What this skill can do.', '')}interface {INTERFACE} {{\n" + "\n".join(inner) + "}\n")
        exports = [*exports, INTERFACE]
    lines = [*(f"  import {name};\n" for name in imports), *(f"  export {name};\n" for name in exports)]
    parts.append(f"world {WORLD} {{\n" + "".join(lines) + "}\n")
    return "\n".join(parts)


def type_text(kind: Kind) -> str:
    """A type as it is written where it is used."""
    if isinstance(kind, Scalar):
        return "list<u8>" if kind.wit == "bytes" else kind.wit
    if isinstance(kind, ListOf):
        return f"list<{type_text(kind.item)}>"
    if isinstance(kind, OptionOf):
        return f"option<{type_text(kind.item)}>"
    if isinstance(kind, TupleOf):
        return f"tuple<{', '.join(map(type_text, kind.items))}>"
    return wit(kind.name)


def _function(tool: Signature) -> str:
    params = ", ".join(_field(param) for param in tool.params)
    result = type_text(tool.result) if tool.result else "_"
    return f"{_docs(tool.docs, '  ')}  {wit(tool.wit)}: func({params}) -> result<{result}, string>;\n"


def _field(field: Field) -> str:
    return f"{wit(field.wit)}: {type_text(field.kind)}"


def _named(kind: Named) -> str:
    if isinstance(kind, Record):
        return _block("record", kind, [(field.docs, _field(field)) for field in kind.fields])
    if isinstance(kind, Variant):
        return _block("variant", kind, [(case.docs, _case(case)) for case in kind.cases])
    word = "flags" if isinstance(kind, FlagsOf) else "enum"
    return _block(word, kind, [(case.docs, wit(case.wit)) for case in kind.cases])


def _case(case: Case) -> str:
    return f"{wit(case.wit)}({wit(case.record.name)})" if case.record else wit(case.wit)


def _block(word: str, kind: Record | Variant | EnumOf | FlagsOf, items: list[tuple[str, str]]) -> str:
    inner = "".join(f"{_docs(docs, '    ')}    {text},\n" for docs, text in items)
    return f"{_docs(kind.docs, '  ')}  {word} {wit(kind.name)} {{\n{inner}  }}\n"


def _docs(text: str, indent: str) -> str:
    return "".join(f"{indent}/// {line}".rstrip() + "\n" for line in text.splitlines())
