"""Keys and values that outlive the call: `state` among the permissions of the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import _host


class StateError(_host.HostError):
    """Why an operation failed. `kind` is `no-such-store`, `access-denied` or `other`."""


class Bucket:
    """A collection of keys, each with a value of bytes."""

    def __init__(self, name: str, handle: Any):
        self.name = name
        self._handle = handle

    def get(self, key: str) -> bytes | None:
        """The value of a key; None where there is none."""
        return self._call("reading", key, self._handle.get, key)

    def set(self, key: str, value: bytes) -> None:
        """Stores a value, in place of an older one."""
        self._call("writing", key, self._handle.set, key, value)

    def delete(self, key: str) -> None:
        """Removes a key; does nothing where there is none."""
        self._call("deleting", key, self._handle.delete, key)

    def exists(self, key: str) -> bool:
        """Whether there is a value."""
        return self._call("looking for", key, self._handle.exists, key)

    def keys(self) -> Iterator[str]:
        """Every key, in no particular order."""
        cursor = None
        while True:
            page = self._call("listing", "*", self._handle.list_keys, cursor)
            yield from page.keys
            cursor = page.cursor
            if cursor is None:
                return

    def increment(self, key: str, delta: int = 1) -> int:
        """Adds to the number at a key, where none is 0, and gives the sum. Of calls at
        the same time none is lost."""
        atomics = _host.bindings("wasi_keyvalue_atomics")
        return self._call("incrementing", key, atomics.increment, self._handle, key, delta)

    def _call(self, doing: str, key: str, function: Any, *arguments: Any) -> Any:
        return _host.call(StateError, f"{doing} `{key}` in {_shown(self.name)}", function, *arguments)


def open(name: str = "") -> Bucket:
    """Opens the skill's own bucket, or one that has a name. Raises `StateError`."""
    host = _host.bindings("wasi_keyvalue")
    return Bucket(name, _host.call(StateError, f"opening {_shown(name)}", host.open, name))


def _shown(name: str) -> str:
    return f"the bucket `{name}`" if name else "the skill's bucket"
