"""Owns the journal of one run as the walk sees it: what it writes, what it waits for, what is known already."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from hashlib import sha256
from math import inf
from typing import Any, ClassVar, TypeVar

import trio
from trio.lowlevel import checkpoint_if_cancelled

from ...journal.rows import ENDED, Journal, Mark
from ...program.compiled import Step
from ...scheduler.passes import PassCounter
from ...scheduler.raised import is_cancelled
from ...types.cookies import Cookies, count_on_from
from ...types.decisions import Answer
from ...types.durable import Diverged
from ...types.paths import levels_of
from ...types.results import RunStatus
from ...types.storing import StoreFailed
from ..regions import Region
from ..state import State
from .coding import Coding
from .compacting import Parts
from .cookies import cookies_set, with_cookies
from .entries import (
    Answered,
    AttemptFailed,
    BodyEnded,
    BoundEnded,
    Cancelling,
    Compacted,
    Completed,
    Ended,
    Entry,
    JobEnded,
    KeptFirst,
    Passed,
    Ran,
    Reading,
    Retried,
    RunBegan,
    RunEnded,
    row_of,
)
from .inbox import Inbox
from .past import Past
from .readings import Readings
from .waits import Waits

T = TypeVar("T")

MAX_CRASHES = 3
"""So many processes may die at one execution; then it fails with Interrupted."""

_restoring: ContextVar[bool] = ContextVar("flowscript_trio.restoring", default=False)
"""Whether what is walked had come to its end in an earlier process."""


RAN_APART = 0.1
"""Seconds after which it is written again, with the next entry, how long the run has been at work."""


class Recorder:
    """The journal of a run that is under way in this process.

    ``past`` is what the processes before this one recorded. Passes are counted on from theirs.
    """

    LEFT: ClassVar[str] = "this process leaves the run"
    """Why the walk is cancelled then."""

    def __init__(
        self,
        journal: Journal,
        past: Past,
        passes: PassCounter,
        coding: Coding,
        now: Callable[[], datetime],
        started: datetime,
        max_crashes: int = MAX_CRASHES,
        inbox: Inbox | None = None,
        suspend_after: float | None = None,
    ) -> None:
        self.past: Past = past
        self.max_crashes: int = max_crashes
        self.is_left: bool = False
        """Whether this process has left the run, which is not cancelled by that."""
        self.error: BaseException | None = None
        """Why it had to be left, where that is an error."""
        self.give_up: Callable[[str], None] | None = None
        self.inbox: Inbox = Inbox(journal, coding, ()) if inbox is None else inbox
        self.digests: dict[Step, str] = {}
        """What stands for the settings of nodes that have the same ones each time."""
        self.waits: Waits = Waits(lambda: self.time)
        self.suspend_after: float | None = suspend_after
        """Seconds after which a run that waits for nothing but people and timers is left; None: it never is."""
        self._is_suspended = False
        self._written = 0
        self._journal = journal
        self._passes = passes
        self._shift = past.latest + 2 - passes.now if past.latest else 1 - passes.now
        self._coding = coding
        self._encode = coding.encode
        self._now = now
        self._started = started
        self._deciding: dict[Region, trio.Event] = {}  # set once it was decided
        self._shields: set[trio.CancelScope] = set()  # what is shielded from all but leaving
        self._is_cancelling = past.cancelling is not None
        self.parts: Parts = Parts(past.rows)
        """The loops and iterations that are compacted once they have ended."""
        self._touched: set[str] = set()
        self._resumes = past.began is not None
        self._set_cookies: set[tuple[str, int]] = set()
        if past.latest_turn >= 0:
            count_on_from(past.latest_turn)
        self._ran_before = 0.0 if past.ran is None else past.ran.seconds
        self._ran_since = self._ran_noted = trio.current_time()
        self._ran_row = past.ran_row
        self._outdated = past.outdated
        self._rates = dict(past.rates)
        self._looked_at = passes.now

    def begin(self, began: RunBegan) -> None:
        """The run is to run here, unless it has ended. What it follows from is written by its first process."""
        if self.past.ended is None:
            self._journal.mark(Mark("running"))
        if not self._resumes:
            self.write(began)

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

    @property
    def seconds_ran(self) -> float:
        """The seconds in which processes have been at work on the run, by trio's clock, so far."""
        return self._ran_before + trio.current_time() - self._ran_since

    @property
    def seconds_since_start(self) -> float:
        """The seconds by the wall clock since the run began: until now, or until it had ended."""
        ended, ran = self.past.ended, self.past.ran
        until = self.time if ended is None or ran is None else ran.at
        return until - self._started.timestamp()

    # ---- writing ----

    def write(self, entry: Entry, within: str | None = None) -> int | None:
        """Add an entry; it waits for nothing. Gives the number of its row, None where the run is left.

        ``within`` is the loop that it is compacted with, where its key does not say that. Raises CannotKeep.
        """
        if self.is_left:
            return None
        if self._passes.now != self._looked_at:  # time is looked at once a pass
            self._looked_at = self._passes.now
            self._note_time()
        number, size = self._append(entry)
        if self.parts.open:
            self.parts.note(within or entry.key, number, size)
        return number

    def passed(self, entry: Passed) -> None:
        """An attempt has passed a rate; that counts, though the entry may be compacted."""
        self._rates[entry.name] = max(entry.full_at, self._rates.get(entry.name, 0.0))
        self.write(entry)

    def _append(self, entry: Entry, value: bytes = b"") -> tuple[int, int]:
        row = row_of(entry, self._encode, value)
        number = self._journal.write(row)
        self._written += 1
        if self._resumes:
            has, key = self.past.has, entry.key
            self._touched.update(each for each in ("", *levels_of(key), key) if has(each))
        return number, len(row.data)

    def compact(
        self, entry: Compacted, dropped: Sequence[tuple[int, int]], since: int
    ) -> tuple[int, int]:
        """Write what stands for these rows from now on; gives the number of its row, and its bytes.

        ``since`` is the lowest number of all rows that it stands for.
        """
        written = self._append(entry, str(since).encode())
        outdated = [(number, number + 1) for number in self._outdated if number >= since]
        self._outdated = [number for number in self._outdated if number < since]
        self._journal.drop([*dropped, *outdated])
        return written

    def note_outdated(self, number: int) -> None:
        """The row with that number says nothing which a later one does not: it goes with the next compaction."""
        self._outdated.append(number)

    def rates_ahead(self) -> dict[str, float]:
        """The rates that have not forgotten yet what passed them, each with the time when it will have."""
        return {name: full_at for name, full_at in self._rates.items() if full_at > self.time}

    def _note_time(self, apart: float = RAN_APART) -> None:
        """Write how long the run has been at work, where it was not written for so many seconds."""
        now = trio.current_time()
        if now - self._ran_noted < apart:
            return
        self._ran_noted = now
        if self._ran_row >= 0:
            self.note_outdated(self._ran_row)
        row = row_of(Ran("", self.seconds_ran, self.time), self._coding.encode)
        self._ran_row = self._journal.write(row)

    async def synced(self) -> None:
        """Return once all that was written is on disk; a checkpoint. Where that fails, the run is left."""
        try:
            await self._journal.synced()
        except trio.Cancelled:
            raise
        except BaseException as exc:
            self.leave(exc)
            await trio.sleep_forever()

    def settle(self, region: Region) -> None:
        """From now on nothing begins in ``region``, which is about to be cancelled."""
        self._deciding.setdefault(region, trio.Event())

    def settled(self, region: Region) -> None:
        """What was decided of ``region`` is on disk: the caller cancels it now, before anything else runs."""
        self._deciding.pop(region).set()

    async def decided(self, region: Region | None, entry: Entry) -> None:
        """A block's decision: returns once it is on disk. From now on nothing begins in ``region``.

        It cannot be cancelled; where it fails, the run is left.
        """
        if region is not None:
            self.settle(region)
        try:
            await self.kept(entry)
        finally:
            if region is not None:
                self.settled(region)

    async def kept(self, entry: Entry | None = None) -> None:
        """Write the entry, if any, and return once all is on disk. As :meth:`decided` in all else."""
        try:
            if self.is_left:
                return
            if entry is not None:
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
        self._note_time()
        self.is_left = True
        self.error = error
        if self.give_up is not None:
            self.give_up(self.LEFT)
        for scope in self._shields:
            scope.shield = False

    def as_it_was(self, work: Awaitable[T], cancelled: bool = False) -> Awaitable[T]:
        """Do again what came to its end in an earlier process, as it did then.

        It is shielded from what is cancelled around it now, until the run is left. ``cancelled``: it ended while
        it was being cancelled, and what had begun in it and not ended is not done again.
        """
        return self.shielded(self._again(work, cancelled))

    async def _again(self, work: Awaitable[T], cancelled: bool) -> T:
        with trio.CancelScope() as then:
            if cancelled:
                then.cancel("it was cancelled before the process died")
            restoring = _restoring.set(True)
            try:
                return await work
            finally:
                _restoring.reset(restoring)
        self.leave(Diverged("what had ended before the crash came to another end now"))
        await trio.sleep_forever()
        raise AssertionError("leaving cancels it")

    @contextmanager
    def _until_left(self, scope: trio.CancelScope) -> Iterator[None]:
        """While this is open, leaving the run takes the shield of ``scope`` away."""
        self._shields.add(scope)
        try:
            yield
        finally:
            self._shields.discard(scope)

    async def in_shield(self, scope: trio.CancelScope | None, work: Awaitable[T]) -> T:
        """Do what is shielded by ``scope``, until the run is left."""
        assert scope is not None
        with self._until_left(scope):
            return await work

    async def shielded(self, work: Awaitable[T]) -> T:
        """Do what is shielded from all that is cancelled around it, until the run is left."""
        with trio.CancelScope(shield=not self.is_left) as scope:
            return await self.in_shield(scope, work)
        raise AssertionError("a scope that nobody cancels lets nothing go")

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
        """Begin nothing in a region that is settled: its cancellation is waited for, and then met.

        What is shielded from it, since it had ended in an earlier process, goes on.
        """
        while self._deciding and (decision := self._decision_around(region)) is not None:
            await decision.wait()
            await checkpoint_if_cancelled()

    def _decision_around(self, region: Region | None) -> trio.Event | None:
        while region is not None:
            if region in self._deciding:
                return self._deciding[region]
            region = region.parent
        return None

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

    async def keep_first(self, path: str, attempt: int, value: Any) -> Any:
        """What a runtime has kept first in an attempt, in an earlier process or now; on disk when this returns."""
        known = self.past.kept.get((path, attempt))
        if known is not None:
            await trio.lowlevel.checkpoint()
            return known.value
        self.write(KeptFirst(path, attempt, value))
        await self.synced()
        return value

    def set_cookies(
        self, path: str, attempt: int, before: Cookies, after: Cookies, output: Any = None
    ) -> bool:
        """An attempt is over that has changed the cookies of its scope: they are kept sealed, as its output is.

        Whether they were, which they are not without a key.
        """
        self._set_cookies.add((path, attempt))
        seal = self._coding.seal
        if seal is None:
            return False
        data = self._coding.encode(output)
        self.write(cookies_set(seal, path, attempt, before, after, data))
        return True

    def take_up(self, known: Ended | AttemptFailed, state: State) -> Any:
        """The output of an attempt of an earlier process; a scope gets the cookies that it had set."""
        sealed = self.past.cookies.get((known.key, known.attempt))
        seal = self._coding.seal
        if sealed is None or seal is None:
            return getattr(known, "output", None)
        state.cookies, output = with_cookies(seal, sealed, state.cookies)
        return self._coding.decode(output)

    def ended(self, path: str, attempt: int, output: Any, again: bool) -> None:
        self.write(Ended(path, attempt, self.pass_now, output, again))

    def failed(self, path: str, attempt: int, error: BaseException, view: dict[str, Any]) -> None:
        if (path, attempt) not in self.past.outcomes:
            set_some, seal = (path, attempt) in self._set_cookies, self._coding.seal
            is_sealed = set_some and seal is not None
            data = self._coding.encode_error(error, view, has_cookies=is_sealed or not set_some)
            if is_sealed and seal is not None:
                data = seal.close(data)
            self.write(AttemptFailed(path, attempt, self.pass_now, data, is_sealed))

    def packed(self, error: BaseException, view: dict[str, Any]) -> bytes:
        """An error as it is kept, with what expressions see of it."""
        return self._coding.encode_error(error, view)

    def unpacked(self, data: bytes) -> BaseException:
        """The error that was kept so."""
        return self._coding.decode_error(data)

    def error_of(self, entry: AttemptFailed) -> BaseException:
        """The error of an attempt that failed in an earlier process."""
        data = entry.error
        if entry.sealed and self._coding.seal is not None:
            data = self._coding.seal.open(data)
        return self._coding.decode_error(data)

    def interrupted(self, reason: str) -> None:
        """A cancellation that the document did not ask for has reached a node."""
        if not self._is_cancelling and not _restoring.get():
            self._is_cancelling = True
            self.write(Cancelling("", reason, self.pass_now))

    def seconds_until(self, due: float) -> float:
        return max(due - self.time, 0.0)

    def note_retry(self, path: str, attempt: int, rule: int | None, delay: float | None) -> None:
        """What follows a failed attempt: another one by that ``<retry>``, or none."""
        if (path, attempt) not in self.past.retried:
            due = self.time + (delay or 0.0)
            self.write(Retried(path, attempt, rule, due, is_cancelled()))

    async def back_off(self, path: str, inner: str, attempt: int, seconds: float) -> None:
        """Wait before an attempt, unless an earlier process had begun it; ``inner`` stands for it in paths."""
        key = (path, attempt + 1)
        begun = self.past.outcomes, self.past.started, self.past.late
        if not any(key in each for each in begun) and not self.past.has(inner):
            with self.waits.until(self.time + seconds):
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

    def body_ended(self, key: str, raised: bool) -> None:
        """A body is over, and what follows it however it ended begins. ``raised``: ``Cancelled`` has ended it."""
        if key not in self.past.bodies:
            self.write(BodyEnded(key, raised, is_cancelled()))

    def bound_ended(self, key: str, late: bool) -> None:
        """What a time limit bounds has ended, in time or too late."""
        self.write(BoundEnded(key, late, is_cancelled()))

    def answered(self, path: str, attempt: int, answer: Answer, timed_out: bool) -> None:
        """A checkpoint was answered, or its time has passed."""
        self.write(Answered(path, attempt, answer.action, answer.input, timed_out))

    def job_ended(
        self, block: str, index: int, at: int, outside: bool, cancelled: bool, late: bool
    ) -> tuple[int, int]:
        """A branch, an iteration or a node of a graph has ended; gives the number of its row, and its bytes."""
        return self._append(JobEnded(block, index, self.there(at), outside, cancelled, late))

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
        # It may be the error of an answer, and the run's end is not sealed.
        data = None if error is None else self._coding.encode_error(error, has_cookies=False)
        if not self.is_left:
            self._note_time(apart=0.0)
        self.write(RunEnded("", status, output, data))
        self._ran_noted = inf  # nothing follows that, also where it is left before it is on disk
        if not self.is_left and status in ENDED:
            self._journal.mark(Mark(status))
            with trio.CancelScope(shield=True):
                await self._journal.synced()

    def outcome(self, ended: RunEnded) -> tuple[Any, BaseException | None]:
        """The output and the error of a run that has ended."""
        return ended.output, None if ended.error is None else self._coding.decode_error(ended.error)

    # ---- what goes on beside the walk ----

    async def leave_if_lost(self) -> None:
        """Leave the run when nothing more of it can be written here, which is waited for."""
        self.leave(await self._journal.lost())

    @property
    def changes(self) -> int:
        """How much was written and heard so far: the same number later means that nothing has gone on."""
        return self._written + self.inbox.changes

    @property
    def is_cleaning(self) -> bool:
        """Whether clean-up runs, whose time begins anew with each process."""
        return bool(self._shields)

    def suspend(self) -> None:
        """Leave the run until somebody answers, or the first of its waits is over."""
        if not self.is_left:
            self._journal.mark(Mark("suspended", self.waits.due, self.inbox.count))
            self._is_suspended = True
            self.leave()

    async def left(self) -> None:
        """Return once it is on disk that the run was suspended, if it was. Cannot be cancelled."""
        if self._is_suspended:
            try:
                with trio.CancelScope(shield=True):
                    await self._journal.synced()
            except StoreFailed as exc:
                self.error = exc


COMPLETED_NOW = 1 << 60
"""Above the places of all that had succeeded before."""
