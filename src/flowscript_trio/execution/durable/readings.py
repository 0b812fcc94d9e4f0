"""Owns the clock of one evaluation in a durable run: what it has read stands, however often it is done again."""

from __future__ import annotations

from datetime import datetime

from .recorder import Recorder


class Readings:
    """Gives the time; the ``number``-th reading of that ``turn`` of the node at ``path`` is always the same.

    ``within`` is the loop with whose rounds the readings are compacted, if any.
    """

    __slots__ = ("_recorder", "number", "path", "turn", "within")

    def __init__(self, recorder: Recorder, path: str, turn: str) -> None:
        self._recorder = recorder
        self.path: str = path
        self.turn: str = turn
        self.number: int = 0
        self.within: str | None = None

    def __call__(self) -> datetime:
        number = self.number
        self.number += 1
        return self._recorder.reading(self.path, self.turn, number, self.within)
