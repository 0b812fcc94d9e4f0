"""Owns the clock of one evaluation in a durable run: what it has read stands, however often it is done again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Read = Callable[[str, str, int, str | None], datetime]


class Readings:
    """Gives the time; the ``number``-th reading of that ``turn`` of the node at ``path`` is always the same.

    ``within`` is the loop with whose rounds the readings are compacted, if any.
    """

    __slots__ = ("_path", "_read", "_turn", "number", "within")

    def __init__(self, read: Read, path: str, turn: str) -> None:
        self._read = read
        self._path = path
        self._turn = turn
        self.number: int = 0
        self.within: str | None = None

    def __call__(self) -> datetime:
        number = self.number
        self.number += 1
        return self._read(self._path, self._turn, number, self.within)
