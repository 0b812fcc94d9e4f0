"""Owns the error of an HTTP status. Importing this imports httpx."""

from __future__ import annotations

from typing import Any

import httpx

from ...expression.json_pieces import read_json
from ...types.errors import FlowScriptError
from ...types.headers import Headers

RETRYABLE = frozenset({408, 425, 429})
NOT_RETRYABLE = frozenset({501, 505})
"""Of those from 500 on, the ones that will be the same the next time."""


class HTTPStatusError(FlowScriptError, httpx.HTTPStatusError):
    """A server answered with a status of 400 or more; or with 206 or 304, which nobody had asked for.

    ``status`` is the code, ``headers`` those of the answer (names in lower case), ``excerpt`` the beginning of
    the body (2,000 bytes at most), and ``body`` that beginning as JSON where it is whole JSON, else as text;
    ``retryable`` is True for 408, 425, 429 and 5xx but 501 and 505; ``retry_after`` is for how many seconds the
    server asks to be left alone, or None. The message shows the URL without credentials and query. The body
    of ``response`` is not read any further.

    A request that is cancelled raises ``trio.Cancelled``, never this.
    """

    def __init__(
        self, response: httpx.Response, excerpt: str, retry_after: float | None = None
    ) -> None:
        request = response.request
        self.status: int = response.status_code
        self.headers: dict[str, str] = Headers(response.headers)
        self.excerpt = excerpt
        self.retryable: bool = is_passing(self.status)
        self.retry_after: float | None = retry_after
        reason = f" {response.reason_phrase}" if response.reason_phrase else ""
        shown = f": {excerpt}" if excerpt else ""
        httpx.HTTPStatusError.__init__(
            self,
            f"{request.method} {bare_url(request.url)} answered {self.status}{reason}{shown}",
            request=request,
            response=response,
        )

    @property
    def body(self) -> Any:
        try:
            return read_json(self.excerpt)
        except (ValueError, RecursionError):
            return self.excerpt


def is_passing(status: int) -> bool:
    """Whether a status may be another one the next time."""
    return status in RETRYABLE or (500 <= status <= 599 and status not in NOT_RETRYABLE)


class QuietRequest(httpx.Request):
    """A request whose repr does not show what its URL may have of secrets: error trackers show it.

    A secret is in the path of many a webhook.
    """

    def __repr__(self) -> str:
        origin = self.url.copy_with(username=None, password=None, raw_path=b"/", fragment=None)
        shown = f"{origin}…" if self.url.raw_path != b"/" else str(origin)
        return f"<Request({self.method!r}, {shown!r})>"


def bare_url(url: httpx.URL) -> str:
    """A URL without credentials and without its query, which may hold secrets."""
    bare = url.copy_with(username=None, password=None, query=None, fragment=None)
    return f"{bare}?…" if url.query else str(bare)
