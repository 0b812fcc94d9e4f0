"""Owns connecting where an application has rules for hosts: each address is checked before it is connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

import httpcore
import trio

from .hosts import HostRefused, Rules


class CheckedNetwork(httpcore.TrioBackend):
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
