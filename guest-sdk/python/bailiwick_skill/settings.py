"""Values that the host hands to the skill: `config` among the permissions of its manifest."""

from __future__ import annotations

from . import _host


class SettingsError(_host.HostError):
    """Why a value could not be read. `kind` is `upstream` or `io`."""


def get(key: str) -> str | None:
    """The value of a key; None where there is none, or it was not granted."""
    return _host.call(SettingsError, f"reading the setting `{key}`", _host.bindings("wasi_config").get, key)


def get_all() -> dict[str, str]:
    """All keys with their values."""
    return dict(_host.call(SettingsError, "reading the settings", _host.bindings("wasi_config").get_all))
