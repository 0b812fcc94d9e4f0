"""Owns work in threads that can be interrupted: cancellation stops the statement, and waits for the thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

import outcome
import trio

T = TypeVar("T")

GRACE = 0.4
"""Seconds that a database has to answer an interrupt before its connection is severed."""
LAST = 0.3
"""Seconds that a thread has to come back after that, before it is left to end by itself."""


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
        self.cancelled = threading.Event()
        self.committed = False
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
    """What ``work`` returns, in a thread of ``limiter``. ``can_wait``: an interrupt is certain to end it.

    Cancellation interrupts the statement that runs, and waits until the thread is back. If the work was
    already committed it is done and its result is returned, else ``Cancelled`` passes. A peer that
    does not answer the interrupt gets its connection severed after ``GRACE``. Only a thread that never got a
    connection (or has a driver that can do neither) is left to end by itself; it keeps its token until then.
    """
    job: Job[T] = Job(can_wait)
    await limiter.acquire_on_behalf_of(job)
    try:
        back = _start(lambda: work(job), lambda: limiter.release_on_behalf_of(job))
    except BaseException:  # no thread could be started
        limiter.release_on_behalf_of(job)
        raise
    try:
        await back.done.wait()
    except (
        BaseException
    ) as exc:  # Cancelled, or KeyboardInterrupt: neither leaves the thread behind
        job.cancelled.set()
        with trio.CancelScope(shield=True):
            asked = _start(job.interrupt, None)
            await _wait_for_thread(job, back)
            await asked.done.wait()
        ended = job.committed and isinstance(back.outcome, outcome.Value)
        if not ended or not isinstance(exc, trio.Cancelled):
            raise
    assert back.outcome is not None
    result: T = back.outcome.unwrap()
    return result


async def _wait_for_thread(job: Job[Any], back: _Back) -> None:
    with trio.move_on_after(GRACE):
        await back.done.wait()
        return
    if job.can_wait:
        await back.done.wait()
        return
    job.sever()
    with trio.move_on_after(LAST):
        await back.done.wait()


class _Back:
    """What a thread comes back with."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.outcome: outcome.Outcome[Any] | None = None


def _start(work: Callable[[], object], finish: Callable[[], None] | None) -> _Back:
    """Run ``work`` in a thread; ``finish`` is called in trio's when it is back."""
    back = _Back()
    token = trio.lowlevel.current_trio_token()

    def finished() -> None:
        if finish is not None:
            finish()
        back.done.set()

    def deliver(result: outcome.Outcome[Any]) -> None:
        back.outcome = result
        with suppress(trio.RunFinishedError):  # a thread that was left: nobody waits for it
            token.run_sync_soon(finished)

    trio.lowlevel.start_thread_soon(work, deliver, name="flowscript database")
    return back
