"""Owns the writing of many rows to SQLite by its driver's ``executemany``, which takes them as they come."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import length_hint
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite

from ...types.errors import FlowScriptError
from .errors import as_statement_error
from .jobs import Job
from .rows import Rows, picker
from .values import PLAIN, to_driver

if TYPE_CHECKING:
    from .engines import Database
    from .types import DatabaseSinkConfig

STEP = 1000
"""Rows between two looks at whether they are still wanted."""


def streams(database: Database, config: DatabaseSinkConfig) -> bool:
    """Whether rows go to the driver in one stream. An update does not: it is asked what it has changed."""
    return database.engine.driver == "pysqlite" and config.operation != "update"


def stream_rows(
    connection: Connection, statement: Any, names: dict[str, str], rows: Rows, job: Job[Any]
) -> None:
    """Execute a statement for rows that have the same columns; the job is looked at every ``STEP`` rows.

    ``names`` are the names under which the statement binds each column. Errors are SQLAlchemy's, as those of
    other statements, with a note that says the row.
    """
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))
    columns = {bound: column for column, bound in names.items()}
    feed = _Feed(rows, [columns[bound] for bound in compiled.positiontup], job)
    query = str(compiled)
    raw: Any = connection.connection.dbapi_connection
    try:
        raw.cursor().executemany(query, feed)
    except Exception as exc:
        error: BaseException = exc
        if isinstance(exc, sqlite3.Error):
            error = as_statement_error(exc, sqlite3.Error, query, connection)
        if feed.index is not None:
            error.add_note(f"in {rows.label(feed.index)}")
        if error is exc:
            raise
        raise error from exc


class _Feed:
    """The values of rows in the order of a statement's places; ``index`` is the row that was taken last."""

    def __init__(self, rows: Rows, columns: Sequence[str], job: Job[Any]) -> None:
        self._rows = rows
        self._pick = picker(columns)
        self._job = job
        self._end = 0
        self._left: Iterator[tuple[Any, ...]] = iter(())

    @property
    def index(self) -> int | None:
        taken = self._end - length_hint(self._left)
        return taken - 1 if taken else None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(self._rows), STEP):
            self._job.check()
            part = list(map(self._pick, self._rows.values[start : start + STEP]))
            kinds = set(map(type, chain.from_iterable(part)))
            if kinds <= PLAIN and not (float in kinds and any(map(_has_nan, part))):
                self._end, self._left = start + len(part), iter(part)
                yield from self._left
                continue
            for number, values in enumerate(part, start + 1):
                self._end, self._left = number, iter(())
                if _has_nan(values):
                    raise FlowScriptError(
                        "SQLite cannot hold NaN: it would be null; expected a number or null"
                    )
                yield tuple([to_driver(value, "sqlite") for value in values])


def _has_nan(values: tuple[Any, ...]) -> bool:
    """Whether one of the values is not a number: nothing else is unlike itself."""
    return any(value != value for value in values if value.__class__ is float)
