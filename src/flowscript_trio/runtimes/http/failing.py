"""Owns what is said about a request that failed below HTTP: what was asked of whom, the cause, and what to do.

Importing this imports httpx.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import httpx

from .errors import bare_url
from .network import NoAnswer

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""

_NETWORK: dict[int, str] = {
    errno.EHOSTUNREACH: "no route leads to the host",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.EADDRNOTAVAIL: "the address cannot be used from here",
}


def explained(
    error: httpx.RequestError, request: httpx.Request, proxy: str | None = None
) -> httpx.RequestError:
    """An error of the same class that names the request, the cause and a remedy, and knows if it may pass.

    It shows neither credentials nor the query of the URL. ``proxy`` is the URL of the one that was connected to.
    """
    request = _request_of(error) or request
    said, passes = _reason(error, request, proxy)
    made: Any = type(error)(f"{request.method} {bare_url(request.url)}: {said}", request=request)
    made.retryable = passes
    return made  # type: ignore[no-any-return]


def _request_of(error: httpx.RequestError) -> httpx.Request | None:
    try:
        return error.request
    except RuntimeError:
        return None


def _reason(
    error: httpx.RequestError, request: httpx.Request, proxy: str | None
) -> tuple[str, bool]:
    """What went wrong, and whether trying again may help."""
    host, where = _peer(request.url)
    # The peer of the connection: through a proxy nobody knows whether the server could be reached.
    peer, there = (host, where) if proxy is None else _peer(httpx.URL(proxy))
    if proxy is not None:
        there = f"the proxy {there}"
        where = f"{where} (by way of {there})"
    if isinstance(error, httpx.TimeoutException):
        return f"{where} took too long", True
    if isinstance(error, httpx.ProxyError):
        return f"the proxy refused: {error}; check http=HttpOptions(proxy=…)", False
    for cause in _causes(error):
        if isinstance(cause, NoAnswer):
            said = f"{where} sent interim answers (1xx) and no other"
            return f"{said}: {cause}", False
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or str(cause)
            return (
                f"the certificate of {host!r} is not trusted ({why}); if it is right, give the "
                "certificates to trust in HttpOptions(ca=…)",
                False,
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(error, (httpx.ReadError,)):
            why = cause.reason or str(cause)
            return f"no TLS connection to {where} could be made ({why}); is it https?", False
        if isinstance(cause, socket.gaierror):
            why = cause.strerror or str(cause)
            return (
                f"the host name {peer!r} could not be looked up ({why}); check its spelling",
                True,
            )
        if isinstance(cause, ConnectionRefusedError):
            return (
                f"the connection to {there} was refused; check the port, and that the service is up",
                True,
            )
        if isinstance(cause, OSError) and cause.errno in _NETWORK:
            return f"{there} was not reached: {_NETWORK[cause.errno]}", True
    may_repeat = request.method in IDEMPOTENT or "idempotency-key" in request.headers
    hint = (
        ""
        if may_repeat
        else f"; whether the server acted on it is not known: a {request.method} is tried again only with "
        "the header Idempotency-Key"
    )
    said = str(error).strip()
    detail = f" ({said})" if said else ""
    if isinstance(error, httpx.ConnectError):
        return f"no connection to {there} could be made{detail}", True
    if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError)):
        if _is_nonsense(said):
            return f"{where} answered with what is not HTTP{detail}; check scheme and port", False
        return (
            f"{where} closed the connection before its answer was whole{detail}{hint}",
            may_repeat,
        )
    if isinstance(error, httpx.NetworkError):
        return f"the connection to {where} was lost{detail}{hint}", may_repeat
    return f"{said or type(error).__name__}", False


def _peer(url: httpx.URL) -> tuple[str, str]:
    """The host of a URL, and the same with its port."""
    return url.host, f"{url.host} port {url.port or (443 if url.scheme == 'https' else 80)}"


def _is_nonsense(said: str) -> bool:
    """Whether the server broke the protocol, rather than the connection off."""
    lowered = said.lower()
    return bool(said) and not any(
        word in lowered for word in ("disconnected", "closed", "incomplete", "reset", "eof")
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What led to an error, nearest first, with the members of groups."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [other for other in (each.__cause__, each.__context__) if other is not None]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
