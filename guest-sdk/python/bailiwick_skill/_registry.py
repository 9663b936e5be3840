"""What a skill's module offers, as its decorators said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ._source import own_doc, sections

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass
class Offer:
    """A function and what its decorator said of it."""

    function: Callable[..., Any]
    name: str
    uri: str = ""
    mime_type: str | None = None

    @property
    def docs(self) -> str | None:
        """What the docstring says of the whole."""
        return sections(own_doc(self.function))[0] or None

    @property
    def entries(self) -> dict[str, str]:
        """What the docstring says of each parameter."""
        return sections(own_doc(self.function))[1]


@dataclass
class Registry:
    """Everything of one skill, in the order of its text."""

    tools: list[Offer] = field(default_factory=list)
    prompts: list[Offer] = field(default_factory=list)
    resources: list[Offer] = field(default_factory=list)
    templates: list[Offer] = field(default_factory=list)
    workflows: list[Offer] = field(default_factory=list)
    listers: list[Offer] = field(default_factory=list)
    callers: list[Offer] = field(default_factory=list)

    def is_empty(self) -> bool:
        return not any(vars(self).values())


SKILL = Registry()


def _named(offers: list[Offer], function: Any, name: str | None) -> Any:
    """Registers at once, or, where the decorator has arguments, when it is applied."""

    def register(function: Function) -> Function:
        offers.append(Offer(function, name or function.__name__))
        return function

    return register if function is None else register(function)


def tool(function: Any = None, *, name: str | None = None) -> Any:
    """Makes a function a tool. Its type hints are the tool's types, its docstring says
    what it is for. A parameter with a default can be left out."""
    return _named(SKILL.tools, function, name)


def prompt(function: Any = None, *, name: str | None = None) -> Any:
    """Makes a function a prompt. It takes texts, and gives a text or a list of
    `Message`. A parameter with a default can be left out."""
    return _named(SKILL.prompts, function, name)


def workflow(function: Any = None, *, name: str | None = None) -> Any:
    """Makes a function the skill's workflow. It takes one dict or dataclass and gives
    whatever JSON can hold. A skill has one."""
    return _named(SKILL.workflows, function, name)


def resource(uri: str, *, name: str | None = None, mime_type: str | None = None) -> Callable[[Function], Function]:
    """Makes a function without parameters a resource: it gives its text or its bytes."""

    def register(function: Function) -> Function:
        SKILL.resources.append(Offer(function, name or function.__name__, uri, mime_type))
        return function

    return register


def resource_template(
    uri: str, *, name: str | None = None, mime_type: str | None = None
) -> Callable[[Function], Function]:
    """Makes a function many resources at once, by a URI such as `notes://day/{date}`;
    it takes what stands in the places of the names."""

    def register(function: Function) -> Function:
        SKILL.templates.append(Offer(function, name or function.__name__, uri, mime_type))
        return function

    return register


def list_tools(function: Function) -> Function:
    """Makes a function the one that lists the tools there are now: it gives a list of
    `ToolInfo`. There has to be a function with `call_tool` too."""
    return _named(SKILL.listers, function, None)


def call_tool(function: Function) -> Function:
    """Makes a function the one that calls a tool of `list_tools`: it takes the tool's
    name and a dict of arguments, and gives whatever JSON can hold."""
    return _named(SKILL.callers, function, None)
