"""Owns databases: importing it registers the source and the sink. SQLAlchemy is imported when one runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ...types.shapes import NUMBER, UNKNOWN, Shape, list_of, object_of
from ..extras import how_to_install, is_installed
from ..registry import registry
from ..streams import Items, Stream, stream_in, streams_of
from ..types import ExecutionParams
from .engines import Database, open_database
from .errors import is_busy
from .jobs import Job, run_job
from .placeholders import match, only_reads, scan
from .types import DatabaseSinkConfig, DatabaseSourceConfig

if TYPE_CHECKING:
    from .once import Marker

T = TypeVar("T")

ROW = object_of({}, is_open=True)
WRITTEN = object_of({"rows": NUMBER, "batches": NUMBER})
_POSTGRESQL = ("postgresql:", "postgres:", "postgresql+psycopg:")


class DatabaseSource:
    """Type ``source:database``: its output is the rows, a list of dicts, or with ``stream`` a stream of them.

    What the query changed is committed (of a stream at its end, and not where it is left before). Cancellation
    interrupts the query, waits for its thread and rolls back.
    """

    type = "source:database"
    config = DatabaseSourceConfig
    reads_only = True
    timeout: float | None = None

    def gives(self, known: Mapping[str, Any]) -> Shape:
        return list_of(ROW) if known.get("stream") is False else UNKNOWN

    def needs(self, known: Mapping[str, Any]) -> str | None:
        return _missing(known)

    @staticmethod
    def is_repeatable(config: Any) -> bool:
        """Whether nobody notices that it is done again: its query only reads, as far as its words say."""
        return only_reads(config.query)

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

    def gives(self, known: Mapping[str, Any]) -> Shape:
        return WRITTEN

    def needs(self, known: Mapping[str, Any]) -> str | None:
        return _missing(known)

    async def execute(self, params: ExecutionParams) -> dict[str, int]:
        config: DatabaseSinkConfig = params.config
        database = await open_database(params.run, config.connection)
        key = params.run.idempotency_key
        if key is None:
            return await _write(params, database, None)
        from .once import Marker

        marker = Marker(key, params.run.id)
        written = await _write(params, database, marker)
        if marker.missing and not database.is_unmarked:
            database.is_unmarked = True  # it is said once
            params.run.warn(
                params.node,
                f"{params.node.label!r} writes at least once, and twice if the process dies as it ends: "
                f"{marker.missing}",
            )
        return written


async def _write(
    params: ExecutionParams, database: Database, marker: Marker | None
) -> dict[str, int]:
    """Write what a sink is given, with its marker in a durable run."""
    from .writing import write_rows

    config: DatabaseSinkConfig = params.config
    stream = stream_in(params.input)
    if stream is not None:
        if not database.is_one_connection:
            from .pouring import write_stream

            return await write_stream(database, config, stream, marker)
        rows = await stream.all()  # as the database, they are held in memory
        return await _run(database, partial(write_rows, database, config, rows, marker))
    try:
        work = partial(write_rows, database, config, params.input, marker)
        return await _run(database, work)
    except Exception as exc:
        if database.open_streams and is_busy(exc):
            exc.add_note(
                "a stream reads from this database, and an SQLite file that is not in WAL mode lets nobody "
                "commit meanwhile; set PRAGMA journal_mode = WAL once, or give the stream to the sink itself"
            )
        raise


def _missing(known: Mapping[str, Any]) -> str | None:
    """What to install for a database that could not be opened here."""
    if not is_installed("sqlalchemy"):
        return how_to_install("a database", "SQLAlchemy", "database")
    url = known.get("connection")
    if isinstance(url, str) and url.startswith(_POSTGRESQL) and not is_installed("psycopg"):
        return how_to_install("PostgreSQL", "psycopg", "postgresql")
    return None


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
