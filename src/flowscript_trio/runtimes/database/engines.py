"""Owns the engines of a run, one for each database URL, and the threads in which they work."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING, Any

import trio

from ..threads import run_in_thread
from ..types import RunServices
from . import sqlite
from .errors import MissingPackage, name_of
from .jobs import Job
from .links import SqliteLink, link_to
from .urls import check_other, create, missing_driver, read_url

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from .tables import Table

THREADS = 10
ALONE = "flowscript_alone"
"""The execution option of a query that a document has written: it is one statement."""


class Database:
    """One database of a run.

    ``turns`` limits those who use it at once: one where it lives in the memory of a single connection.
    """

    def __init__(self, engine: Engine, turns: trio.CapacityLimiter, patience: float) -> None:
        self.engine = engine
        self.turns = turns
        self.patience = patience
        self.dialect: str = engine.dialect.name
        self.name: str = name_of(engine.url)
        """What errors call it."""
        self.is_one_connection: bool = turns.total_tokens == 1
        """Whether it lives in the memory of a single connection, which all share."""
        self.open_streams: int = 0
        """How many streams read from it, each with a transaction of its own."""
        self._thread = local()
        self._lock = Lock()
        self._used = 0  # connections that threads have
        self._is_closed = False
        self.tables: dict[tuple[str | None, str], Table] = {}
        """What tables are like, by schema and name, where it was needed."""
        self.has_markers: bool = False
        """Whether a table of markers was seen in it."""
        self.is_unmarked: bool = False
        """Whether it was said that it has none."""

    def connect(self, job: Job[Any]) -> Connection:
        """A connection that the job's cancellation can interrupt. For the job's thread."""
        self._thread.job, self._thread.new = job, None
        try:
            connection = self.engine.connect()
        except BaseException:
            job.detach()
            if self._thread.new is not None:  # the pool forgets one that fails in its first queries
                with suppress(Exception):  # the error is the one before
                    self._thread.new.close()
            raise
        finally:
            self._thread.job = self._thread.new = None
        with self._lock:
            self._used += 1
        self.attach(connection, job)
        return connection

    def note_new(self, connection: Any, record: Any) -> None:
        """Called by the pool with each new connection, before SQLAlchemy asks it anything."""
        self._thread.new = connection
        self._attach(connection, self._thread.job)

    def dial(self, dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        """Called by the pool in place of psycopg's own ``connect``: one that the job's cancellation ends."""
        from .connecting import dial

        return dial(self._thread.job.check, arguments, options)

    def attach(self, connection: Connection, job: Job[Any]) -> None:
        """Put a connection that is open within reach of a job's cancellation. For the job's thread."""
        self._attach(connection.connection.dbapi_connection, job)

    def leave(self, connection: Connection, job: Job[Any]) -> bool:
        """Put it out of reach again and keep it; gives whether an interrupt may still arrive at it."""
        asked = job.detach()
        if connection.invalidated:
            return False
        link = link_to(connection.connection.dbapi_connection)
        if isinstance(link, SqliteLink):
            link.forget()
            return False
        return asked or job.cancelled.is_set()

    def _attach(self, connection: Any, job: Job[Any]) -> None:
        link = link_to(connection)
        if isinstance(link, SqliteLink):
            link.watch(job)
        job.attach(link)

    def release(self, connection: Connection, job: Job[Any]) -> None:
        """Give the connection back, out of reach of the job. What was not committed is rolled back.

        One to which an interrupt was sent is not used again where the interrupt could arrive later. What
        fails here takes no error's place: the connection is dropped, and the server rolls back by itself.
        """
        is_lost = False
        if not connection.invalidated and not job.cancelled.is_set():
            try:
                connection.rollback()
            except Exception:
                is_lost = True
        raw = None if connection.invalidated else connection.connection.dbapi_connection
        asked = job.detach()
        with self._lock:
            self._used -= 1
            is_lost = is_lost or self._is_closed
        with suppress(Exception):
            if raw is not None:
                link = link_to(raw)
                if isinstance(link, SqliteLink):
                    link.forget()
                if is_lost or (
                    not isinstance(link, SqliteLink) and (asked or job.cancelled.is_set())
                ):
                    connection.invalidate()
        with suppress(Exception):
            connection.close()

    def close(self) -> None:
        """Close all connections, those at which threads were left when these come back. It blocks.

        To close one that a thread is at would wait for that, and hold up all of Python where it is the only one.
        """
        with self._lock:
            self._is_closed = True
            is_used = self._used > 0
        if not (self.is_one_connection and is_used):
            self.engine.dispose()


class Databases:
    """The databases of a run: their threads are its own."""

    def __init__(self) -> None:
        self.limiter: trio.CapacityLimiter = trio.CapacityLimiter(THREADS)
        self._known: dict[str, Database] = {}
        self._opening = trio.Lock()

    async def open(self, url: str, base: Path | None) -> Database:
        """The database of a URL, with an engine that connects when it is first used.

        It is made in a thread: importing SQLAlchemy and a driver takes a while.
        """
        if url not in self._known:
            async with self._opening:
                if url not in self._known:
                    self._known[url] = await run_in_thread(
                        _make, url, base, self.limiter, limiter=self.limiter
                    )
        return self._known[url]

    async def aclose(self) -> None:
        def dispose() -> None:
            for database in self._known.values():
                database.close()

        # Not a thread of the limiter: those that were left behind may hold all of its tokens.
        await trio.to_thread.run_sync(
            dispose, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
        )


async def open_database(run: RunServices, url: str) -> Database:
    """The run's database of that URL; its engine is closed with the run.

    Raises SettingError for an invalid URL, MissingPackage where SQLAlchemy or the driver is missing, and
    PathOutside for an SQLite file out of the run's base folder. Cancellation waits until it is made.
    """
    databases: Databases = await run.resource("database", Databases)
    return await databases.open(url, run.base)


def _make(text: str, base: Path | None, limiter: trio.CapacityLimiter) -> Database:
    try:
        import sqlalchemy
    except ModuleNotFoundError:
        raise MissingPackage(
            "a database needs SQLAlchemy: pip install 'flowscript-trio[database]'"
        ) from None
    from sqlalchemy import event
    from sqlalchemy.pool import StaticPool

    url = read_url(text)
    options: dict[str, Any] = {"pool_size": THREADS, "max_overflow": -1}
    arguments: dict[str, Any] = {}
    patience, turns = sqlite.PATIENCE, limiter
    is_sqlite = url.get_backend_name() == "sqlite"
    name = url.database or ""
    if is_sqlite:
        url, patience = sqlite.settle(url, base)
        # The patience is ours: a thread that SQLite keeps waiting for a lock cannot be interrupted.
        arguments = {"check_same_thread": False, "timeout": 0}
        if sqlite.in_memory(url):
            options = {"poolclass": StaticPool}
            turns = trio.CapacityLimiter(1)
        # By position, SQLAlchemy would look for places in the query's own text, where %( may occur.
        options["paramstyle"] = "named"
    elif url.drivername == "postgresql+psycopg":
        url, arguments = _settle_postgresql(url, base)
    else:
        check_other(url, base)
    engine = create(
        partial(
            sqlalchemy.create_engine,
            url,
            connect_args=arguments,
            hide_parameters=True,
            **options,
        )
    )
    database = Database(engine, turns, patience)
    if is_sqlite:

        def guard(connection: Any, record: Any) -> None:
            sqlite.guard(connection, confined=base is not None)

        event.listen(engine, "connect", guard, insert=True)
        if base is not None and not sqlite.in_memory(url):

            def dial(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
                return sqlite.connect_beneath(str(url.database), name, base, options)

            event.listen(engine, "do_connect", dial)
    event.listen(engine, "connect", database.note_new, insert=True)
    if url.drivername == "postgresql+psycopg":
        event.listen(engine, "do_connect", database.dial)
        event.listen(engine, "connect", _teach)
        event.listen(engine, "do_execute", _execute_alone)
        event.listen(engine, "handle_error", _explain_unheld)
    return database


def _teach(connection: Any, record: Any) -> None:
    from .loaders import teach

    teach(connection)


def _explain_unheld(context: Any) -> Exception | None:
    from .unheld import explain_unheld

    return explain_unheld(context)


def _execute_alone(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Called in place of the cursor's ``execute`` for a statement that is to be the only one of its text.

    Without parameters psycopg sends a text as it is, with all the statements in it; in a pipeline the
    server takes one. Gives whether it was executed here.
    """
    if not context.execution_options.get(ALONE) or parameters:
        return False
    from psycopg import ServerCursor

    if isinstance(cursor, ServerCursor):
        return False  # it is declared by a statement of the extended protocol, which is one in any case
    with cursor.connection.pipeline():
        cursor.execute(statement, parameters)
    return True


def _settle_postgresql(url: URL, base: Path | None) -> tuple[URL, dict[str, Any]]:
    try:
        from .postgresql import settle

        return settle(url, base)
    except ModuleNotFoundError as exc:
        raise missing_driver(exc) from None
