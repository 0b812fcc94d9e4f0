"""Owns the query of a source: it runs in a thread and gives rows. Importing this imports SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, TextClause
from sqlalchemy.exc import SQLAlchemyError

from ...types.errors import FlowScriptError
from .engines import ALONE, Database
from .errors import UNWRITABLE, is_busy, is_lock, mark_passing, not_writable, say_where
from .jobs import Job
from .values import to_value

T = TypeVar("T")

FETCH = 1000
"""Rows between two looks at whether they are still wanted."""


def read_rows(database: Database, query: TextClause, job: Job[Any]) -> list[dict[str, Any]]:
    """The rows of a query, in order; what it changed is committed. For the job's thread."""
    with connected(database, job) as connection:
        rows = patiently(
            database, job, lambda: _fetch(database, connection, query, job), connection
        )
        commit(database, connection, job)
        return rows


@contextmanager
def connected(database: Database, job: Job[Any]) -> Iterator[Connection]:
    """A connection while the block lasts; what it did not commit is rolled back.

    Errors of SQLAlchemy are its own, with ``retryable`` where trying again may help.
    """
    try:
        connection = database.connect(job)
    except SQLAlchemyError as exc:
        job.check()
        mark_passing(exc, connecting=True)
        say_where(exc, database.engine.url)
        raise
    try:
        try:
            job.check()
            yield connection
        except SQLAlchemyError as exc:
            mark_passing(exc)
            say_where(exc, database.engine.url)
            raise
        except UNWRITABLE as exc:
            raise not_writable(exc, database.name) from exc
    finally:
        database.release(connection, job)


def begin(database: Database, connection: Connection, job: Job[Any]) -> None:
    """Begin a transaction that writes. For the job's thread."""
    if database.dialect == "sqlite":  # locked at once: no statement inside waits for it
        patiently(database, job, lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"), connection)


def commit(database: Database, connection: Connection, job: Job[Any]) -> None:
    """Commit, unless the job was cancelled. Once it is done, the job's cancellation comes too late.

    SQLite may find the lock held by a reader only now. SQLAlchemy tries no commit twice, so it is the driver's
    that is tried again; what SQLAlchemy commits then is done already, or fails in its words.
    """
    job.begin_commit()
    if database.dialect == "sqlite":
        raw: Any = connection.connection.dbapi_connection
        until = monotonic() + database.patience
        while not _commits(raw) and monotonic() < until:
            job.check()
            job.pause(0.01)
    connection.commit()
    job.committed = True


def _commits(connection: sqlite3.Connection) -> bool:
    """Commit; whether that is all that can be done: not where another connection holds the lock."""
    try:
        connection.commit()
    except sqlite3.Error as exc:
        return not is_lock(exc)
    return True


def patiently(
    database: Database, job: Job[Any], work: Callable[[], T], connection: Connection
) -> T:
    """What ``work`` gives; where SQLite is locked by another, it is tried again for a while.

    The transaction of ``connection`` is rolled back before that.
    """
    until = monotonic() + database.patience
    while True:
        try:
            return work()
        except SQLAlchemyError as exc:
            job.check()
            if not is_busy(exc) or monotonic() >= until:
                raise
            try:
                connection.rollback()
            except SQLAlchemyError:
                raise exc
        job.pause(0.01)


def _fetch(
    database: Database, connection: Connection, query: TextClause, job: Job[Any]
) -> list[dict[str, Any]]:
    result = connection.execute(query.execution_options(**{ALONE: True}))
    if not result.returns_rows:
        database.tables.clear()  # it may have changed one
        return []
    names = names_of(result)
    rows = []
    for part in result.partitions(FETCH):
        job.check()
        rows += as_rows(names, part)
    return rows


def as_rows(names: Sequence[str], part: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows of a result as objects."""
    return [dict(zip(names, map(to_value, row), strict=True)) for row in part]


def names_of(result: CursorResult[Any]) -> list[str]:
    """The columns of a result; raises FlowScriptError where two have one name."""
    names = list(result.keys())
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise FlowScriptError(
                f"the query gives two columns named {name!r}; give one of them another name with AS"
            )
        seen.add(name)
    return names
