"""Owns how a block of a resumed run takes up what an earlier process left: which jobs had ended, which had begun.

The jobs that had ended are done again first, which costs nothing: what runs in them is restored. The block is
judged once all of them are heard, by the passes in which they ended then, in whatever order they come back.
What had begun goes on after that, or is cancelled and cleans up; then comes the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..types.deferred import dataclass
from .pools import Pool
from .signals import BrokenOff, Signal

if TYPE_CHECKING:
    from ..types.intervals import Intervals

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended in an earlier process: in which pass, and what was pending then."""

    at: int
    outside: bool
    cancelled: bool
    late: bool


class BlockLog(Protocol):
    """The journal of one block. ``ended`` has its jobs that had ended, ``begun`` those that had only begun."""

    @property
    def ended(self) -> Mapping[int, End]: ...
    @property
    def begun(self) -> Collection[int]: ...
    @property
    def compacted(self) -> Intervals:
        """Jobs that had succeeded, about which nothing else is known; they are not done again."""

    def as_it_was(self, index: int, work: Awaitable[T]) -> Awaitable[T]:
        """The work of a job that had ended: it ends so again, whatever is cancelled around it now."""
        ...

    def shielded(self, work: Awaitable[None]) -> Awaitable[None]:
        """Do work that is shielded from all that is cancelled around it, until the run is left."""
        ...

    def note_end(self, index: int, at: int, outside: bool, cancelled: bool) -> None:
        """A job has ended; its entry waits for nothing. ``cancelled``: it was being cancelled, by whomever."""

    async def decide(self, index: int, at: int, reason: str, is_break: bool = False) -> None:
        """The block is settled by that job and is about to cancel others: returns once that is on disk.

        ``is_break``: those that are below it go on. Cannot be cancelled.
        """


class Heard:
    """The endings of restored jobs, until all of them are heard."""

    __slots__ = ("_endings", "_log", "left")

    def __init__(self, log: BlockLog) -> None:
        self._log = log
        self._endings: list[tuple[int, int, Signal | BrokenOff | None]] = []
        self.left: int = len(log.ended)

    def add(self, index: int, signal: Signal | BrokenOff | None) -> bool:
        """Take in how a restored job ended; whether it is the last one."""
        self._endings.append((self._log.ended[index].at, index, signal))
        self.left -= 1
        return not self.left

    def in_order(self) -> list[tuple[int, int, Signal | BrokenOff | None]]:
        """All of them as (pass, index, ending), by their passes."""
        return sorted(self._endings, key=lambda ending: ending[:2])


class RestoringPool:
    """The jobs of another pool: first those that had ended, then those that had begun, then the rest."""

    def __init__(self, pool: Pool, log: BlockLog) -> None:
        self.grows: bool = pool.grows
        self._pool = pool
        self._log = log
        self._untaken = set(log.ended)
        self._missing = {index for index in log.begun if index not in log.ended}
        self._begun: list[tuple[int, Any]] = []
        self._others: list[tuple[int, Any]] = []
        self.is_open: bool = not self._untaken
        """Whether all that had ended are heard."""

    def take(self, now: int) -> tuple[int, Any] | None:
        if not self.is_open:
            return self._take_ended(now)
        self._sort_out(now)
        if self._begun:
            return self._begun.pop(0)
        return self._others.pop(0) if self._others else self._pool.take(now)

    def take_begun(self, now: int) -> list[tuple[int, Any]]:
        """All that had begun and not ended, of a block that is settled."""
        self._sort_out(now)
        begun, self._begun = self._begun, []
        return begun

    def take_below(self, index: int) -> list[tuple[int, Any]]:
        """What is below the iteration that broke out: it counts as begun."""
        below = [job for job in self._others if job[0] < index]
        self._others = [job for job in self._others if job[0] >= index]
        return below

    @property
    def has_begun(self) -> bool:
        """Whether anything had begun and not ended."""
        return bool(self._missing or self._begun)

    def is_urgent(self, now: int) -> bool:
        """Whether what is taken next had begun or ended already, so that a cancellation is for it to meet."""
        if not self.is_open:
            return bool(self._untaken)
        self._sort_out(now)
        return bool(self._begun)

    def complete(self, index: int, now: int) -> int:
        return self._pool.complete(index, now)

    def has_more(self) -> bool:
        waiting = self.is_open and bool(self._begun or self._others)
        return waiting or self._pool.has_more()

    def is_spent(self) -> bool:
        return not (self._begun or self._others) and self._pool.is_spent()

    def _take_ended(self, now: int) -> tuple[int, Any] | None:
        while self._untaken:
            job = self._pool.take(now)
            if job is None:
                return None
            if job[0] in self._untaken:
                self._untaken.discard(job[0])
                return job
            self._put_back(job)
        return None

    def _sort_out(self, now: int) -> None:
        """Take from the other pool until all that had begun are found, as far as they are ready."""
        while self._missing and (job := self._pool.take(now)) is not None:
            self._put_back(job)
        self._begun.sort(key=_index)
        self._others.sort(key=_index)

    def _put_back(self, job: tuple[int, Any]) -> None:
        if job[0] in self._missing:
            self._missing.discard(job[0])
            self._begun.append(job)
        else:
            self._others.append(job)


class SkippingPool:
    """The jobs of another pool but for those that an earlier process has done and compacted."""

    def __init__(self, pool: Pool, done: Intervals) -> None:
        self.grows: bool = pool.grows
        self._pool = pool
        self._done = done

    def take(self, now: int) -> tuple[int, Any] | None:
        while (job := self._pool.take(now)) is not None and job[0] in self._done:
            pass
        return job

    def complete(self, index: int, now: int) -> int:
        return self._pool.complete(index, now)

    def has_more(self) -> bool:
        return self._pool.has_more()

    def is_spent(self) -> bool:
        return self._pool.is_spent()


def _index(job: tuple[int, Any]) -> int:
    return job[0]
