"""Owns the cookies of a scope as a value: what one part of a run was given, and how parts come together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

_turns = count()


def count_on_from(turn: int) -> None:
    """Let the turns that come be after that one, which a process before this one counted."""
    global _turns
    _turns = count(max(next(_turns), turn + 1))


Key = tuple[str, str, str]
"""A cookie's domain, path and name."""


class Cookies:
    """Cookies that never change: ``changed`` gives others. A deletion is remembered, so that it can be merged.

    A branch can hold on to those of its block for as long as it likes.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: dict[Key, tuple[int, Any]] | None = None) -> None:
        self._entries: dict[Key, tuple[int, Any]] = entries or {}

    def __iter__(self) -> Iterator[Any]:
        return (cookie for _, cookie in self._entries.values() if cookie is not None)

    @property
    def entries(self) -> dict[Key, tuple[int, Any]]:
        """Each cookie with the number of the turn in which it was set; None for one that was deleted."""
        return self._entries

    def changed(self, changes: Iterable[tuple[Key, Any]]) -> Cookies:
        """These with some set, or deleted where the cookie is None."""
        entries = dict(self._entries)
        for key, cookie in changes:
            entries[key] = next(_turns), cookie
        return Cookies(entries)

    def merged(self, other: Cookies) -> Cookies:
        """These and others: of two of one key, the one that was set last."""
        entries = dict(self._entries)
        for key, entry in other._entries.items():
            if key not in entries or entries[key][0] < entry[0]:
                entries[key] = entry
        return Cookies(entries)


NO_COOKIES = Cookies()
