"""Owns how what came to its end in an earlier process is done again, as it was then."""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from typing import TypeVar

import trio

from ...types.durable import Diverged
from .leaving import Leaving
from .past import Past
from .run_clock import RunClock
from .run_entries import Cancelling
from .run_journal import RunJournal

T = TypeVar("T")

_restoring: ContextVar[bool] = ContextVar("flowscript_trio.restoring", default=False)
"""Whether what is walked had come to its end in an earlier process."""


class Restoring:
    """What of a run had ended in the ``past``."""

    def __init__(self, past: Past, clock: RunClock, journal: RunJournal, leaving: Leaving) -> None:
        self._past = past
        self._clock = clock
        self._journal = journal
        self._leaving = leaving
        self._is_cancelling = past.cancelling is not None

    def as_it_was(self, work: Awaitable[T], cancelled: bool = False) -> Awaitable[T]:
        """Do again what came to its end in an earlier process, as it did then.

        It is shielded from what is cancelled around it now, until the run is left. ``cancelled``: it ended while
        it was being cancelled, and what had begun in it and not ended is not done again.
        """
        return self._leaving.shielded(self._again(work, cancelled))

    async def _again(self, work: Awaitable[T], cancelled: bool) -> T:
        with trio.CancelScope() as then:
            if cancelled:
                then.cancel("it was cancelled before the process died")
            restoring = _restoring.set(True)
            try:
                return await work
            finally:
                _restoring.reset(restoring)
        self._leaving.leave(Diverged("what had ended before the crash came to another end now"))
        await trio.sleep_forever()
        raise AssertionError("leaving cancels it")

    def is_replayed(self, path: str) -> bool:
        """Whether all of an execution was restored, and nothing of it done in this process."""
        return self._past.has(path) and path not in self._journal.touched

    def interrupted(self, reason: str) -> None:
        """A cancellation that the document did not ask for has reached a node."""
        if not self._is_cancelling and not _restoring.get():
            self._is_cancelling = True
            self._journal.write(Cancelling("", reason, self._clock.pass_now))
