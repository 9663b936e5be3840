"""What can be wrong with a skill that imports well, all at once."""

from __future__ import annotations

import inspect
import re
import typing
from typing import Any

from . import _names
from ._guest import derive, workflow_kinds
from ._kinds import Kind, Named, Signature
from ._registry import Offer, Registry
from ._source import Source, own_doc
from .errors import BuildError


class Checked:
    """What was found: the tools and their types, errors, and warnings."""

    def __init__(self, skill: Registry, source: Source):
        self.errors: list[BuildError] = []
        self.warnings: list[BuildError] = []
        self.tools: list[Signature] = []
        self.workflow: dict[str, Kind] = {}
        """The types of the workflow's `input` and `output`, where they have some."""
        self._source = source
        self._skill = skill
        self._derivation = derive(skill, source)
        for what, offers in (
            ("tool", skill.tools),
            ("prompt", skill.prompts),
            ("workflow", skill.workflows),
            ("resource", [*skill.resources, *skill.templates]),
        ):
            self._offers(what, offers)
        for offer in skill.tools:
            self._try(lambda offer=offer: self.tools.append(self._derivation.signature(offer.function, offer.name)))
        for offer in skill.prompts:
            self._prompt(offer)
        for offer in [*skill.resources, *skill.templates]:
            self._resource(offer)
        self._workflows(skill.workflows)
        self._provider(skill.listers, skill.callers)

    @property
    def named(self) -> list[Named]:
        return self._derivation.named

    def _try(self, step: Any) -> None:
        try:
            step()
        except BuildError as error:
            self.errors.append(error)

    def _error(self, function: Any, message: str, part: str | None = None) -> None:
        self.errors.append(BuildError(message, *self._source.place(function, part)))

    def _warn(self, function: Any, message: str) -> None:
        self.warnings.append(BuildError(message, *self._source.place(function)))

    def _offers(self, what: str, offers: list[Offer]) -> None:
        """What every function is asked."""
        seen: dict[Any, Offer] = {}
        for offer in offers:
            earlier = seen.setdefault(_names.kebab(offer.name), offer)
            if earlier is not offer:
                first = ":".join(map(str, self._source.place(earlier.function)))
                self._error(
                    offer.function,
                    f"two {what}s are called `{_names.kebab(offer.name)}`, and the first is at "
                    f'{first}; rename one, or give it another name by @{what}(name="…")',
                )
            if inspect.iscoroutinefunction(offer.function):
                self._error(
                    offer.function,
                    f"{what} `{offer.name}` is async, and a component is called plainly; "
                    "write `def` in place of `async def`",
                )
            if not own_doc(offer.function):
                self._warn(
                    offer.function,
                    f"{what} `{offer.name}` has no docstring, so nobody who chooses among {what}s learns what it "
                    'is for; write one below its `def`, such as """Counts the words of a text."""',
                )

    def _prompt(self, offer: Offer) -> None:
        hints = self._hints(offer)
        for name, param in inspect.signature(offer.function).parameters.items():
            texts = (str, typing.Optional[str])
            if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD, param.POSITIONAL_ONLY):
                self._error(
                    offer.function, f"prompt `{offer.name}`: the parameter `{param}` has to have a plain name", name
                )
            elif hints.get(name) not in texts:
                self._error(
                    offer.function,
                    f"prompt `{offer.name}`: parameter `{name}` is a text, as all arguments of "
                    f"prompts are; write `{name}: str` and turn it into what it has to be",
                    name,
                )

    def _resource(self, offer: Offer) -> None:
        params = list(inspect.signature(offer.function).parameters)
        if not re.match(r"[a-z][a-z0-9+.-]*:", offer.uri):
            self._error(
                offer.function,
                f"resource `{offer.name}`: `{offer.uri}` is no absolute URI; "
                "begin it with a scheme, such as notes://today",
            )
        wanted = re.findall(r"\{\+?(\w+)\}", offer.uri)
        if sorted(wanted) != sorted(params):
            self._error(
                offer.function,
                f"resource `{offer.name}`: its URI names {', '.join(wanted) or 'nothing'} and it takes "
                f"{', '.join(params) or 'nothing'}; each {{name}} of the URI is a parameter of that name",
            )

    def _workflows(self, offers: list[Offer]) -> None:
        for offer in offers[1:]:
            self._error(
                offer.function,
                f"workflow `{offer.name}`: a skill has one workflow, and `{offers[0].name}` is it; "
                "make this a plain function that the workflow calls",
            )
        if not offers:
            return
        first = offers[0]
        if len(inspect.signature(first.function).parameters) != 1:
            self._error(
                first.function, f"workflow `{first.name}` takes one parameter, its input: a dict or a dataclass"
            )
        else:
            self._try(lambda: self._workflow(first))

    def _workflow(self, offer: Offer) -> None:
        kinds = workflow_kinds(offer, derive(self._skill, self._source))
        self.workflow = {name: kind for name, kind in zip(("input", "output"), kinds) if kind is not None}

    def _provider(self, listers: list[Offer], callers: list[Offer]) -> None:
        for offer in [*listers[1:], *callers[1:]]:
            self._error(
                offer.function, f"`{offer.name}`: there is one function that lists tools and one that calls them"
            )
        if bool(listers) != bool(callers):
            has, lacks = ("list_tools", "call_tool") if listers else ("call_tool", "list_tools")
            self._error(
                [*listers, *callers][0].function, f"there is a function with @{has} and none with @{lacks}; write both"
            )

    def _hints(self, offer: Offer) -> dict[str, Any]:
        try:
            return typing.get_type_hints(offer.function)
        except (NameError, TypeError) as error:
            self._error(offer.function, f"`{offer.name}`: a type hint can't be read: {error}")
            return {name: str for name in inspect.signature(offer.function).parameters}
