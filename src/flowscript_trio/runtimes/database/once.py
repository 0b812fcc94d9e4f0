"""Owns exactly once: the marker that a sink inserts first, in its own transaction.

Importing this imports SQLAlchemy.

A process may die between the commit of a sink and the record of its end; then the node is done again. It finds its
marker, which was committed with its rows, and gives what is there in place of writing them again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from .engines import Database
from .jobs import Job
from .types import MARKERS

if TYPE_CHECKING:
    from sqlalchemy import Connection

Written = dict[str, int]
"""What a sink gives."""

_FIND = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name",
    "postgresql": "SELECT 1 WHERE to_regclass(:name) IS NOT NULL",
}


@dataclass(slots=True)
class Marker:
    """What says that one execution of a sink has written; ``key`` is its idempotency key, ``run`` its run.

    ``missing`` is why there is none in the database: then the sink writes at least once.
    """

    key: str
    run: str
    missing: str = ""
    _is_set: bool = False

    def set(self, database: Database, connection: Connection, job: Job[Any]) -> Written | None:
        """Insert it, first in a transaction; what was written with it before, where it is there. For the thread.

        Another transaction that has inserted it and is not yet committed is waited for. Once it is found, a
        cancellation of the job comes too late: what it was to do is done.
        """
        self.missing = why_not(database, connection)
        if self.missing or database.is_one_connection:
            return None
        inserted = connection.execute(
            text(
                f"INSERT INTO {MARKERS} (key, run) VALUES (:key, :run) ON CONFLICT (key) DO NOTHING"
            ),
            {"key": self.key, "run": self.run},
        )
        if inserted.rowcount == 1:
            self._is_set = True
            return None
        found = connection.execute(
            text(f"SELECT output FROM {MARKERS} WHERE key = :key"), {"key": self.key}
        ).scalar_one()
        job.committed = True
        written: Written = json.loads(found)
        return written

    def keep(self, connection: Connection, written: Written) -> None:
        """Put what was written into it, before the transaction is committed. For the thread."""
        if self._is_set:
            connection.execute(
                text(f"UPDATE {MARKERS} SET output = :output WHERE key = :key"),
                {"output": json.dumps(written), "key": self.key},
            )


def why_not(database: Database, connection: Connection) -> str:
    """Why a database has no markers; empty where it has, or lives in memory and dies with its process."""
    if database.is_one_connection:
        return ""
    find = _FIND.get(database.dialect)
    if find is None:
        return f"exactly once is known for SQLite and PostgreSQL, and not for {database.dialect}"
    if not database.has_markers:
        database.has_markers = connection.execute(text(find), {"name": MARKERS}).first() is not None
    if database.has_markers:
        return ""
    return f"the database has no table {MARKERS}; make it once: flowscript markers CONNECTION"
