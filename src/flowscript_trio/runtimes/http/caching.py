"""Owns the cache of answers (RFC 9111, by hishel): what may go through it. It imports httpx and hishel."""

from __future__ import annotations

import os
from pathlib import Path

import anysqlite
import httpx
import trio
from hishel import AsyncSqliteStorage, CacheOptions
from hishel.httpx import AsyncCacheTransport

from .hosts import Rules
from .network import check_host

_SAFE = frozenset({"GET", "HEAD"})
_HARMLESS = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length"),
        *("host", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
        *("pragma", "range", "traceparent", "tracestate", "user-agent"),
    }
)  # fmt: skip
"""Headers that say nothing about the sender. An answer to any other may be for its sender alone."""


class CachingTransport(httpx.AsyncBaseTransport):
    """Sends through the cache what anybody could have asked, and everything that may change what is in it.

    A request that identifies its sender (cookies, authorisation, a header of the settings that is not known)
    neither reads nor writes the cache: scopes and runs would see the answers of others. What another run has
    fetched is not read either if it is from a host that this run's own rules deny: with ``rules`` the host's
    addresses are checked for answers that are kept, too. Cancellation closes the connection at once; what was
    half stored is never used.
    """

    def __init__(
        self,
        plain: httpx.AsyncBaseTransport,
        path: str | os.PathLike[str],
        rules: Rules | None = None,
    ) -> None:
        self._plain = plain
        self._rules = rules
        self._path = Path(os.fspath(path)).absolute()
        self._opening = trio.Lock()
        self._cached: AsyncCacheTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_anybody = _HARMLESS.issuperset(name.lower() for name in request.headers)
        if request.method in _SAFE and not is_anybody:
            return await self._plain.handle_async_request(request)
        if self._rules is not None:
            await self._check(self._rules, request)
        async with self._opening:
            if self._cached is None:
                self._cached = await self._open()
        return await self._cached.handle_async_request(request)

    async def _open(self) -> AsyncCacheTransport:
        """The cache, connected to its file: hishel itself takes a mere name for one in a folder of its own."""
        await trio.to_thread.run_sync(_make, self._path)
        connection = await anysqlite.connect(str(self._path), isolation_level=None)
        storage = AsyncSqliteStorage(connection=connection)
        return AsyncCacheTransport(self._plain, storage=storage, rfc=CacheOptions(shared=True))

    async def _check(self, rules: Rules, request: httpx.Request) -> None:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            await check_host(rules, url.raw_host.decode("ascii"), port)
        except OSError as exc:
            raise httpx.ConnectError(str(exc), request=request) from exc

    async def aclose(self) -> None:
        if self._cached is not None:
            await self._cached.aclose()
        else:
            await self._plain.aclose()


def _make(path: Path) -> None:
    """Make the file, for its owner alone: what servers answered is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
