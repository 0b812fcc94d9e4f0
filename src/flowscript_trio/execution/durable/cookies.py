"""Owns the cookies of a durable run as plain data: what a node's answers set comes back with the node. Pure."""

from __future__ import annotations

from http.cookiejar import Cookie
from typing import Any

from ...types.cookies import Cookies, Key

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


def _cookie(facts: dict[str, Any]) -> Cookie:
    plain = {name: value for name, value in facts.items() if name != _HIDDEN}
    return Cookie(**plain, rest=facts.get(_HIDDEN, {}))
