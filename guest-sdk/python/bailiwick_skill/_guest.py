"""What the component exports: the author's functions behind the interfaces of WIT.

The file that the build writes calls `export` once; componentize-py then finds a class
for each exported interface.
"""

from __future__ import annotations

import importlib
import inspect
import json
import keyword
import linecache
import os
import re
import sys
import traceback
import typing
from collections.abc import Callable
from typing import Any

from . import _json, _names
from ._derive import Derivation
from ._guest_values import Message, user
from ._kinds import Scalar
from ._registry import SKILL, Offer, Registry
from ._values import Values
from ._wit import INTERFACE
from .errors import InvalidArguments, NotFound, ToolError

_started = False


def export(namespace: dict[str, Any]) -> None:
    """Puts a class for each exported interface into the namespace of the app."""
    from componentize_py_types import Err

    _remember_sources()
    for condition, make, name, module in (
        (SKILL.tools, tools_class, "Tools", INTERFACE),
        (SKILL.prompts, prompts_class, "Prompts", "prompts"),
        (SKILL.resources or SKILL.templates, resources_class, "Resources", "resources"),
        (SKILL.workflows, workflow_class, "Workflow", "workflow"),
        (SKILL.callers, provider_class, "Provider", "provider"),
    ):
        if condition:
            namespace[name] = make(importlib.import_module(f"wit_world.exports.{module}"), Err)


def start() -> None:
    """What a fresh instance does before its first call.

    The interpreter was started when the component was built, and the state of `random`
    lies in the component. Every instance would draw the same numbers.
    """
    global _started
    if not _started:
        _started = True
        random = sys.modules.get("random")
        if random is not None:
            random.seed(int.from_bytes(os.urandom(16), "little"))


def words(error: BaseException) -> str:
    """What a caller is told of an exception. Its traceback goes to stderr, unless it
    was meant for the caller."""
    if isinstance(error, ToolError):
        return str(error)
    print(readable(error), file=sys.stderr)
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def readable(error: BaseException) -> str:
    """The traceback of an exception from the author's code on, with the author's paths."""
    trace = traceback.TracebackException.from_exception(error)
    here = __file__.rpartition("/")[0] + "/"
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(here):
        inner = inner.tb_next
    if inner is not None:
        trace = traceback.TracebackException(type(error), error, inner)
    root = here.removesuffix("bailiwick_skill/")
    return "".join(trace.format()).rstrip().replace(f'File "{root}', 'File "')


def _remember_sources() -> None:
    """Keeps the text of the author's modules for the lines of tracebacks, as long as
    there are files."""
    root = __file__.rpartition("/")[0].removesuffix("bailiwick_skill")
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(root) and not file.startswith(f"{root}bailiwick_skill/"):
            lines = linecache.getlines(file)
            # Without a time, an entry is not compared with its file.
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)


def tools_class(bindings: Any, err: Any) -> type:
    """The skill's own tools, a method each."""
    derivation = derive()
    values = Values(bindings)
    methods = {}
    for offer in SKILL.tools:
        signature = derivation.signature(offer.function, offer.name)
        methods[_method(signature.wit)] = _tool(signature, values, err)
    return type("Tools", (), methods)


def derive(skill: Registry = SKILL, source: Any = None) -> Derivation:
    """The derivation of a skill's tools, which share a room with their types."""
    return Derivation(source, frozenset(filter(None, (_names.kebab(offer.name) for offer in skill.tools))))


def _method(wit: str) -> str:
    """The name that componentize-py gives to a method."""
    name = wit.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _tool(signature: Any, values: Values, err: Any) -> Callable[..., Any]:
    positional = [
        p.name for p in inspect.signature(signature.function).parameters.values() if p.kind is p.POSITIONAL_ONLY
    ]

    def method(self: Any, *given: Any) -> Any:
        try:
            start()
            named = values.arguments(signature.params, given)
            first = [named.pop(name) for name in positional if name in named]
            result = signature.function(*first, **named)
            return values.lower(signature.result or Scalar("none"), result, f"{signature.name}()")
        except BaseException as error:
            raise err(words(error)) from None

    return method


def prompts_class(bindings: Any, err: Any) -> type:
    """The skill's prompts, by name."""
    offers = {_names.kebab(offer.name): offer for offer in SKILL.prompts}

    class Prompts:
        def list(self) -> Any:
            return [_listed_prompt(bindings, name, offer) for name, offer in offers.items()]

        def get(self, name: str, arguments: Any) -> Any:
            try:
                start()
                if name not in offers:
                    raise NotFound(f"there is no prompt `{name}`; there are {', '.join(map(str, offers))}")
                offer = offers[name]
                made = offer.function(**_prompt_arguments(offer, arguments))
                return bindings.Content(offer.docs, [_message(bindings, turn) for turn in _turns(made)])
            except BaseException as error:
                raise err(_failure(bindings, error)) from None

    return Prompts


def _listed_prompt(bindings: Any, name: Any, offer: Offer) -> Any:
    given = inspect.signature(offer.function).parameters.values()
    arguments = [bindings.Argument(_names.kebab(p.name), offer.entries.get(p.name), is_required(p)) for p in given]
    return bindings.Prompt(name, offer.docs, arguments)


def is_required(param: inspect.Parameter) -> bool:
    """Whether a prompt has to be told a parameter."""
    return param.default is param.empty


def _prompt_arguments(offer: Offer, given: Any) -> dict[str, str]:
    params = {_names.kebab(p.name): p for p in inspect.signature(offer.function).parameters.values()}
    arguments = {}
    for name, text in given:
        if name not in params:
            raise InvalidArguments(f"there is no argument `{name}`; there are {', '.join(map(str, params)) or 'none'}")
        arguments[params[name].name] = text
    for name, param in params.items():
        if is_required(param) and param.name not in arguments:
            raise InvalidArguments(f"the argument `{name}` is missing")
    return arguments


def _turns(made: Any) -> list[Message]:
    turns = [user(made)] if isinstance(made, str) else made
    if not isinstance(turns, (list, tuple)) or not all(isinstance(turn, Message) for turn in turns):
        raise TypeError(f"a prompt gives a str or a list of Message, got {made!r}")
    return list(turns)


def _message(bindings: Any, turn: Message) -> Any:
    role = bindings.Role.ASSISTANT if turn.role == "assistant" else bindings.Role.USER
    return bindings.Message(role, turn.text)


def resources_class(bindings: Any, err: Any) -> type:
    """The skill's resources, by URI."""

    class Resources:
        def list(self) -> Any:
            return [bindings.Entry(o.uri, o.name, o.docs, o.mime_type, None) for o in SKILL.resources]

        def templates(self) -> Any:
            return [bindings.Template(o.uri, o.name, o.docs, o.mime_type) for o in SKILL.templates]

        def read(self, uri: str) -> Any:
            try:
                start()
                offer, arguments = _find_resource(uri)
                made = offer.function(**arguments)
                if not isinstance(made, (str, bytes)):
                    raise TypeError(f"a resource gives a str or bytes, got {type(made).__name__}")
                body = bindings.Body_Text(made) if isinstance(made, str) else bindings.Body_Blob(made)
                return bindings.Content(uri, offer.mime_type, body)
            except BaseException as error:
                raise err(_failure(bindings, error)) from None

    return Resources


def _find_resource(uri: str) -> tuple[Offer, dict[str, str]]:
    for offer in SKILL.resources:
        if offer.uri == uri:
            return offer, {}
    for offer in SKILL.templates:
        found = uri_pattern(offer.uri).fullmatch(uri)
        if found:
            return offer, {name: _unquote(text) for name, text in found.groupdict().items()}
    raise NotFound(f"there is no resource {uri}")


def uri_pattern(template: str) -> re.Pattern[str]:
    """A template's URIs. `{name}` stands for a part without `/`, `{+name}` for any."""
    pieces = re.split(r"\{(\+?)(\w+)\}", template)
    made = re.escape(pieces[0])
    for plus, name, text in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        made += f"(?P<{name}>{'.+' if plus else '[^/?#]+'}){re.escape(text)}"
    return re.compile(made)


def _unquote(text: str) -> str:
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return raw.decode("utf-8", "replace")


def workflow_class(bindings: Any, err: Any) -> type:
    """The skill's workflow."""
    offer = SKILL.workflows[0]
    takes, gives = workflow_kinds(offer, Derivation())

    class Workflow:
        def run(self, input: str) -> str:
            try:
                start()
                given = _object(input)
                made = offer.function(_json.read(takes, given) if takes else given)
                return _json.dumps(_json.write(gives, made) if gives else made)
            except InvalidArguments as error:
                raise err(bindings.Error_InvalidInput(str(error))) from None
            except BaseException as error:
                raise err(bindings.Error_Failed(words(error))) from None

    return Workflow


def workflow_kinds(offer: Offer, derivation: Derivation) -> tuple[Any, Any]:
    """The types of a workflow's input and output; None for those that are plain JSON."""
    hints = typing.get_type_hints(offer.function, include_extras=True)
    param = next(iter(inspect.signature(offer.function).parameters), "")
    what = f"workflow `{offer.name}`"
    plain = (dict, list, Any, object)

    def kind(hint: Any) -> Any:
        is_plain = hint in plain or typing.get_origin(hint) is dict
        return None if is_plain else derivation.type_of(hint, offer.function, what)

    return kind(hints.get(param, Any)), kind(hints.get("return", Any))


def provider_class(bindings: Any, err: Any) -> type:
    """The tools that are known only at run time."""
    lister, caller = SKILL.listers[0].function, SKILL.callers[0].function

    class Provider:
        def list(self) -> Any:
            try:
                start()
                return [_listed_tool(bindings, info) for info in lister()]
            except BaseException as error:
                raise err(words(error)) from None

        def call(self, name: str, arguments: str) -> str:
            try:
                start()
                return _json.dumps(caller(name, _object(arguments)))
            except BaseException as error:
                raise err(_failure(bindings, error)) from None

    return Provider


def _listed_tool(bindings: Any, info: Any) -> Any:
    output = None if info.output_schema is None else _json.dumps(info.output_schema)
    return bindings.Tool(info.name, info.description, _json.dumps(info.input_schema), output)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidArguments(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidArguments(f"expected a JSON object, got {text[:60]}")
    return value


def _failure(bindings: Any, error: BaseException) -> Any:
    """The case of an interface's error that an exception is."""
    if isinstance(error, NotFound):
        return bindings.Error_NotFound(str(error))
    if isinstance(error, InvalidArguments) and hasattr(bindings, "Error_InvalidArguments"):
        return bindings.Error_InvalidArguments(str(error))
    return bindings.Error_Failed(words(error))
