"""Owns what is known about an error: type, status, whether trying again may help, and how expressions see it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from .errors import RecordedError, RemoteError, WorkflowFailed, view_of
from .exceptions import class_name, is_a
from .looking import look, look_or, text_of


def type_of(error: BaseException) -> str:
    """What an error is called: its class, or the type that a ``<fail>`` gives it, or that was recorded or sent."""
    if (view := view_of(error)) is not None:
        return str(view["type"])
    if not is_a(error, (WorkflowFailed, RecordedError, RemoteError)):
        return class_name(error)

    def ask(error: Any) -> str:
        return error.type or class_name(error)

    return look_or(error, ask, lambda _: class_name(error))


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error bears, or None; raises what its class raises."""
    if (view := view_of(error)) is not None:
        known: int | None = view["status"]
        return known
    return look(error, _status)


def safe_status_of(error: BaseException) -> int | None:
    """As :func:`status_of`; None as well where the class of the error fails at saying it."""
    return look_or(error, status_of, lambda _: None)


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def retry_after_of(error: BaseException) -> float:
    """For how many seconds whoever failed asks to be left alone; 0.0 where it does not.

    Raises what its class raises.
    """
    if (known := view_of(error)) is not None:
        _raise_again(known, "retry_after")

    def ask(error: BaseException) -> float:
        asked = getattr(error, "retry_after", None)
        return asked if isinstance(asked, (int, float)) and 0 < asked < float("inf") else 0.0

    return look(error, ask)


def is_retryable(error: BaseException) -> bool:
    """Whether trying again may help: 408, 425, 429, 5xx but 501 and 505, timeouts, refused connections, names that
    are not found.

    An error of your own can say so itself, by an attribute ``retryable``. Raises what its class raises.
    """
    if (known := view_of(error)) is not None:
        _raise_again(known, "retryable")
        return bool(known["retryable"])
    return look(error, _is_retryable)


def _is_retryable(error: BaseException) -> bool:
    own = declares_retryable(error)
    if own is not None:
        return own
    passing = (trio.TooSlowError, TimeoutError, ConnectionRefusedError, socket.gaierror)
    if is_a(error, passing):
        return True
    httpx = sys.modules.get("httpx")  # an error of httpx can only be there if it was imported
    if httpx is not None and is_a(error, (httpx.TimeoutException, httpx.ConnectError)):
        return True
    status = _status(error)
    if status is None:
        return False
    return status in (408, 425, 429) or (500 <= status <= 599 and status not in (501, 505))


def declares_retryable(error: BaseException) -> bool | None:
    """What an error says itself of whether trying again may help; None: nothing. Raises what its class raises."""

    def ask(error: BaseException) -> bool | None:
        own = getattr(error, "retryable", None)
        return own if isinstance(own, bool) else None

    return look(error, ask)


def describe(error: BaseException, node: str | None) -> dict[str, Any]:
    """An error as expressions see it: ``$error`` in handlers, ``error`` in the ``when`` of a retry.

    One of an HTTP status has the ``headers`` and ``body`` of the answer, too. Raises what its class raises.
    """
    if (known := view_of(error)) is not None:
        _raise_again(known, "view")
        return {name: part for name, part in known.items() if name != RAISED} | {"node": node}
    return look(error, partial(_describe, node=node))


def _describe(error: BaseException, node: str | None) -> dict[str, Any]:
    view = {
        "type": type_of(error),
        "message": str(error),
        "status": _status(error),
        "retryable": _is_retryable(error),
        "node": node,
    }
    errors = sys.modules.get("flowscript_trio.runtimes.http.errors")
    if errors is not None and is_a(error, errors.HTTPStatusError):
        view |= {"headers": error.headers, "body": error.body}
    return view


RAISED = "raised"
"""In what :func:`describe_to_keep` gives: what the class of the error raised, by what it was asked."""


def describe_to_keep(error: BaseException) -> dict[str, Any]:
    """As :func:`describe_safely`, and what the questions above raise where the class of the error fails at them.

    An error that is restored from that raises the same: what follows it must be what followed it before.
    """
    view = describe_safely(error, None)
    raised: dict[str, BaseException] = {}
    asks: dict[str, Callable[[BaseException], object]] = {
        "view": partial(describe, node=None),
        "retryable": is_retryable,
        "retry_after": retry_after_of,
    }
    for name, ask in asks.items():
        look_or(error, ask, partial(raised.setdefault, name))
    return {**view, RAISED: raised} if raised else view


def _raise_again(view: dict[str, Any], name: str) -> None:
    """Raise what the class of an error raised when it was asked that in an earlier process."""
    if name in view.get(RAISED, ()):
        raise view[RAISED][name]


def describe_safely(error: BaseException, node: str | None) -> dict[str, Any]:
    """As :func:`describe`, for what must go on: what the error cannot say of itself is null, or said as such."""
    return look_or(
        error,
        partial(describe, node=node),
        lambda _: {
            "type": type_of(error),
            "message": text_of(error),
            "status": None,
            "retryable": False,
            "node": node,
        },
    )
