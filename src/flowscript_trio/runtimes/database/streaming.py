"""Owns queries and inserts by and by: rows come and go in parts, in one transaction. Importing this imports
SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import TextClause
from sqlalchemy.exc import ProgrammingError

from ..streams import Stream
from .engines import ALONE, Database
from .jobs import Job
from .reading import FETCH, as_rows, commit, names_of, patiently
from .sessions import Session
from .types import DatabaseSinkConfig
from .writing import begin, check_rows, read_name, write_group

if TYPE_CHECKING:
    from sqlalchemy import Connection

STEP = 2000
"""Rows that are written in one go of a thread, at least."""


class QuerySupply:
    """The rows of a query, in parts, as the database finds them; what it changed is committed at the end.

    Closed before that, it is rolled back. Between two parts no thread is at work for it.
    """

    def __init__(self, session: Session, query: TextClause) -> None:
        self._session = session
        self._query = query
        self._names: list[str] = []
        self._ended = False

    async def open(self) -> None:
        """Ask the database, and wait for the first row. Cancellation interrupts the query; close it then."""
        await self._session.run(self._open)

    def _open(self, connection: Connection, job: Job[Any]) -> None:
        database = self._session.database
        options = {ALONE: True, "yield_per": FETCH}
        query = self._query.execution_options(**options)
        try:
            result = patiently(database, job, lambda: connection.execute(query), connection)
        except ProgrammingError as exc:
            if database.dialect == "postgresql":
                exc.add_note(
                    "with stream the query is read by a cursor of the server, which takes SELECT, VALUES, "
                    "TABLE, or WITH that only reads"
                )
            raise
        if not result.returns_rows:
            database.tables.clear()  # it may have changed one
            self._end(connection, job)
            return
        self._session.result = result
        self._names = names_of(result)

    async def fetch(self) -> Sequence[Any]:
        if self._ended:
            return ()
        return await self._session.run(self._fetch)

    def _fetch(self, connection: Connection, job: Job[Any]) -> Sequence[Any]:
        result = self._session.result
        assert result is not None
        rows = as_rows(self._names, result.fetchmany(FETCH))
        if not rows:
            result.close()
            self._end(connection, job)
        return rows

    def _end(self, connection: Connection, job: Job[Any]) -> None:
        commit(self._session.database, connection, job)
        self._ended = True
        self._session.end(connection, job)

    async def aclose(self) -> None:
        await self._session.close()


async def write_stream(
    database: Database, config: DatabaseSinkConfig, stream: Stream
) -> dict[str, int]:
    """Write the rows of a stream in one transaction: all or none, however many.

    Cancellation interrupts the statement that runs, rolls back and closes the stream; where the commit was
    done before it came, the rows are written.
    """
    name = read_name(config.table)
    size = -(-STEP // config.batch) * config.batch
    session = Session(database)
    written = seen = batches = 0

    def write(items: list[Any], connection: Connection, job: Job[Any]) -> int:
        if seen == 0:
            begin(database, connection, job)
        rows = check_rows(config, items, seen)
        return write_group(database, connection, config, name, rows, job)

    def finish(connection: Connection, job: Job[Any]) -> None:
        commit(database, connection, job)
        session.end(connection, job)

    stream.claim()
    try:
        while items := await stream.take(size):
            written += await session.run(partial(write, items))
            seen += len(items)
            batches += -(-len(items) // config.batch)
        if seen:
            await session.run(finish)
    finally:
        try:
            await stream.aclose()
        finally:
            await session.close()
    return {"rows": written, "batches": batches}
