"""What only the author's text knows: lines, and the documentation of fields.

It is read on the machine that builds. In the component there is no text, and nothing
needs it.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
from typing import Any

_SECTION = re.compile(r"(Args|Arguments|Parameters|Attributes|Returns|Raises|Yields|Examples?|Notes?):\s*")
_ENTRY = re.compile(r"(\*{0,2}\w+)\s*(?:\([^)]*\))?:\s*(.*)")
_PARAMETERS = ("Args", "Arguments", "Parameters", "Attributes")


class Source:
    """The files that functions and classes come from, read once each."""

    def __init__(self) -> None:
        self._trees: dict[str, ast.Module | None] = {}

    def place(self, thing: Any, part: str | None = None) -> tuple[str | None, int | None]:
        """The file and the line of a function or class, or of its parameter or field."""
        file = self._file(thing)
        node = self._node(thing)
        if file is None or node is None:
            code = getattr(thing, "__code__", None)
            return _short(file), code.co_firstlineno if code else None
        line = node.lineno
        if part is not None:
            line = next((found for name, found in _parts(node) if name == part), line)
        return _short(file), line

    def class_docs(self, cls: type) -> tuple[str, dict[str, str]]:
        """The documentation of a class, and of each of its fields or members."""
        text, entries = sections(own_doc(cls))
        for base in reversed(cls.__mro__):
            node = self._node(base)
            if isinstance(node, ast.ClassDef):
                entries = {**entries, **_attribute_docs(node)}
        return text, entries

    def _file(self, thing: Any) -> str | None:
        code = getattr(thing, "__code__", None)
        if code is not None:
            return code.co_filename
        module = sys.modules.get(getattr(thing, "__module__", ""), None)
        return getattr(module, "__file__", None)

    def _node(self, thing: Any) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
        file = self._file(thing)
        tree = self._tree(file) if file else None
        if tree is None:
            return None
        code = getattr(thing, "__code__", None)
        name = getattr(thing, "__name__", "")
        for node in ast.walk(tree):
            if code is not None and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if node.name == name and code.co_firstlineno in (first, node.lineno):
                    return node
            elif code is None and isinstance(node, ast.ClassDef) and node.name == name:
                return node
        return None

    def _tree(self, file: str) -> ast.Module | None:
        if file not in self._trees:
            try:
                with open(file, encoding="utf-8") as text:
                    self._trees[file] = ast.parse(text.read(), file)
            except (OSError, SyntaxError, ValueError):
                self._trees[file] = None
        return self._trees[file]


def _short(file: str | None) -> str | None:
    """A path as the author typed it, where it lies below the current folder."""
    if file is None:
        return None
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def _parts(node: ast.AST) -> list[tuple[str, int]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
        returns = [("return", node.returns.lineno)] if node.returns else []
        return [*((arg.arg, arg.lineno) for arg in every), *returns]
    if isinstance(node, ast.ClassDef):
        return [(_target(item), item.lineno) for item in node.body]
    return []


def _target(item: ast.stmt) -> str:
    target: ast.expr | None = item.target if isinstance(item, ast.AnnAssign) else None
    if isinstance(item, ast.Assign) and len(item.targets) == 1:
        target = item.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _attribute_docs(node: ast.ClassDef) -> dict[str, str]:
    """The texts that stand below fields and members."""
    found = {}
    for item, following in zip(node.body, node.body[1:]):
        value = following.value if isinstance(following, ast.Expr) else None
        if _target(item) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[_target(item)] = inspect.cleandoc(value.value)
    return found


def own_doc(thing: Any) -> str:
    """The docstring that the author wrote; dataclasses and enums make some up."""
    doc = thing.__dict__.get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    made_up = (
        isinstance(thing, type)
        and isinstance(doc, str)
        and (doc.startswith(f"{thing.__name__}(") or doc == "An enumeration.")
    )
    if not isinstance(doc, str) or made_up:
        return ""
    return inspect.cleandoc(doc)


def sections(doc: str, listed: str = "") -> tuple[str, dict[str, str]]:
    """A docstring without its section of parameters, and what that says of each. In the
    place of the section stands `listed`."""
    kept: list[str] = []
    entries: dict[str, str] = {}
    section = current = None
    indent = 0
    indented = True
    for number, line in enumerate(doc.splitlines()):
        title = _SECTION.fullmatch(line)
        if title:
            section = title.group(1) if title.group(1) in _PARAMETERS else None
            current = None
            # Where the section's title is the first line, the indent of the others is gone.
            indented = number > 0
            kept += [listed, ""] if section and listed else []
        elif section and indented and line and not line[0].isspace():
            section = None
        if section is None:
            kept.append(line)
            continue
        if title or not line.strip():
            continue
        entry = _ENTRY.fullmatch(line.strip())
        if entry and (current is None or _indent(line) <= indent):
            current, indent = entry.group(1).lstrip("*"), _indent(line)
            entries[current] = entry.group(2)
        elif current is not None:
            entries[current] = f"{entries[current]} {line.strip()}".strip()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip(), entries


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
