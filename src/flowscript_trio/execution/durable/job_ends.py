"""Owns the ends of jobs until their pass is over: those of one block that ended alike are one entry."""

from __future__ import annotations

from typing import Protocol

from ...scheduler.restoring import End
from .run_journal import RunJournal


class Writes(Protocol):
    """Writes the ends of the jobs of one block."""

    def write_ends(self, end: End, indices: list[int]) -> None:
        """Write that these have ended so. It must not raise."""


How = tuple[int, bool, bool, bool]
"""The facts of an :class:`~flowscript_trio.scheduler.restoring.End`, which a hundred jobs may share."""


class JobEnds:
    """The ends of the jobs of this pass. A hundred branches that end in it are one row, and not a hundred."""

    def __init__(self, journal: RunJournal) -> None:
        self._journal = journal
        self._ended: dict[tuple[Writes, How], list[int]] = {}

    def add(self, block: Writes, how: How, index: int) -> None:
        """A job of the block has ended."""
        if not self._ended:
            self._journal.at_end_of_pass(self.flush)
        self._ended.setdefault((block, how), []).append(index)

    def flush(self) -> None:
        """Write what was not written yet: what is written next follows from it."""
        ended, self._ended = self._ended, {}
        for (block, how), indices in ended.items():
            block.write_ends(End(*how), indices)
