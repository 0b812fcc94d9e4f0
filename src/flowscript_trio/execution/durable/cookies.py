"""Owns the cookies of a durable run: what a node's answers set is kept sealed, and comes back with the node."""

from __future__ import annotations

from http.cookiejar import Cookie
from typing import Any

from ...journal.sealing import Seal
from ...journal.values import decode_value, encode_value
from ...types.cookies import Cookies, Key
from .entries import CookiesSet

_HIDDEN = "_rest"


Changes = list[tuple[Key, int, dict[str, Any] | None]]
"""Cookies as plain data: the key of each, the turn in which it was set, and its facts; None for a deleted one."""


def changes_of(before: Cookies, after: Cookies) -> tuple[Changes, int]:
    """What has changed of the cookies of a scope, and the latest turn in which any of it did; -1 for none."""
    changed = [
        (key, turn, None if cookie is None else vars(cookie))
        for key, (turn, cookie) in after.entries.items()
        if before.entries.get(key) != (turn, cookie)
    ]
    return changed, max((turn for _, turn, _ in changed), default=-1)


def changed(cookies: Cookies, changes: Changes) -> Cookies:
    """The cookies of a scope with changes; of two of one key that which was set last."""
    found: dict[Key, tuple[int, Any]] = {}
    for key, turn, facts in changes:
        domain, path, name = key
        found[domain, path, name] = (turn, None if facts is None else _cookie(facts))
    return cookies.merged(Cookies(found))


def cookies_set(
    seal: Seal, path: str, attempt: int, before: Cookies, after: Cookies, output: bytes
) -> CookiesSet:
    """The entry of what an attempt has changed of the cookies of its scope.

    ``output`` is sealed with them: it may have them among the headers of an answer.
    """
    changes, latest = changes_of(before, after)
    return CookiesSet(path, attempt, latest, seal.close(encode_value([changes, output])))


def with_cookies(seal: Seal, entry: CookiesSet, cookies: Cookies) -> tuple[Cookies, bytes]:
    """The cookies of a scope with those of an entry, of two of one key that which was set last; and the output."""
    changes, output = decode_value(seal.open(entry.sealed))
    return changed(cookies, changes), output


def _cookie(facts: dict[str, Any]) -> Cookie:
    plain = {name: value for name, value in facts.items() if name != _HIDDEN}
    return Cookie(**plain, rest=facts.get(_HIDDEN, {}))
