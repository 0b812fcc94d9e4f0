"""Owns the table of markers, by which durable runs write to a database exactly once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from .jobs import Job, run_job
from .types import MARKED, MARKERS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .engines import Database

T = TypeVar("T")

STATEMENTS = (
    f"CREATE TABLE IF NOT EXISTS {MARKERS} (key VARCHAR(36) PRIMARY KEY, run TEXT NOT NULL, output TEXT, "
    "made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    f"CREATE INDEX IF NOT EXISTS {MARKERS}_by_run ON {MARKERS} (run)",
)
"""What makes the table, in SQLite and in PostgreSQL."""

AT_ONCE = 500
"""Runs whose markers are forgotten by one statement."""


async def make_markers(connection: str) -> None:
    """Make the table of markers in a database, where there is none; then durable runs write to it exactly once.

    Args:
        connection: the URL of the database, as a sink has it.

    Raises SettingError for a URL that is not valid or names neither SQLite nor PostgreSQL, FlowScriptError where a
    package is missing, and the errors of SQLAlchemy. Cancellation interrupts the statement and rolls back.
    """
    await _work(connection, _make)


async def has_markers(connection: str, base: Path | None = None) -> bool:
    """Whether a database has the table of markers. Nothing is made, not even a file that is not there.

    Args:
        connection: the URL of the database, as a sink has it.
        base: the folder that a relative path is taken from; None for the current one.

    Raises as :func:`make_markers`; cancellation interrupts the statement.
    """
    from .urls import read_url

    url = read_url(connection)
    if url.get_backend_name() == "sqlite" and url.database:
        path = (base or Path()) / url.database
        if not await trio.Path(path).exists():
            return False
        connection = url.set(database=str(path)).render_as_string(hide_password=False)
    return await _work(connection, _has)


async def forget_markers(connection: str, runs: Sequence[str]) -> int:
    """Forget the markers of these runs in a database; how many there were.

    Only markers of runs that are never resumed again may be forgotten. Raises as :func:`make_markers`.
    Cancellation interrupts the statement and rolls back.
    """
    return await _work(connection, partial(_forget, runs))


async def _work(url: str, work: Callable[[Database, Connection, Job[Any]], T]) -> T:
    """Do something in one transaction of a database that is closed again."""
    from ...types.errors import SettingError
    from .engines import Databases

    databases = Databases()
    try:
        database = await databases.open(url, None)
        if database.dialect not in MARKED:
            raise SettingError(
                f"markers are known for SQLite and PostgreSQL, and not for {database.dialect}"
            )

        def do(job: Job[T]) -> T:
            from .reading import begin, commit, connected

            with connected(database, job) as connection:
                begin(database, connection, job)
                done = work(database, connection, job)
                commit(database, connection, job)
                return done

        return await run_job(do, database.turns, can_wait=database.dialect == "sqlite")
    finally:
        with trio.CancelScope(shield=True):
            await databases.aclose()


def _make(database: Database, connection: Connection, job: Job[Any]) -> None:
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def _has(database: Database, connection: Connection, job: Job[Any]) -> bool:
    from .once import why_not

    return not why_not(database, connection)


def _forget(runs: Sequence[str], database: Database, connection: Connection, job: Job[Any]) -> int:
    from sqlalchemy import bindparam, text

    statement = text(f"DELETE FROM {MARKERS} WHERE run IN :runs").bindparams(
        bindparam("runs", expanding=True)
    )
    count = 0
    for start in range(0, len(runs), AT_ONCE):
        job.check()
        part = list(runs[start : start + AT_ONCE])
        count += connection.execute(statement, {"runs": part}).rowcount
    return count
