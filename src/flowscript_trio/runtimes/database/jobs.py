"""Owns work in threads that can be interrupted: cancellation stops the statement, and waits for the thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, NoReturn, Protocol, TypeVar

import outcome
import trio

from ..threads import start_thread

T = TypeVar("T")

NAME = "flowscript database"

GRACE = 0.4
"""Seconds that a database has to answer an interrupt before its connection is severed."""
LAST = 0.2
"""Seconds that a thread has to come back after that, before it is left to end by itself."""
STUCK = 1.2
"""Seconds that a job which may be waited for has to answer, unless it commits: a single call of a function of
SQLite answers nothing, and may take hours."""


class Interrupted(Exception):
    """The job was cancelled. It leaves the thread, and nobody sees it: ``Cancelled`` passes in its place."""


class Interruptible(Protocol):
    """A connection as an interrupt sees it; its methods are called from any thread."""

    immediate: bool
    """Whether ``interrupt`` takes no time: then it is called while nothing can take the connection away."""

    def interrupt(self) -> None:
        """Ask the database to end the running statement; takes ``GRACE`` at most."""

    def sever(self) -> None:
        """Break the connection, so that whoever waits for it gets an error; takes no time."""


class Job(Generic[T]):
    """One piece of work in a thread, and what is needed to stop it. ``can_wait`` as for :func:`run_job`.

    The thread calls ``attach`` when it has a connection, ``check`` between statements and ``detach`` before it
    gives the connection back: after that no interrupt can reach it any more.
    """

    def __init__(self, can_wait: bool = False) -> None:
        self.can_wait = can_wait
        self.cancelled: threading.Event = threading.Event()
        self.committed = False
        self.is_committing: bool = False
        self._lock = threading.Lock()
        self._link: Interruptible | None = None
        self._asked = False

    def attach(self, link: Interruptible) -> None:
        with self._lock:
            self._link = link

    def detach(self) -> bool:
        """Take the connection out of reach; gives whether an interrupt was sent, which may still arrive."""
        with self._lock:
            self._link = None
            return self._asked

    def check(self) -> None:
        """Raise Interrupted if the job was cancelled."""
        if self.cancelled.is_set():
            raise Interrupted

    def begin_commit(self) -> None:
        """Say that it commits: from here on it is waited for. Raises Interrupted if it was cancelled before."""
        with self._lock:
            self.check()
            self.is_committing = True

    def pause(self, seconds: float) -> None:
        """Wait in the thread; raises Interrupted at once when the job is cancelled."""
        if self.cancelled.wait(seconds):
            raise Interrupted

    def interrupt(self) -> None:
        """End the running statement; an immediate interrupt never comes too late, at another statement."""
        with self._lock:
            link = self._link
            self._asked = link is not None
            if link is not None and link.immediate:
                link.interrupt()
                return
        if link is not None:
            link.interrupt()

    def sever(self) -> None:
        with self._lock:
            if self._link is not None:
                self._link.sever()


async def run_job(
    work: Callable[[Job[T]], T], limiter: trio.CapacityLimiter, *, can_wait: bool
) -> T:
    """What ``work`` returns, in a thread of ``limiter``. ``can_wait``: a commit ends, and is waited for.

    Cancellation interrupts the statement that runs, and waits until the thread is back. If the work was
    already committed it is done and its result is returned, else ``Cancelled`` passes. A peer that
    does not answer the interrupt gets its connection severed after ``GRACE``. Only a thread that never got a
    connection, has a driver that can do neither, or is in a function that nothing interrupts, is left to end by
    itself: it commits nothing any more, and keeps its token until then.
    """
    job: Job[T] = Job(can_wait)
    await limiter.acquire_on_behalf_of(job)
    thread = _Thread(job, lambda: limiter.release_on_behalf_of(job))
    try:
        start_thread(lambda: work(job), thread.deliver, NAME)
    except BaseException:  # no thread could be started
        limiter.release_on_behalf_of(job)
        raise
    return await thread.wait()


class _Thread(Generic[T]):
    """A job's thread, and the task that waits for it.

    The wait cannot be aborted: a cancellation asks the job to stop, and what came of that is known when the
    thread is back. So a job that was committed is never reported as cancelled, and ``Cancelled`` never taken back.
    Real time is waited, in a second thread: a database does not live in a virtual one.
    """

    def __init__(self, job: Job[T], finish: Callable[[], None]) -> None:
        self._job = job
        self._finish = finish
        self._task = trio.lowlevel.current_task()
        self._token = trio.lowlevel.current_trio_token()
        self._outcome: outcome.Outcome[T] | None = None
        self._back = threading.Event()
        self._ended = False
        self._waiting = False
        self._stopping = False
        self._raise_cancel: Callable[[], NoReturn] | None = None

    def deliver(self, result: outcome.Outcome[T]) -> None:
        """The thread has ended (called in it)."""
        self._outcome = result
        self._back.set()
        self._tell(self._end)

    async def wait(self) -> T:
        """The outcome of the job. Cancellation stops it, and passes unless it was committed."""
        if not self._ended:
            self._waiting = True
            await trio.lowlevel.wait_task_rescheduled(self._stop)
        if self._raise_cancel is not None:
            cancelled = outcome.capture(self._raise_cancel)
            committed = self._job.committed and isinstance(self._outcome, outcome.Value)
            if not committed or not isinstance(cancelled.error, trio.Cancelled):
                cancelled.unwrap()
        assert self._outcome is not None
        return self._outcome.unwrap()

    def _stop(self, raise_cancel: Callable[[], NoReturn]) -> trio.lowlevel.Abort:
        self._raise_cancel = raise_cancel
        self._stopping = True
        self._job.cancelled.set()
        start_thread(self._stop_job, lambda result: self._tell(self._wake), NAME)
        return trio.lowlevel.Abort.FAILED

    def _stop_job(self) -> None:
        """Interrupt the job, and then sever its connection (called in a thread)."""
        until = time.monotonic() + GRACE
        with suppress(Exception):
            self._job.interrupt()
        if self._job.can_wait:
            # It was told before this, so that what does not commit yet never will.
            if not self._back.wait(STUCK) and self._job.is_committing:
                self._back.wait()
        elif not self._back.wait(max(until - time.monotonic(), 0)):
            self._job.sever()
            self._back.wait(LAST)

    def _end(self) -> None:
        self._ended = True
        self._finish()
        if not self._stopping:
            self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting = False
            trio.lowlevel.reschedule(self._task)

    def _tell(self, call: Callable[[], None]) -> None:
        """Call in trio's thread."""
        with suppress(trio.RunFinishedError):  # a thread that was left: nobody waits for it
            self._token.run_sync_soon(call)
