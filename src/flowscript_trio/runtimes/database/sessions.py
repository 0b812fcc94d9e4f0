"""Owns a connection that is kept from one piece of work to the next, as a stream needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from ..streams import CLOSING
from .engines import Database
from .jobs import Job, run_job

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

T = TypeVar("T")


class Session:
    """One connection of a database, and its transaction, over several jobs. One task at a time uses it.

    It connects with the first job. Between two jobs it holds its connection, and neither a thread nor a turn of
    the database. What was not committed is rolled back when it is closed.
    """

    def __init__(self, database: Database) -> None:
        self.database: Database = database
        self.result: CursorResult[Any] | None = None
        """What a query has begun to give: it is closed with the session, or SQLite would keep its file open."""
        self._connection: Connection | None = None
        self._is_lost = False
        self._is_busy = False
        self._closed = False
        self._lock = threading.Lock()

    async def run(self, work: Callable[[Connection, Job[Any]], T]) -> T:
        """What ``work`` gives, in a thread, with the connection.

        Cancellation interrupts the statement that runs and waits for the thread; close the session then. Errors
        of SQLAlchemy are its own, with ``retryable`` where trying again may help.
        """
        waits = self.database.dialect == "sqlite"
        job = partial(self._do, work)
        return await run_job(job, self.database.turns, can_wait=waits)

    def _do(self, work: Callable[[Connection, Job[Any]], T], job: Job[T]) -> T:
        from sqlalchemy.exc import SQLAlchemyError

        from .errors import UNWRITABLE, mark_passing, not_writable, say_where

        with self._lock:
            self._is_busy = True
        try:
            connection = self._connect(job)
            job.check()
            return work(connection, job)
        except SQLAlchemyError as exc:
            mark_passing(exc, connecting=self._connection is None)
            say_where(exc, self.database.engine.url)
            raise
        except UNWRITABLE as exc:
            raise not_writable(exc, self.database.name) from exc
        finally:
            self._leave(job)

    def _connect(self, job: Job[Any]) -> Connection:
        if self._connection is None:
            self._connection = self.database.connect(job)
        else:
            self.database.attach(self._connection, job)
        return self._connection

    def _leave(self, job: Job[Any]) -> None:
        """The connection is out of reach of the job, which is over."""
        if self._connection is not None and self.database.leave(self._connection, job):
            self._is_lost = True
        with self._lock:
            self._is_busy = False
            is_left = self._closed
        if is_left and self._connection is not None:
            # Who closed it could not wait for this thread: the server did not answer.
            with suppress(Exception):
                self._connection.invalidate()
            self._close_result()
            self.database.release(self._connection, job)

    async def close(self) -> None:
        """Roll back what was not committed, and give the connection back. It may be closed twice.

        It is shielded; a server that does not answer in time gets its connection severed.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._is_busy or self._connection is None:
                return
        waits = self.database.dialect == "sqlite"
        with trio.move_on_after(CLOSING, shield=True):
            await run_job(self._release, self.database.turns, can_wait=waits)

    def _release(self, job: Job[None]) -> None:
        assert self._connection is not None
        if self._is_lost:
            with suppress(Exception):
                self._connection.invalidate()
        elif not self._connection.invalidated:
            self.database.attach(self._connection, job)
        self._close_result()
        self.database.release(self._connection, job)

    def _close_result(self) -> None:
        if self.result is not None:
            with suppress(Exception):  # whatever is wrong with the connection was an error before
                self.result.close()

    def end(self, connection: Connection, job: Job[Any]) -> None:
        """Give the connection back from within a job, which was committed. For the job's thread."""
        self.database.release(connection, job)
        with self._lock:
            self._closed = True
        self._connection = None
