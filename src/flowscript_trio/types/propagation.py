"""Owns what goes along with the requests of a run: headers that an observer has for them, such as a trace's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token

Headers = Callable[[], Mapping[str, str]]

_headers: ContextVar[Headers | None] = ContextVar("flowscript_headers", default=None)


def headers_along() -> Mapping[str, str]:
    """The headers that are to go along with a request of the current task."""
    headers = _headers.get()
    return {} if headers is None else headers()


def send_along(headers: Headers) -> Token[Headers | None]:
    """From now on, in this task and those that it starts, ask ``headers`` for each request; see :func:`end`."""
    return _headers.set(headers)


def end(token: Token[Headers | None]) -> None:
    """Go back to what went along before."""
    _headers.reset(token)
