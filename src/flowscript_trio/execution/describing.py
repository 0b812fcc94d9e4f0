"""Owns what is known of any error: its status, whether trying again may help, and how expressions see it."""

from __future__ import annotations

import sys
from typing import Any

import trio

from ..types.errors import text_of


def describe(error: BaseException, node: str | None) -> dict[str, Any]:
    """An error as expressions see it: ``$error`` in handlers, ``error`` in the ``when`` of a retry."""
    return {
        "type": type(error).__name__,
        "message": str(error),
        "status": status_of(error),
        "retryable": is_retryable(error),
        "node": node,
    }


def describe_safely(error: BaseException, node: str | None) -> dict[str, Any]:
    """As :func:`describe`, for what must go on: what the error cannot say of itself is null, or said as such."""
    try:
        return describe(error, node)
    except Exception:
        return {
            "type": type(error).__name__,
            "message": text_of(error),
            "status": None,
            "retryable": False,
            "node": node,
        }


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an error bears, or None."""
    status = getattr(error, "status", None)
    if status is None:
        status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def is_retryable(error: BaseException) -> bool:
    """Whether trying again may help: 429, 5xx, timeouts and refused connections.

    An error of your own can say so itself, by an attribute ``retryable``.
    """
    own = getattr(error, "retryable", None)
    if isinstance(own, bool):
        return own
    if isinstance(error, (trio.TooSlowError, TimeoutError, ConnectionRefusedError)):
        return True
    httpx = sys.modules.get("httpx")  # an error of httpx can only be there if it was imported
    if httpx is not None and isinstance(error, (httpx.TimeoutException, httpx.ConnectError)):
        return True
    status = status_of(error)
    return status is not None and (status == 429 or 500 <= status <= 599)
