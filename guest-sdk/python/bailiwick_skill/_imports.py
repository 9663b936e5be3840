"""Which interfaces of the host a skill uses.

componentize-py keeps every import of the world, and a reviewer reads the imports. So the
world has only those of the modules that the author's code imports.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

SDK = "bailiwick_skill"


@dataclass(frozen=True)
class Interface:
    """An interface that a module of this package stands on."""

    folder: str
    """Where its package lies below the folder of WIT."""
    name: str
    module: str
    """What the bindings call it."""


HOST = {
    "progress": [Interface("skill", "progress", "progress")],
    "skills": [Interface("skill", "skills", "skills")],
    "models": [Interface("skill", "models", "models")],
    "approvals": [Interface("skill", "approvals", "approvals")],
    "log": [Interface("logging", "logging", "logging")],
    "settings": [Interface("config", "store", "wasi_config")],
    "state": [Interface("keyvalue", "store", "wasi_keyvalue")],
    "http": [
        Interface("http", "outgoing-handler", "wasi_http_handler"),
        Interface("http", "types", "wasi_http_types"),
        Interface("io", "poll", "wasi_io_poll"),
        Interface("io", "streams", "wasi_io_streams"),
        Interface("io", "error", "wasi_io_error"),
        Interface("clocks", "monotonic-clock", "wasi_clocks_monotonic"),
    ],
}
_INCREMENT = Interface("keyvalue", "atomics", "wasi_keyvalue_atomics")


@dataclass
class Used:
    """What the author's code imports."""

    modules: dict[str, Path]
    """The author's own modules and packages, by name: what goes into the component."""
    names: list[str]
    """Everything that is imported anywhere. In a component nothing can be imported
    later on, so all of it is imported when it is built."""
    interfaces: list[Interface]


def used(module: str, roots: list[Path]) -> Used:
    """Follows the imports of a module through all that lies below the roots."""
    own: dict[str, Path] = {}
    names: set[str] = set()
    host: set[Interface] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        path = _find(top, roots)
        if top in own or path is None:
            continue
        own[top] = path
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            imported, interfaces = _imported(ast.parse(file.read_text("utf-8"), str(file)))
            names |= imported
            host |= interfaces
            waiting += sorted(imported)
    # What code did that looks at no import statement, such as importlib.
    loaded = [name for name in HOST if f"{SDK}.{name}" in sys.modules]
    host |= {interface for name in loaded for interface in HOST[name]}
    return Used(own, sorted(names), sorted(host, key=lambda interface: (interface.folder, interface.name)))


def _find(top: str, roots: list[Path]) -> Path | None:
    """A module or package of the author's, and never one of Python's own."""
    if top in sys.stdlib_module_names or top == SDK:
        return None
    for root in roots:
        for path in (root / top / "__init__.py", root / f"{top}.py"):
            if path.is_file():
                return path.parent if path.name == "__init__.py" else path
    return None


def _imported(tree: ast.Module) -> tuple[set[str], set[Interface]]:
    names: set[str] = set()
    host: set[Interface] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            if node.module == SDK:
                names |= {f"{SDK}.{alias.name}" for alias in node.names if alias.name in HOST}
        elif isinstance(node, ast.Attribute) and node.attr == "increment":
            host.add(_INCREMENT)
    for name in names:
        if name.startswith(f"{SDK}."):
            host |= set(HOST.get(name.split(".")[1], []))
    if f"{SDK}.state" not in names:
        host.discard(_INCREMENT)
    return names, host


def package_of(wit: Path, folder: str) -> tuple[str, str]:
    """The name and the version of a package of WIT, by its files."""
    for file in sorted((wit / folder).glob("*.wit")):
        found = re.search(r"^package\s+([a-z0-9:-]+)@([^\s;]+);", file.read_text("utf-8"), re.MULTILINE)
        if found:
            return found[1], found[2]
    raise FileNotFoundError(os.fspath(wit / folder))


def qualified(wit: Path, folder: str, interface: str) -> str:
    """An interface with its package and version: `wasi:logging/logging@0.1.0-draft`."""
    name, version = package_of(wit, folder)
    return f"{name}/{interface}@{version}"
