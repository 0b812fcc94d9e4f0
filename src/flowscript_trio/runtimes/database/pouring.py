"""Owns the writing of a stream to a table: part by part, in one transaction. Importing this imports SQLAlchemy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..streams import Stream
from .engines import Database
from .jobs import Job
from .once import Marker, Written
from .reading import begin, commit
from .sessions import Session
from .spelling import read_name
from .types import DatabaseSinkConfig
from .writing import check_rows, write_group

if TYPE_CHECKING:
    from sqlalchemy import Connection

STEP = 2000
"""Rows that are written in one go of a thread, at least."""


async def write_stream(
    database: Database, config: DatabaseSinkConfig, stream: Stream, marker: Marker | None = None
) -> Written:
    """Write the rows of a stream in one transaction: all or none, however many.

    Where the ``marker`` is there already, they were written, and what it keeps of that is given.

    Cancellation interrupts the statement that runs, rolls back and closes the stream; where the commit was
    done before it came, the rows are written.
    """
    name = read_name(config.table)
    size = -(-STEP // config.batch) * config.batch
    session = Session(database)
    written = seen = batches = 0

    def look(connection: Connection, job: Job[Any]) -> Written | None:
        begin(database, connection, job)
        return None if marker is None else marker.set(database, connection, job)

    def write(items: list[Any], connection: Connection, job: Job[Any]) -> int:
        rows = check_rows(config, items, seen)
        return write_group(database, connection, config, name, rows, job)

    def finish(done: Written, connection: Connection, job: Job[Any]) -> None:
        if marker is not None:
            marker.keep(connection, done)
        commit(database, connection, job)
        session.end(connection, job)

    stream.claim()
    try:
        while items := await stream.take(size):
            if seen == 0 and (known := await session.run(look)) is not None:
                return known
            written += await session.run(partial(write, items))
            seen += len(items)
            batches += -(-len(items) // config.batch)
        done = {"rows": written, "batches": batches}
        if seen:
            await session.run(partial(finish, done))
        return done
    finally:
        try:
            await stream.aclose()
        finally:
            await session.close()
