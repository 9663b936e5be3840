"""What functions of prompts and of tools listed at run time give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Message:
    """One turn of a prompt."""

    role: Literal["user", "assistant"]
    text: str


def user(text: str) -> Message:
    """A turn of the user."""
    return Message("user", text)


def assistant(text: str) -> Message:
    """A turn of the assistant."""
    return Message("assistant", text)


@dataclass
class ToolInfo:
    """A tool that is known only at run time."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    """JSON Schema 2020-12 of the arguments, which are an object."""
    output_schema: dict[str, Any] | None = None
