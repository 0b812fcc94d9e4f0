"""Owns what an address of a scheduler says of the connection to it. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

_ENCRYPTED = frozenset({"tls", "wss"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def is_encrypted(address: str) -> bool:
    """Whether a connection to an address is encrypted."""
    return urlsplit(address).scheme in _ENCRYPTED


def is_open(address: str) -> bool:
    """Whether what goes to an address can be read on its way: another host, and no encryption."""
    parts = urlsplit(address)
    return not (is_encrypted(address) or parts.scheme == "inproc" or parts.hostname in _LOCAL)
