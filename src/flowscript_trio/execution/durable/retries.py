"""Owns what follows the failed attempts of nodes: which attempt is next, and how long it is waited for."""

from __future__ import annotations

import trio

from ...scheduler.raised import is_cancelled
from .entries import Retried
from .past import Past
from .run_clock import RunClock
from .run_journal import RunJournal
from .waits import Waits


class Retries:
    """The further attempts of a run, as an earlier process has decided them."""

    def __init__(self, past: Past, clock: RunClock, journal: RunJournal, waits: Waits) -> None:
        self._past = past
        self._clock = clock
        self._journal = journal
        self._waits = waits

    def known(self, path: str, attempt: int) -> Retried | None:
        """What follows a failed attempt, where that was decided already."""
        return self._past.retried.get((path, attempt))

    def note(self, path: str, attempt: int, rule: int | None, delay: float | None) -> None:
        """What follows a failed attempt: another one by that ``<retry>``, or none."""
        if (path, attempt) not in self._past.retried:
            due = self._clock.time + (delay or 0.0)
            self._journal.write(Retried(path, attempt, rule, due, is_cancelled()))

    async def back_off(self, path: str, inner: str, attempt: int, seconds: float) -> None:
        """Wait before an attempt, unless an earlier process had begun it; ``inner`` stands for it in paths."""
        key, past = (path, attempt + 1), self._past
        begun = past.outcomes, past.started, past.late
        if not any(key in each for each in begun) and not past.has(inner):
            with self._waits.until(self._clock.time + seconds):
                await trio.sleep(seconds)
