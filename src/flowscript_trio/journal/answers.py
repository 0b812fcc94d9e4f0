"""Owns what errors of httpx hold of a request and its answer, as plain data and back."""

from __future__ import annotations

import sys
from typing import Any

from ..types.exceptions import is_a
from ..types.looking import look_or


def answer_of(error: BaseException) -> dict[str, Any] | None:
    """The request of an error of httpx, and the answer where it has one; None for any other error."""
    httpx = sys.modules.get("httpx")  # an error of httpx can only be there if it was imported
    if httpx is None or not is_a(error, httpx.HTTPError):
        return None
    return look_or(error, _answer, lambda _: None)


def _answer(error: Any) -> dict[str, Any] | None:
    httpx = sys.modules["httpx"]
    request = error._request
    if request is None:
        return None
    made: dict[str, Any] = {"method": request.method, "url": str(request.url)}
    response = getattr(error, "response", None)
    if isinstance(response, httpx.Response):
        excerpt = getattr(error, "excerpt", None)
        made |= {
            "status": response.status_code,
            "headers": [
                [name.decode("latin-1"), text.decode("latin-1")]
                for name, text in response.headers.raw
            ],
            "body": excerpt if isinstance(excerpt, str) else "",
        }
    return made


def give_answer(error: BaseException, kept: dict[str, Any] | None) -> None:
    """Give an error of httpx the request and the answer that it had."""
    if kept is None:
        return
    import httpx

    assert is_a(error, httpx.HTTPError)
    request = httpx.Request(kept["method"], kept["url"])
    error._request = request
    if "status" in kept and is_a(error, httpx.HTTPStatusError):
        # A coding of the answer was undone before; what is left of its headers is as it was.
        plain = [(n, text) for n, text in kept["headers"] if n.lower() not in _OF_THE_BODY]
        error.response = httpx.Response(
            kept["status"], headers=plain, content=kept["body"].encode(), request=request
        )


_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
