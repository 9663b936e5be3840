"""The way to what the host offers."""

from __future__ import annotations

import importlib
import re
from typing import Any

from .errors import ToolError

_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class HostError(ToolError):
    """Why the host did not do what it was asked.

    `kind` is the case that WIT has for it, such as `denied`, `detail` what the host
    said. It is a `ToolError`: not caught, it is the tool's own failure.
    """

    def __init__(self, doing: str, kind: str, detail: str):
        super().__init__(f"{doing}: {kind}{f': {detail}' if detail else ''}")
        self.kind = kind
        self.detail = detail


def bindings(interface: str) -> Any:
    """The module that componentize-py made for an interface; there is none outside of a
    component."""
    try:
        return importlib.import_module(f"wit_world.imports.{interface}")
    except ModuleNotFoundError:
        raise RuntimeError("there is no host here: this works while a call runs in a component") from None


def is_component() -> bool:
    """Whether this runs in a component, and not on the author's machine."""
    try:
        importlib.import_module("wit_world")
    except ModuleNotFoundError:
        return False
    return True


def call(error: type[HostError], doing: str, function: Any, *arguments: Any) -> Any:
    """Calls the host. Its error becomes an exception."""
    from componentize_py_types import Err

    try:
        return function(*arguments)
    except Err as failed:
        raise raised(error, doing, failed.value) from None


def raised(error: type[HostError], doing: str, value: Any) -> HostError:
    """The exception of a variant of errors, whose classes are called `Error_NotFound`."""
    name = type(value).__name__.partition("_")[2].rstrip("_")
    detail = getattr(value, "value", None)
    return error(doing, _CASE.sub("-", name).lower(), "" if detail is None else str(detail))
