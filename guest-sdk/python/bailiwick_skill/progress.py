"""How far a call has come, for whoever waits for it."""

from __future__ import annotations

import sys

from . import _host


def report(done: int, total: int | None = None, message: str = "") -> None:
    """Says that `done` of `total` is done, in a unit of the skill's own. Reports that
    come too fast are dropped. Outside of a component, it goes to stderr."""
    if _host.is_component():
        _host.bindings("progress").report(done, total, message)
    else:
        print(f"progress: {done}{'' if total is None else f' of {total}'} {message}".rstrip(), file=sys.stderr)
