"""Messages for those who run the skill. Outside of a component, they go to stderr."""

from __future__ import annotations

import sys

from . import _host


def trace(message: str, context: str = "") -> None:
    """The inside of the skill, step by step."""
    _log("TRACE", context, message)


def debug(message: str, context: str = "") -> None:
    """For whoever looks for a fault."""
    _log("DEBUG", context, message)


def info(message: str, context: str = "") -> None:
    """What a person who runs the skill may want to know."""
    _log("INFO", context, message)


def warn(message: str, context: str = "") -> None:
    """Something may be wrong."""
    _log("WARN", context, message)


def error(message: str, context: str = "") -> None:
    """Something is wrong."""
    _log("ERROR", context, message)


def critical(message: str, context: str = "") -> None:
    """The skill can't go on."""
    _log("CRITICAL", context, message)


def _log(level: str, context: str, message: str) -> None:
    if _host.is_component():
        logging = _host.bindings("logging")
        logging.log(logging.Level[level], context, message)
    else:
        print(f"{level.lower()}: {f'{context}: ' if context else ''}{message}", file=sys.stderr)
