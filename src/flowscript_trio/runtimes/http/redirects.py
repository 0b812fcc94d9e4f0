"""Owns what a redirect may lead to, and what goes along. Importing this imports httpx."""

from __future__ import annotations

from collections.abc import Collection

import httpx

from ...types.errors import FlowScriptError
from ...types.masking import Masker
from .errors import bare_url
from .hosts import leads_somewhere

_LEAD_ON = frozenset({301, 302, 303, 307, 308})
_HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "connection", "cookie", "host", "user-agent"}
)
"""What another origin is sent, unless a secret is in it; all other headers may hold one, whatever their names.
(The cookie is that of its own host.)"""


class RedirectRefused(FlowScriptError):
    """An answer redirects to where the request may not go, or what it carries may not.

    It is never retried, and no cancellation is behind it.
    """

    retryable = False


def next_request(
    answer: httpx.Response,
    mode: str,
    mine: httpx.Headers,
    has_body: bool,
    secrets: Collection[str] = (),
) -> httpx.Request | None:
    """The request that an answer redirects to, or None where it redirects nowhere or none is to be followed.

    Args:
        answer: the answer, whose ``next_request`` httpx made.
        mode: ``follow``, ``same-origin`` or ``none``.
        mine: the headers that the settings gave.
        has_body: whether the request had a body.
        secrets: what no header takes along to another origin.
    """
    request, old = answer.next_request, answer.request
    if mode == "none":
        return None
    if request is None:
        if answer.status_code in _LEAD_ON:
            raise RedirectRefused(
                f"{old.method} {bare_url(old.url)} answered {answer.status_code} without saying where to; "
                "expected a header Location, or redirects: none to take the answer as it is"
            )
        return None
    if is_same_origin(old.url, request.url):
        if "cookie" in mine:
            request.headers["Cookie"] = mine["cookie"]
        return request
    if request.url.scheme not in ("http", "https"):
        raise RedirectRefused(
            f"{old.method} {bare_url(old.url)} redirects to the scheme {request.url.scheme!r}; expected "
            "http or https"
        )
    if not leads_somewhere(request.url):
        raise RedirectRefused(
            f"{old.method} {bare_url(old.url)} redirects to {bare_url(request.url)}, whose host or port is not "
            "valid"
        )
    told = f"{old.method} {bare_url(old.url)} redirects to another origin, {bare_url(request.url)}"
    if mode == "same-origin":
        raise RedirectRefused(f"{told}; redirects is same-origin, so write that URL if it is right")
    if has_body and request.method == old.method:
        raise RedirectRefused(
            f"{told}, and a body is not sent to where it was not meant for; write that URL if it is right"
        )
    masker = Masker(secrets)
    for name, value in list(request.headers.items()):
        if name not in _HARMLESS or (name in mine and masker.hides(value)):
            del request.headers[name]
    return request


def is_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether two URLs are of one origin; from http to https of the same host, too, by their usual ports."""
    if (one.scheme, one.raw_host, _port(one)) == (other.scheme, other.raw_host, _port(other)):
        return True
    upgrade = (one.scheme, _port(one), other.scheme, _port(other)) == ("http", 80, "https", 443)
    return upgrade and one.raw_host == other.raw_host


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)
