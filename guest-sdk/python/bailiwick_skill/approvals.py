"""Questions to the people who look after the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import _host, _json


class AskError(_host.HostError):
    """Why there is no answer. `kind` is `pending`, with the approval's id as `detail`,
    `invalid-question`, `limit` or `failed`."""


@dataclass
class Answer:
    """What a person said. It is true where they approved."""

    approved: bool
    reason: str | None = None
    """Why they did not."""

    def __bool__(self) -> bool:
        return self.approved


def ask(summary: str, details: dict[str, Any] | None = None) -> Answer:
    """Asks, and waits until shortly before the call's deadline. `summary` is one line,
    `details` what a person should know. Raises `AskError`; after `pending`, the same
    question of a later call is answered at once when somebody has answered it."""
    host = _host.bindings("approvals")
    question = host.Question(summary, _json.dumps(details or {}))
    answer = _host.call(AskError, "asking for an approval", host.ask, question)
    if isinstance(answer, host.Answer_Approved):
        return Answer(True)
    return Answer(False, answer.value)
