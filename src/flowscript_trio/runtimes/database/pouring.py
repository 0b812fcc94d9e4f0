"""Owns the writing of a stream to a table: part by part, in one transaction. Importing this imports SQLAlchemy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..streams import Stream
from .engines import Database
from .jobs import Job
from .reading import commit
from .sessions import Session
from .types import DatabaseSinkConfig
from .writing import begin, check_rows, read_name, write_group

if TYPE_CHECKING:
    from sqlalchemy import Connection

STEP = 2000
"""Rows that are written in one go of a thread, at least."""


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
