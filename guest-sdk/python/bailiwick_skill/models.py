"""Language models of the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from . import _host, _json


class ModelError(_host.HostError):
    """Why there is no answer. `kind` is `denied`, `no-model`, `invalid-request`, `limit`
    or `failed`."""


@dataclass
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass
class Response:
    """What a model answered."""

    model: str
    text: str
    finish: Literal["stop", "length", "refusal"]
    """Why the answer ends: the model was done, had no tokens left, or refused."""
    input_tokens: int
    output_tokens: int


def complete(
    messages: str | Sequence[Message],
    *,
    model: str | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    output_schema: dict[str, Any] | None = None,
) -> Response:
    """Asks a model and waits for the whole answer. A str is one turn of the user. With
    `output_schema`, a JSON Schema, the text is JSON that fits it. Raises `ModelError`."""
    host = _host.bindings("models")
    turns = [Message("user", messages)] if isinstance(messages, str) else messages
    request = host.Request(
        model,
        [host.Message(host.Role[turn.role.upper()], turn.content) for turn in turns],
        max_tokens,
        temperature,
        None if output_schema is None else _json.dumps(output_schema),
    )
    answer = _host.call(ModelError, f"asking {model or 'a model'}", host.complete, request)
    finish = answer.finish.name.lower()
    return Response(answer.model, answer.text, finish, answer.input_tokens, answer.output_tokens)
