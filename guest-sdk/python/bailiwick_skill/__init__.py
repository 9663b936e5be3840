"""Skills for Bailiwick in Python.

A skill is a module of functions. `tool` makes one a tool; its type hints become the
types of the component, its docstring the description. `python3 -m bailiwick_skill.build`
makes the component.

What the host offers is in modules of its own: `progress`, `log`, `skills`, `models`,
`approvals`, `state`, `settings`, `http`. Only a module that the skill imports becomes
an import of its component, so that a reviewer sees what the skill can ask for.
"""

from ._guest_values import Message, ToolInfo, assistant, user
from ._kinds import F32, F64, S8, S16, S32, S64, U8, U16, U32, U64, Char
from ._registry import call_tool, list_tools, prompt, resource, resource_template, tool, workflow
from .errors import InvalidArguments, NotFound, ToolError

__all__ = [
    "F32",
    "F64",
    "S8",
    "S16",
    "S32",
    "S64",
    "U8",
    "U16",
    "U32",
    "U64",
    "Char",
    "InvalidArguments",
    "Message",
    "NotFound",
    "ToolError",
    "ToolInfo",
    "assistant",
    "call_tool",
    "list_tools",
    "prompt",
    "resource",
    "resource_template",
    "tool",
    "user",
    "workflow",
]
