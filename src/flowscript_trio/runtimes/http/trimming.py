"""Owns the line breaks at the ends of secrets: files of them end in one, and a header has no room for it."""

from __future__ import annotations

from typing import Any, TypeVar

from ..types import ExecutionParams
from .types import RequestConfig

_BREAKS = "\r\n"
_IN_AUTH = ("token", "username", "password", "client_id", "client_secret")

Config = TypeVar("Config", bound=RequestConfig)


def trimmed(params: ExecutionParams, config: Config) -> Config:
    """The settings without line breaks at the ends of headers and of `auth`; each is a warning."""
    changed: dict[str, Any] = {}
    headers = {name: without_breaks(value) for name, value in config.headers.items()}
    found = [
        f"the header {name!r}" for name in headers if headers[name] is not config.headers[name]
    ]
    if found:
        changed["headers"] = headers
    if config.auth is not None:
        given = {name: getattr(config.auth, name) for name in _IN_AUTH}
        bare = {name: without_breaks(value) for name, value in given.items()}
        cut = {name: value for name, value in bare.items() if value is not given[name]}
        if cut:
            changed["auth"] = config.auth.model_copy(update=cut)
            found += [f"the {name} of auth" for name in cut]
    if not found:
        return config
    for what in found:
        warn_of(what, params)
    return config.model_copy(update=changed)


def warn_of(what: str, params: ExecutionParams) -> None:
    """Warn that a line break was left out."""
    params.run.warn(
        params.node,
        f"{what} has a line break at its end, which is left out (the file of a secret often ends in one)",
    )


def without_breaks(value: Any) -> Any:
    """A text without line breaks at its ends; the same object where there are none."""
    if not isinstance(value, str) or not value:
        return value
    return value.strip(_BREAKS) if value[0] in _BREAKS or value[-1] in _BREAKS else value
