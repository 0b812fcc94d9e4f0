"""Owns the journal of one run as the walk sees it: what it writes, what it waits for, and what is known already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ...journal.rows import Journal
from ...scheduler.passes import PassCounter
from ...types.paths import levels_of
from ..regions import Region
from .entries import (
    AttemptFailed,
    BodyEnded,
    Cancelling,
    Completed,
    Encode,
    Ended,
    Entry,
    JobEnded,
    Reading,
    Retried,
    row_of,
)
from .past import Past

MAX_CRASHES = 3
"""So many processes may die at one execution; then it fails with Interrupted."""


class Errors(Protocol):
    """How errors become bytes and come back."""

    def encode(self, error: BaseException) -> bytes: ...
    def decode(self, data: bytes) -> BaseException: ...


class Recorder:
    """The journal of a run that is under way in this process.

    ``past`` is what the processes before this one recorded. Passes are counted on from theirs.
    """

    def __init__(
        self,
        journal: Journal,
        past: Past,
        passes: PassCounter,
        encode: Encode,
        errors: Errors,
        now: Callable[[], datetime],
        max_crashes: int = MAX_CRASHES,
    ) -> None:
        self.past: Past = past
        self.errors: Errors = errors
        self.max_crashes: int = max_crashes
        self.is_left: bool = False
        """Whether this process has left the run, which is not cancelled by that."""
        self.error: BaseException | None = None
        """Why it had to be left, where that is an error."""
        self.give_up: Callable[[str], None] | None = None
        self._journal = journal
        self._passes = passes
        self._shift = past.latest + 2 - passes.now if past.latest else 1 - passes.now
        self._encode = encode
        self._now = now
        self._deciding: set[Region] = set()
        self._shields: set[trio.CancelScope] = set()
        self._is_cancelling = past.cancelling is not None
        self._touched: set[str] = set()
        self._resumes = past.began is not None

    # ---- time ----

    @property
    def pass_now(self) -> int:
        """The scheduler's pass, counted from the beginning of the run."""
        return self._passes.now + self._shift

    def here(self, at: int) -> int:
        """A pass of the record as the scheduler of this process would have counted it."""
        return at - self._shift

    def there(self, at: int) -> int:
        """A pass of this process's scheduler as the record counts it."""
        return at + self._shift

    @property
    def time(self) -> float:
        """By the wall clock, in seconds since 1970."""
        return self._now().timestamp()

    # ---- writing ----

    def write(self, entry: Entry) -> None:
        """Add an entry; it waits for nothing. Raises what says that a value cannot be kept."""
        if self.is_left:
            return
        self._journal.write(row_of(entry, self._encode))
        if self._resumes:
            self._touched.add(entry.key)
            self._touched.update(levels_of(entry.key))

    async def synced(self) -> None:
        """Return once all that was written is on disk; a checkpoint. Where that fails, the run is left."""
        try:
            await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self.leave(exc)
            await trio.sleep_forever()

    async def decided(self, region: Region, entry: Entry) -> None:
        """A block's decision: returns once it is on disk. Until then nothing begins in ``region``.

        It cannot be cancelled; where it fails, the run is left.
        """
        self._deciding.add(region)
        try:
            if self.is_left:
                return
            self.write(entry)
            with trio.CancelScope(shield=True):
                await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self.leave(exc)

    def leave(self, error: BaseException | None = None) -> None:
        """Leave the run as it is: nothing more is written, tasks unwind, and no clean-up of the document runs."""
        if self.is_left:
            return
        self.is_left = True
        self.error = error
        if self.give_up is not None:
            self.give_up("this process leaves the run")
        for scope in self._shields:
            scope.cancel("this process leaves the run")

    @contextmanager
    def shielding(self, scope: trio.CancelScope | None) -> Iterator[None]:
        """While clean-up runs in a shielded scope: leaving the run ends that, too."""
        if scope is None:
            yield
            return
        self._shields.add(scope)
        if self.is_left:
            scope.cancel("this process leaves the run")
        try:
            yield
        finally:
            self._shields.discard(scope)

    # ---- nodes ----

    async def enter(self, path: str, region: Region, checked: bool) -> None:
        """Before a node: look for a cancellation, unless something is known of the node already.

        In a region that is settled, and about to be cancelled, nothing begins any more.
        """
        if self.past.has(path):
            return
        if self._deciding and self._is_deciding(region):
            await trio.sleep_forever()
        if not checked:
            await checkpoint_if_cancelled()

    def _is_deciding(self, region: Region | None) -> bool:
        while region is not None:
            if region in self._deciding:
                return True
            region = region.parent
        return False

    def is_replayed(self, path: str) -> bool:
        """Whether all of an execution was restored, and nothing of it done in this process."""
        return self.past.has(path) and path not in self._touched

    def ended(self, path: str, attempt: int, output: Any, again: bool) -> None:
        self.write(Ended(path, attempt, self.pass_now, output, again))

    def failed(self, path: str, attempt: int, error: BaseException, view: dict[str, Any]) -> None:
        if (path, attempt) not in self.past.outcomes:
            data = self.errors.encode(error)
            self.write(AttemptFailed(path, attempt, self.pass_now, view, data))

    def interrupted(self, reason: str) -> None:
        """A cancellation that the document did not ask for has reached a node."""
        if not self._is_cancelling:
            self._is_cancelling = True
            self.write(Cancelling("", reason, self.pass_now))

    def retried(self, path: str, attempt: int) -> Retried | None:
        """What follows a failed attempt, where that was decided already."""
        return self.past.retried.get((path, attempt))

    def completed(self, path: str) -> None:
        """A node that can be undone has succeeded."""
        if path not in self.past.order:
            self.past.order[path] = len(self.past.order) + COMPLETED_NOW
            self.write(Completed(path))

    def order_of(self, path: str) -> int:
        """The place of a node that can be undone in the order in which those have succeeded."""
        return self.past.order[path]

    def body_ended(self, key: str, cancelled: bool) -> None:
        """A body is over, and what follows it however it ended begins."""
        if key not in self.past.bodies:
            self.write(BodyEnded(key, cancelled))

    def job_ended(self, block: str, index: int, at: int, outside: bool, late: bool) -> None:
        self.write(JobEnded(block, index, self.there(at), outside, late))

    def reading(self, path: str, turn: str, number: int) -> datetime:
        """What an evaluation reads from the clock: what it read then, if it had."""
        known: datetime | None = self.past.readings.get((path, turn, number))
        if known is not None:
            return known
        now = self._now()
        self.write(Reading(path, turn, number, now))
        return now

    async def aclose(self) -> None:
        await self._journal.aclose()


COMPLETED_NOW = 1 << 60
"""Above the places of all that had succeeded before."""


def utc_now() -> datetime:
    return datetime.now(UTC)
