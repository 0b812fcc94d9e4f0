"""Owns the thread that writes: what has gathered meanwhile, of all runs of a store, is one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ..types.storing import StoreFailed, Superseded
from .backend import Backend, Batch, Owned

LINGER = 0.2
"""Seconds after which rows are written that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a pass wrote of a run, or nothing where only what came before is waited for.

    ``told`` is called once it and all before it are on disk, or with the error that keeps it from being.
    """

    owned: Owned
    batch: Batch | None
    told: Callable[[StoreFailed | None], None]
    urgent: bool


class Writer(Protocol):
    """Puts the batches of all journals of a store on disk, in the order in which they come."""

    def join(self) -> None:
        """One more journal uses it."""

    def leave(self) -> None:
        """One journal less does. It may block for as long as a commit takes."""

    def put(self, job: Job) -> None:
        """Take what a pass wrote. It never waits."""


class _Committer:
    """Commits jobs together; what a run writes after a batch that was lost is lost as well, so no gap comes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lost: dict[Owned, StoreFailed] = {}

    def commit(self, jobs: Sequence[Job], waiting: Callable[[], bool]) -> None:
        while batches := [job.batch for job in jobs if job.batch and job.owned not in self._lost]:
            try:
                self._backend.commit(batches, waiting)
            except Superseded as exc:  # the other runs do not suffer from it
                lost = [batch.owned for batch in batches if batch.owned.run_id == exc.run_id]
                self._lost |= dict.fromkeys(lost, exc)
            except StoreFailed as exc:
                self._lost |= dict.fromkeys((batch.owned for batch in batches), exc)
            else:
                break
        told = {job.owned: job.told for job in jobs}  # the last of a run tells of all before it
        for owned, tell in told.items():
            tell(self._lost.get(owned))


class InlineWriter:
    """For a store that takes no time: the commit is made where a pass is waited for."""

    def __init__(self, backend: Backend) -> None:
        self._committer = _Committer(backend)
        self._jobs: list[Job] = []

    def join(self) -> None:
        pass

    def leave(self) -> None:
        pass

    def put(self, job: Job) -> None:
        self._jobs.append(job)
        if job.urgent:
            jobs, self._jobs = self._jobs, []
            self._committer.commit(jobs, lambda: False)


class ThreadWriter:
    """A thread of its own that lives while a journal of the store is open."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()  # journals are opened in trio's thread and closed in others
        self._users = 0
        self._thread: _Thread | None = None

    def join(self) -> None:
        with self._lock:
            self._users += 1
            if self._thread is None:
                self._thread = _Thread(self._backend)

    def leave(self) -> None:
        thread = None
        with self._lock:
            self._users -= 1
            if self._users == 0:
                thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    def put(self, job: Job) -> None:
        thread = self._thread
        assert thread is not None, "a journal that writes has joined"
        thread.put(job)


class _Thread:
    """One thread, its jobs and its bell, which is a bare lock: events of ``threading`` cost more than a commit."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._committer = _Committer(backend)
        self._jobs: deque[Job] = deque()
        self._bell = threading.Lock()
        self._bell.acquire()
        self._stirred = False
        self._urgent = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="flowscript store", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        self._jobs.append(job)
        if job.urgent:
            self._urgent = True
            self._ring()
        elif not self._stirred:
            self._stirred = True
            self._ring()

    def stop(self) -> None:
        """End the thread; what it still waits for is given up."""
        self._stopped = self._urgent = True
        self._ring()
        self._thread.join()

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def _run(self) -> None:
        while not self._stopped:
            self._bell.acquire()
            if not self._urgent:
                self._bell.acquire(timeout=LINGER)
            # Cleared before the jobs are taken: what comes between is taken now, or rings again.
            self._stirred = self._urgent = False
            jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
            if jobs:
                self._committer.commit(jobs, lambda: not self._stopped)
        self._backend.rest()
