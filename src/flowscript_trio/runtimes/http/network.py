"""Owns connections: each address is checked before it is connected to, and a server has to answer in the end.

Importing this imports httpx.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx
import trio

from .hosts import HostRefused, Rules

MOST_BEFORE_ANSWER = 256 * 1024
"""Bytes that a server may send until the head of its answer is whole: interim answers (1xx), and that head."""

_waiting: ContextVar[Waiting | None] = ContextVar("flowscript_http_waiting", default=None)


class NoAnswer(httpcore.RemoteProtocolError):
    """A server sent interim answers without end."""


class Waiting:
    """A request whose answer has not begun."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left: int = MOST_BEFORE_ANSWER

    def take(self, size: int) -> None:
        """Count what was read; raises NoAnswer beyond the bound."""
        self.left -= size
        if self.left < 0:
            raise NoAnswer(f"more than {MOST_BEFORE_ANSWER:,} bytes before its answer")


class Transport(httpx.AsyncHTTPTransport):
    """Sends over connections of a network, where what comes before an answer is bounded."""

    def __init__(self, network: Network, **options: Any) -> None:
        super().__init__(**options)
        # httpx has no argument for it; httpcore's pool has, and keeps it under this name.
        pool: Any = self._pool
        pool._network_backend = network

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        token = _waiting.set(Waiting())
        try:
            return await super().handle_async_request(request)
        finally:
            _waiting.reset(token)


class Connection(httpcore.AsyncNetworkStream):
    """A connection on which what comes before an answer is counted."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        data = await self._stream.read(max_bytes, timeout)
        if (waiting := _waiting.get()) is not None:
            waiting.take(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return Connection(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Network(httpcore.TrioBackend):
    """Connects by TCP."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return Connection(
            await super().connect_tcp(host, port, timeout, local_address, socket_options)
        )


class CheckedNetwork(Network):
    """Looks names up once, and connects only to addresses that the rules allow.

    What is connected to is the checked address itself: a name cannot be led elsewhere in between. Cancellation
    closes what is being connected.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await _addresses_of(host, port)
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        refused: HostRefused | None = None
        failed: Exception | None = None
        for text in addresses:
            try:
                _check(self._rules, host, text)
                return await super().connect_tcp(text, port, timeout, local_address, socket_options)
            except HostRefused as exc:
                refused = refused or exc
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failed = failed or exc
        raise failed or refused or httpcore.ConnectError(f"the host {host!r} has no address")


async def check_host(rules: Rules, host: str, port: int) -> None:
    """Raise HostRefused unless the host has an address that may be connected to, and OSError where it has none.

    For an answer that is kept and not fetched, where nothing else would look at the addresses of its host.
    """
    refused: HostRefused | None = None
    for text in await _addresses_of(host, port):
        try:
            _check(rules, host, text)
        except HostRefused as exc:
            refused = refused or exc
        else:
            return
    if refused is not None:
        raise refused


async def _addresses_of(host: str, port: int) -> list[str]:
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _check(rules: Rules, host: str, address: str) -> None:
    rules.check_address(host, ipaddress.ip_address(address.partition("%")[0]))
