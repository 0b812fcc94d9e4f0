"""Owns what an application says about the HTTP of a run: which hosts, how much, through what, with which keys."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import field
from os import PathLike
from typing import Literal
from urllib.parse import urlsplit

from .deferred import dataclass
from .errors import InputError

MIB = 1024 * 1024
_PROXIES = ("http", "https", "socks5", "socks5h")
Redirects = Literal["follow", "same-origin", "none"]
REDIRECTS: tuple[Redirects, ...] = ("none", "same-origin", "follow")
"""Each allows more than the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """What an application allows and gives the HTTP requests of a run: sources, sinks, AI.

    Args:
        allow: the hosts that may be connected to; None: all. Each is a name (``api.example.com``), the names
            below one (``*.example.com``), a network (``203.0.113.0/24``), an address, or one of the words
            ``loopback``, ``link-local``, ``private``.
        deny: the hosts that may not be, written alike; it takes precedence over ``allow``. Networks and words hold
            for the address that is connected to, whatever name led there.
        redirects: the most that documents may ask for: ``follow``, ``same-origin`` or ``none``.
        max_redirects: how many redirects of one request are followed.
        max_bytes: how large the body of an answer may be, as it is sent and as it is decoded.
        proxy: the URL of a proxy that every request goes through (``http://user:password@host:port``).
            The proxy looks names up itself: of the hosts, only names and literal addresses are checked then.
        ca: a file of certificates (PEM) that are trusted instead of the well-known ones.
        client_certificate: a file with the certificate and key (PEM) that are shown to servers that ask, or
            the files of the two.
        cache: a file (SQLite) in which answers are kept as their headers allow (RFC 9111): one that is fresh is
            not asked for again, and an old one is asked for by its ETag. Requests that identify their sender
            (cookies, authorisation, headers of their own) pass it by. Runs and processes may share it. It needs
            the extra ``cache``.

    Raises InputError for what is not one of these. It holds nothing that a cancellation would have to close.
    """

    allow: Sequence[str] | None = None
    deny: Sequence[str] = ()
    redirects: Redirects = "follow"
    max_redirects: int = 10
    max_bytes: int = 100 * MIB
    proxy: str | None = field(default=None, repr=False)
    ca: str | PathLike[str] | ssl.SSLContext | None = None
    client_certificate: (
        str | PathLike[str] | tuple[str | PathLike[str], str | PathLike[str]] | None
    ) = None
    cache: str | PathLike[str] | None = None

    def __post_init__(self) -> None:
        if self.redirects not in REDIRECTS:
            raise InputError(
                f"redirects is {self.redirects!r}; expected 'follow', 'same-origin' or 'none'"
            )
        for name in ("max_redirects", "max_bytes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise InputError(f"{name} is {value!r}; expected a whole number of at least 0")
        if self.proxy is not None:
            _check_proxy(self.proxy)
        if self.cache is not None and not isinstance(self.cache, (str, PathLike)):
            raise InputError(f"cache is {self.cache!r}; expected the path of a file")
        for name in ("allow", "deny"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise InputError(f"{name} is the text {value!r}; expected a list of hosts")
            if value is not None:
                object.__setattr__(self, name, tuple(value))


def _check_proxy(proxy: object) -> None:
    """Raise InputError for what is not the URL of a proxy; it is not shown, since a password may be in it."""
    try:
        found = urlsplit(proxy) if isinstance(proxy, str) else None
        is_valid = found is not None and found.scheme in _PROXIES and bool(found.hostname)
        is_valid = is_valid and found is not None and found.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise InputError("proxy is not the URL of a proxy; expected http://host:port")
