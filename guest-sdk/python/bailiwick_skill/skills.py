"""Other skills. What is called runs under its own grant, and what it takes counts against
the limits of this call too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import _host, _json


class CallError(_host.HostError):
    """Why there is no output. `kind` is `denied`, `not-found`, `invalid-arguments`,
    `failed`, `approval-required`, `limit` or `unavailable`."""

    @property
    def output(self) -> Any:
        """What the tool answered as its failure, where `kind` is `failed`."""
        return json.loads(self.detail) if self.kind == "failed" else None


@dataclass
class Request:
    """One call."""

    skill: str
    """`namespace/name`, with `@version` where it has to be a certain one."""
    tool: str | None = None
    """It can be left out where the skill has only one."""
    arguments: dict[str, Any] = field(default_factory=dict)


def call(skill: str, tool: str | None = None, arguments: dict[str, Any] | None = None) -> Any:
    """Calls a tool and gives its output, which was JSON. Raises `CallError`."""
    request = Request(skill, tool, arguments or {})
    host = _host.bindings("skills")
    return json.loads(_host.call(CallError, _doing(request), host.call, _lower(host, request)))


def call_all(requests: Sequence[Request]) -> list[Any]:
    """Calls tools side by side and waits for all. The answers are in the order of the
    requests; one that failed is a `CallError` in its place."""
    from componentize_py_types import Ok

    host = _host.bindings("skills")
    results = host.call_all([_lower(host, request) for request in requests])
    return [
        json.loads(result.value) if isinstance(result, Ok) else _host.raised(CallError, _doing(request), result.value)
        for request, result in zip(requests, results)
    ]


def _lower(host: Any, request: Request) -> Any:
    return host.Request(request.skill, request.tool, _json.dumps(request.arguments))


def _doing(request: Request) -> str:
    return f"calling {request.skill}{f' {request.tool}' if request.tool else ''}"
