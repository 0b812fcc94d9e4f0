"""Owns digest authorisation: challenges as servers send them, and the error for one that cannot be answered.

Importing this imports httpx.
"""

from __future__ import annotations

import re
from collections.abc import Generator

import httpx

from ...types.errors import FlowScriptError
from .errors import bare_url

_CHALLENGES = re.compile(
    r'[A-Za-z][\w-]*(?:\s+(?:[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"]*)\s*(?:,\s*(?=[\w-]+\s*=))?)*)?'
)
"""A scheme with its parameters: several may be in one header."""
_STALE = re.compile(r'\bstale\s*=\s*"?true', re.IGNORECASE)


class DigestRefused(FlowScriptError):
    """The server's challenge cannot be answered. It is never retried, and no cancellation is behind it."""

    retryable = False


class Digest(httpx.DigestAuth):
    """httpx's own, which takes one challenge in each header, and a nonce that has expired for a wrong password."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        try:
            answer = yield from self._asked(request, None)
            if answer.status_code == 401 and _STALE.search(_challenge_of(answer)):
                yield from self._asked(request, answer)
        except (LookupError, NotImplementedError, ValueError, httpx.ProtocolError) as exc:
            why = f"it asks for {exc}, which is not known" if isinstance(exc, KeyError) else exc
            raise DigestRefused(
                f"{request.method} {bare_url(request.url)}: the server's challenge for digest cannot be answered "
                f"({why})"
            ) from exc

    def _asked(
        self, request: httpx.Request, answer: httpx.Response | None
    ) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        """The last answer to a request, which is sent again as it is challenged; one may have come before."""
        flow = super().auth_flow(request)
        sending = next(flow)
        while True:
            if answer is None:
                answer = yield sending
            last, answer = answer, None
            if last.status_code == 401 and (challenge := _challenge_of(last)):
                last.headers["www-authenticate"] = challenge
            try:
                sending = flow.send(last)
            except StopIteration:
                return last


def _challenge_of(answer: httpx.Response) -> str:
    """The first challenge for digest; empty where there is none."""
    for header in answer.headers.get_list("www-authenticate"):
        for found in _CHALLENGES.finditer(header):
            if found[0].lower().startswith("digest"):
                return found[0].strip().rstrip(",")
    return ""
