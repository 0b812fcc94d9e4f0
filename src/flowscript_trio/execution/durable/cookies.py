"""Owns the cookies of a durable run: what a node's answers set is kept sealed, and comes back with the node."""

from __future__ import annotations

from http.cookiejar import Cookie
from typing import Any

from ...journal.sealing import Seal
from ...journal.values import decode_value, encode_value
from ...types.cookies import Cookies, Key
from .entries import CookiesSet

_HIDDEN = "_rest"


def cookies_set(
    seal: Seal, path: str, attempt: int, before: Cookies, after: Cookies, output: bytes
) -> CookiesSet:
    """The entry of what an attempt has changed of the cookies of its scope.

    ``output`` is sealed with them: it may have them among the headers of an answer.
    """
    changed = [
        (key, turn, None if cookie is None else vars(cookie))
        for key, (turn, cookie) in after.entries.items()
        if before.entries.get(key) != (turn, cookie)
    ]
    latest = max((turn for _, turn, _ in changed), default=-1)
    return CookiesSet(path, attempt, latest, seal.close(encode_value([changed, output])))


def with_cookies(seal: Seal, entry: CookiesSet, cookies: Cookies) -> tuple[Cookies, bytes]:
    """The cookies of a scope with those of an entry, of two of one key that which was set last; and the output."""
    kept, output = decode_value(seal.open(entry.sealed))
    changed: dict[Key, tuple[int, Any]] = {}
    for key, turn, facts in kept:
        changed[tuple(key)] = (turn, None if facts is None else _cookie(facts))
    return cookies.merged(Cookies(changed)), output


def _cookie(facts: dict[str, Any]) -> Cookie:
    plain = {name: value for name, value in facts.items() if name != _HIDDEN}
    return Cookie(**plain, rest=facts.get(_HIDDEN, {}))
