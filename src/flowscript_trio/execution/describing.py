"""Owns what is known of any error: its status, whether trying again may help, and how expressions see it."""

from __future__ import annotations

import socket
import sys
from typing import Any

import trio

from ..types.errors import status_of, text_of, type_of, view_of
from ..types.exceptions import is_a


def describe(error: BaseException, node: str | None) -> dict[str, Any]:
    """An error as expressions see it: ``$error`` in handlers, ``error`` in the ``when`` of a retry.

    One of an HTTP status has the ``headers`` and ``body`` of the answer, too.
    """
    if (known := view_of(error)) is not None:
        return {**known, "node": node}
    view = {
        "type": type_of(error),
        "message": str(error),
        "status": status_of(error),
        "retryable": is_retryable(error),
        "node": node,
    }
    errors = sys.modules.get("flowscript_trio.runtimes.http.errors")
    if errors is not None and is_a(error, errors.HTTPStatusError):
        view |= {"headers": error.headers, "body": error.body}
    return view


def retry_after_of(error: BaseException) -> float:
    """For how many seconds whoever failed asks to be left alone; 0.0 where it does not."""
    asked = getattr(error, "retry_after", None)
    return asked if isinstance(asked, (int, float)) and 0 < asked < float("inf") else 0.0


def describe_safely(error: BaseException, node: str | None) -> dict[str, Any]:
    """As :func:`describe`, for what must go on: what the error cannot say of itself is null, or said as such."""
    try:
        return describe(error, node)
    except BaseException:
        return {
            "type": type_of(error),
            "message": text_of(error),
            "status": None,
            "retryable": False,
            "node": node,
        }


def is_retryable(error: BaseException) -> bool:
    """Whether trying again may help: 408, 425, 429, 5xx but 501 and 505, timeouts, refused connections, names that
    are not found.

    An error of your own can say so itself, by an attribute ``retryable``.
    """
    if (known := view_of(error)) is not None:
        return bool(known["retryable"])
    own = getattr(error, "retryable", None)
    if isinstance(own, bool):
        return own
    passing = (trio.TooSlowError, TimeoutError, ConnectionRefusedError, socket.gaierror)
    if is_a(error, passing):
        return True
    httpx = sys.modules.get("httpx")  # an error of httpx can only be there if it was imported
    if httpx is not None and is_a(error, (httpx.TimeoutException, httpx.ConnectError)):
        return True
    status = status_of(error)
    if status is None:
        return False
    return status in (408, 425, 429) or (500 <= status <= 599 and status not in (501, 505))
