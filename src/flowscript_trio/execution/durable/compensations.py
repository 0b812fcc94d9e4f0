"""Owns which nodes of a durable run are to be undone, and the order in which they have succeeded."""

from __future__ import annotations

from .compacting import Parts
from .entries import Completed
from .past import Past
from .run_journal import RunJournal

COMPLETED_NOW = 1 << 60
"""Above the places of all that had succeeded before."""


class Compensations:
    """What a run owes for nodes that can be undone, over all its processes."""

    def __init__(self, past: Past, parts: Parts, journal: RunJournal) -> None:
        self._disowned = past.disowned
        self._order = past.order
        self._parts = parts
        self._journal = journal

    def owes(self, path: str) -> bool:
        """Whether it is this run that undoes a node which has succeeded."""
        return path not in self._disowned

    def completed(self, path: str) -> None:
        """A node that can be undone has succeeded."""
        self._parts.keep(path)
        if path not in self._order:
            self._order[path] = len(self._order) + COMPLETED_NOW
            self._journal.write(Completed(path))

    def order_of(self, path: str) -> int:
        """The place of a node that can be undone in the order in which those have succeeded."""
        return self._order[path]
