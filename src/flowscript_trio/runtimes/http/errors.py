"""Owns the error of an HTTP status. Importing this imports httpx."""

from __future__ import annotations

import httpx

from ...types.errors import FlowScriptError


class HTTPStatusError(FlowScriptError, httpx.HTTPStatusError):
    """A server answered with a status of 400 or more.

    ``status`` is the code, ``excerpt`` the beginning of the body (2,000 bytes at most); ``retryable`` is
    True for 429 and 5xx. The message shows the URL without credentials and query. The body of ``response``
    is not read any further.

    A request that is cancelled raises ``trio.Cancelled``, never this.
    """

    def __init__(self, response: httpx.Response, excerpt: str) -> None:
        request = response.request
        self.status: int = response.status_code
        self.excerpt = excerpt
        self.retryable: bool = self.status == 429 or self.status >= 500
        reason = f" {response.reason_phrase}" if response.reason_phrase else ""
        shown = f": {excerpt}" if excerpt else ""
        httpx.HTTPStatusError.__init__(
            self,
            f"{request.method} {bare_url(request.url)} answered {self.status}{reason}{shown}",
            request=request,
            response=response,
        )


def bare_url(url: httpx.URL) -> str:
    """A URL without credentials and without its query, where secrets stand."""
    bare = url.copy_with(username=None, password=None, query=None, fragment=None)
    return f"{bare}?…" if url.query else str(bare)
