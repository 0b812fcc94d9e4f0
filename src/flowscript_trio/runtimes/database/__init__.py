"""Owns databases: importing it registers the source and the sink. SQLAlchemy is imported when one runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ..registry import registry
from ..streams import Items, Stream, stream_in, streams_of
from ..types import ExecutionParams
from .engines import Database, open_database
from .errors import is_busy
from .jobs import Job, run_job
from .placeholders import match, scan
from .types import DatabaseSinkConfig, DatabaseSourceConfig

T = TypeVar("T")


class DatabaseSource:
    """Type ``source:database``: its output is the rows, a list of dicts, or with ``stream`` a stream of them.

    What the query changed is committed (of a stream at its end, and not where it is left before). Cancellation
    interrupts the query, waits for its thread and rolls back.
    """

    type = "source:database"
    config = DatabaseSourceConfig
    reads_only = True
    timeout: float | None = None

    @staticmethod
    def is_repeatable(config: Any) -> bool:
        """Whether nobody notices that it is done again: it only reads."""
        return True

    async def execute(self, params: ExecutionParams) -> list[dict[str, Any]] | Stream:
        config: DatabaseSourceConfig = params.config
        database = await open_database(params.run, config.connection)
        from .reading import read_rows
        from .text import bind_text

        strict = database.dialect != "postgresql"
        bound = match(scan(config.query), config.params, strict=strict)
        query = bind_text(config.query, bound, database.dialect)
        if config.stream:
            return await _stream(params, database, query)
        return await _run(database, partial(read_rows, database, query))


class DatabaseSink:
    """Type ``sink:database``: writes its input, a mapping, a list or a stream of them, in one transaction.

    Its output is ``{rows, batches}``. Cancelled or failed, it writes nothing; where the commit was done
    before the cancellation came, the node has ended.
    """

    type = "sink:database"
    config = DatabaseSinkConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> dict[str, int]:
        config: DatabaseSinkConfig = params.config
        database = await open_database(params.run, config.connection)
        from .writing import write_rows

        stream = stream_in(params.input)
        if stream is not None:
            if not database.is_one_connection:
                from .pouring import write_stream

                return await write_stream(database, config, stream)
            rows = await stream.all()  # as the database, they are held in memory
            return await _run(database, partial(write_rows, database, config, rows))
        try:
            return await _run(database, partial(write_rows, database, config, params.input))
        except Exception as exc:
            if database.open_streams and is_busy(exc):
                exc.add_note(
                    "a stream reads from this database, and an SQLite file that is not in WAL mode lets nobody "
                    "commit meanwhile; set PRAGMA journal_mode = WAL once, or give the stream to the sink itself"
                )
            raise


async def _stream(params: ExecutionParams, database: Database, query: Any) -> Stream:
    """The rows of a query as a stream, whose query has begun; cancelled or failed on the way, nothing is left."""
    from .reading import read_rows
    from .sessions import Session
    from .supply import QuerySupply

    streams = await streams_of(params.run, "database")
    label = params.node.label
    if database.is_one_connection:  # all share it, and it has all of the rows in memory anyway
        rows = await _run(database, partial(read_rows, database, query))
        return streams.add(Stream(label, Items(rows)))
    supply = QuerySupply(Session(database), query)
    try:
        await supply.open()
    except BaseException:
        await supply.aclose()
        raise
    return streams.add(Stream(label, supply))


async def _run(database: Database, work: Callable[[Job[T]], T]) -> T:
    return await run_job(work, database.turns, can_wait=database.dialect == "sqlite")


for _runtime in (DatabaseSource(), DatabaseSink()):
    registry.register(_runtime.type, _runtime)
