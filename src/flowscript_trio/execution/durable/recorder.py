"""Owns the journal of one run as the walk sees it: what it writes, what it waits for, what is known already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ...journal.rows import ENDED, Journal, Mark
from ...scheduler.passes import PassCounter
from ...types.decisions import Answer
from ...types.paths import levels_of
from ...types.results import RunStatus
from ..regions import Region
from .coding import Coding
from .compacting import Parts
from .entries import (
    Answered,
    AttemptFailed,
    BodyEnded,
    Cancelling,
    Compacted,
    Completed,
    Ended,
    Entry,
    JobEnded,
    Reading,
    Retried,
    RunEnded,
    row_of,
)
from .past import Past
from .readings import Readings

T = TypeVar("T")

MAX_CRASHES = 3
"""So many processes may die at one execution; then it fails with Interrupted."""


class Recorder:
    """The journal of a run that is under way in this process.

    ``past`` is what the processes before this one recorded. Passes are counted on from theirs.
    """

    def __init__(
        self,
        journal: Journal,
        past: Past,
        passes: PassCounter,
        coding: Coding,
        now: Callable[[], datetime],
        max_crashes: int = MAX_CRASHES,
    ) -> None:
        self.past: Past = past
        self.max_crashes: int = max_crashes
        self.is_left: bool = False
        """Whether this process has left the run, which is not cancelled by that."""
        self.error: BaseException | None = None
        """Why it had to be left, where that is an error."""
        self.give_up: Callable[[str], None] | None = None
        self._journal = journal
        self._passes = passes
        self._shift = past.latest + 2 - passes.now if past.latest else 1 - passes.now
        self._coding = coding
        self._now = now
        self._deciding: set[Region] = set()
        self._shields: set[trio.CancelScope] = set()
        self._is_cancelling = past.cancelling is not None
        self.parts: Parts = Parts(past.rows)
        """The loops and iterations that are compacted once they have ended."""
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

    def write(self, entry: Entry, within: str | None = None) -> None:
        """Add an entry; it waits for nothing. Raises what says that a value cannot be kept.

        ``within`` is the loop that it is compacted with, where its key does not say that.
        """
        if self.is_left:
            return
        number, size = self._append(entry)
        if self.parts.open:
            self.parts.note(within or entry.key, number, size)

    def _append(self, entry: Entry, value: bytes = b"") -> tuple[int, int]:
        row = row_of(entry, self._coding.encode, value)
        number = self._journal.write(row)
        if self._resumes:
            has = self.past.has
            self._touched.update(each for each in (*levels_of(entry.key), entry.key) if has(each))
        return number, len(row.data)

    def compact(
        self, entry: Compacted, dropped: Sequence[tuple[int, int]], since: int
    ) -> tuple[int, int]:
        """Write what stands for these rows from now on; gives the number of its row, and its bytes.

        ``since`` is the lowest number of all rows that it stands for.
        """
        written = self._append(entry, str(since).encode())
        self._journal.drop(dropped)
        return written

    async def synced(self) -> None:
        """Return once all that was written is on disk; a checkpoint. Where that fails, the run is left."""
        try:
            await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self.leave(exc)
            await trio.sleep_forever()

    async def decided(self, region: Region | None, entry: Entry) -> None:
        """A block's decision: returns once it is on disk. From now on nothing begins in ``region``.

        It cannot be cancelled; where it fails, the run is left.
        """
        if region is not None:
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

    async def in_shield(self, scope: trio.CancelScope | None, work: Awaitable[T]) -> T:
        """Do clean-up that is shielded by ``scope``: leaving the run ends it, too."""
        assert scope is not None
        self._shields.add(scope)
        try:
            return await work
        finally:
            self._shields.discard(scope)

    # ---- nodes ----

    async def enter(self, path: str, region: Region, checked: bool) -> None:
        """Before a node: look for a cancellation, unless something is known of the node already.

        In a region that is settled, and about to be cancelled, nothing begins any more.
        """
        if self.past.has(path):
            return
        await self.hold(region)
        if not checked:
            await checkpoint_if_cancelled()

    async def hold(self, region: Region) -> None:
        """Begin nothing in a region that is settled: its cancellation is waited for."""
        if self._deciding and self._is_deciding(region):
            await trio.sleep_forever()

    def _is_deciding(self, region: Region | None) -> bool:
        while region is not None:
            if region in self._deciding:
                return True
            region = region.parent
        return False

    def digest(self, settings: Any) -> str:
        """What stands for the settings of a node; what cannot be kept of them counts by its type."""
        try:
            data = self._coding.encode(settings)
        except Exception:
            parts = settings.items() if isinstance(settings, dict) else ()
            data = b"\0".join(f"{name}={self.digest_one(value)}".encode() for name, value in parts)
        return sha256(data).hexdigest()[:32]

    def digest_one(self, value: Any) -> str:
        try:
            return sha256(self._coding.encode(value)).hexdigest()
        except Exception:
            return type(value).__name__

    def is_replayed(self, path: str) -> bool:
        """Whether all of an execution was restored, and nothing of it done in this process."""
        return self.past.has(path) and path not in self._touched

    def ended(self, path: str, attempt: int, output: Any, again: bool) -> None:
        self.write(Ended(path, attempt, self.pass_now, output, again))

    def failed(self, path: str, attempt: int, error: BaseException, view: dict[str, Any]) -> None:
        if (path, attempt) not in self.past.outcomes:
            data = self._coding.encode_error(error, view)
            self.write(AttemptFailed(path, attempt, self.pass_now, data))

    def encode_error(self, error: BaseException, view: dict[str, Any]) -> bytes:
        """An error as bytes, with what expressions see of it."""
        return self._coding.encode_error(error, view)

    def decode_error(self, data: bytes) -> BaseException:
        """The error that was encoded."""
        return self._coding.decode_error(data)

    def error_of(self, entry: AttemptFailed) -> BaseException:
        """The error of an attempt that failed in an earlier process."""
        return self._coding.decode_error(entry.error)

    def interrupted(self, reason: str) -> None:
        """A cancellation that the document did not ask for has reached a node."""
        if not self._is_cancelling:
            self._is_cancelling = True
            self.write(Cancelling("", reason, self.pass_now))

    def seconds_until(self, due: float) -> float:
        return max(due - self.time, 0.0)

    def note_retry(self, path: str, attempt: int, rule: int | None, delay: float | None) -> None:
        """What follows a failed attempt: another one by that ``<retry>``, or none."""
        if (path, attempt) not in self.past.retried:
            self.write(Retried(path, attempt, rule, self.time + (delay or 0.0)))

    async def back_off(self, path: str, inner: str, attempt: int, seconds: float) -> None:
        """Wait before an attempt, unless an earlier process had begun it; ``inner`` stands for it in paths."""
        key = (path, attempt + 1)
        begun = self.past.outcomes, self.past.started, self.past.late
        if not any(key in each for each in begun) and not self.past.has(inner):
            await trio.sleep(seconds)

    def retried(self, path: str, attempt: int) -> Retried | None:
        """What follows a failed attempt, where that was decided already."""
        return self.past.retried.get((path, attempt))

    def owes(self, path: str) -> bool:
        """Whether it is this run that undoes a node which has succeeded."""
        return path not in self.past.disowned

    def completed(self, path: str) -> None:
        """A node that can be undone has succeeded."""
        self.parts.owe(path)
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

    def answered(self, path: str, attempt: int, answer: Answer, timed_out: bool) -> None:
        """A checkpoint was answered, or its time has passed."""
        self.write(Answered(path, attempt, answer.action, answer.input, timed_out))

    def job_ended(
        self, block: str, index: int, at: int, outside: bool, late: bool
    ) -> tuple[int, int]:
        """A branch, an iteration or a node of a graph has ended; gives the number of its row, and its bytes."""
        return self._append(JobEnded(block, index, self.there(at), outside, late))

    def clock_of(self, path: str, turn: str) -> Readings:
        """The clock of an evaluation for the node at ``path``."""
        return Readings(self._reading, path, turn)

    def _reading(self, path: str, turn: str, number: int, within: str | None) -> datetime:
        """What an evaluation reads from the clock: what it read then, if it had."""
        known: datetime | None = self.past.readings.get((path, turn, number))
        if known is not None:
            return known
        now = self._now()
        self.write(Reading(path, turn, number, now), within)
        return now

    async def finish(self, status: RunStatus, output: Any, error: BaseException | None) -> None:
        """Write how the run has ended; returns once that is on disk. Cannot be cancelled; raises StoreFailed."""
        data = None if error is None else self._coding.encode_error(error)
        self.write(RunEnded("", status, output, data))
        if not self.is_left and status in ENDED:
            self._journal.mark(Mark(status))
            with trio.CancelScope(shield=True):
                await self._journal.synced()

    def outcome(self, ended: RunEnded) -> tuple[Any, BaseException | None]:
        """The output and the error of a run that has ended."""
        return ended.output, None if ended.error is None else self._coding.decode_error(ended.error)


COMPLETED_NOW = 1 << 60
"""Above the places of all that had succeeded before."""
