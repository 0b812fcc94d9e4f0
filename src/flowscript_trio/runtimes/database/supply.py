"""Owns queries as streams: their rows come in parts, in one transaction. Importing this imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import TextClause
from sqlalchemy.exc import ProgrammingError

from .engines import ALONE
from .jobs import Job
from .reading import FETCH, as_rows, commit, names_of, patiently
from .sessions import Session

if TYPE_CHECKING:
    from sqlalchemy import Connection


class QuerySupply:
    """The rows of a query, in parts, as the database finds them; what it changed is committed at the end.

    Closed before that, it is rolled back. Between two parts no thread is at work for it.
    """

    def __init__(self, session: Session, query: TextClause) -> None:
        self._session = session
        self._query = query
        self._names: list[str] = []
        self._ended = False
        session.database.open_streams += 1

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
        self._session.database.open_streams -= 1
        await self._session.close()
