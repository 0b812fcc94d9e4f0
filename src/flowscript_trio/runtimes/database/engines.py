"""Owns the engines of a run, one for each database URL, and the threads in which they work."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any

import trio

from ...types.errors import SettingError
from ..file.paths import resolve
from ..types import RunServices
from .errors import MissingPackage
from .jobs import Job
from .links import SqliteLink, link_to

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

THREADS = 10
CONNECT_SECONDS = 10
"""How long a server may take to accept a connection, where the URL does not say (``connect_timeout``)."""
PATIENCE = 5.0
"""Seconds that SQLite waits for the lock of another connection, where the URL does not say (``timeout``)."""
_ATTACH = 24  # SQLITE_ATTACH
_DENY = 1

_DRIVERS = {
    "psycopg": "'flowscript-trio[postgresql]'",
}
_SPELLINGS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}


class Database:
    """One database of a run.

    ``turns`` limits those who use it at once: one where it lives in the memory of a single connection.
    """

    def __init__(self, engine: Engine, turns: trio.CapacityLimiter, patience: float) -> None:
        self.engine = engine
        self.turns = turns
        self.patience = patience
        self.dialect: str = engine.dialect.name
        self._thread = local()
        self.kinds: dict[tuple[str | None, str], dict[str, Any]] = {}
        """The types of columns by schema and table, where they were needed."""

    def connect(self, job: Job[Any]) -> Connection:
        """A connection that the job's cancellation can interrupt. For the job's thread."""
        self._thread.job, self._thread.new = job, None
        try:
            connection = self.engine.connect()
        except BaseException:
            job.detach()
            if self._thread.new is not None:  # the pool forgets one that fails in its first queries
                self._thread.new.close()
            raise
        finally:
            self._thread.job = self._thread.new = None
        self._attach(connection.connection.dbapi_connection, job)
        return connection

    def note_new(self, connection: Any, record: Any) -> None:
        """Called by the pool with each new connection, before SQLAlchemy asks it anything."""
        self._thread.new = connection
        self._attach(connection, self._thread.job)

    def dial(self, dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        """Called by the pool in place of psycopg's own ``connect``: one that the job's cancellation ends."""
        from .connecting import watched

        return watched(self._thread.job.check).connect(*arguments, **options)

    def _attach(self, connection: Any, job: Job[Any]) -> None:
        link = link_to(connection)
        if isinstance(link, SqliteLink):
            link.watch(job)
        job.attach(link)

    def release(self, connection: Connection, job: Job[Any]) -> None:
        """Give the connection back, out of reach of the job. What was not committed is rolled back.

        One to which an interrupt was sent is not used again where the interrupt could arrive later.
        """
        try:
            if not connection.invalidated and not job.cancelled.is_set():
                connection.rollback()
        finally:
            raw = None if connection.invalidated else connection.connection.dbapi_connection
            asked = job.detach()
            if raw is not None:
                link = link_to(raw)
                if isinstance(link, SqliteLink):
                    link.forget()
                elif asked or job.cancelled.is_set():
                    connection.invalidate()
            connection.close()


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
                    self._known[url] = await trio.to_thread.run_sync(
                        _make, url, base, self.limiter, limiter=self.limiter
                    )
        return self._known[url]

    async def aclose(self) -> None:
        def dispose() -> None:
            for database in self._known.values():
                database.engine.dispose()

        # Not a thread of the limiter: those that were left behind may hold all of its tokens.
        await trio.to_thread.run_sync(
            dispose, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
        )


async def open_database(run: RunServices, url: str) -> Database:
    """The run's database of that URL; its engine is closed with the run.

    Raises SettingError for a URL that is none, MissingPackage where SQLAlchemy or the driver is missing, and
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

    url = _read(text)
    options: dict[str, Any] = {"pool_size": THREADS, "max_overflow": -1}
    arguments: dict[str, Any] = {}
    patience, turns = PATIENCE, limiter
    if is_sqlite := url.get_backend_name() == "sqlite":
        url, patience = _place(url, base)
        # The patience is ours: a thread that SQLite keeps waiting for a lock cannot be interrupted.
        arguments = {"check_same_thread": False, "timeout": 0}
        if _in_memory(url):
            options = {"poolclass": StaticPool}
            turns = trio.CapacityLimiter(1)
        # By position, SQLAlchemy would look for places in the query's own text, where %( may stand.
        options["paramstyle"] = "named"
    elif url.drivername == "postgresql+psycopg" and "connect_timeout" not in url.query:
        arguments = {"connect_timeout": CONNECT_SECONDS}
    engine = _create(
        partial(
            sqlalchemy.create_engine,
            url,
            connect_args=arguments,
            hide_parameters=True,
            **options,
        )
    )
    database = Database(engine, turns, patience)
    if is_sqlite and base is not None:
        event.listen(engine, "connect", _confine, insert=True)
    event.listen(engine, "connect", database.note_new, insert=True)
    if url.drivername == "postgresql+psycopg":
        event.listen(engine, "do_connect", database.dial)
    return database


def _read(text: str) -> URL:
    """The URL; raises SettingError, which never shows it: a password may stand in it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
        url = url.set(drivername=_SPELLINGS.get(url.drivername, url.drivername))
        url.get_dialect()
    except ModuleNotFoundError as exc:
        raise _missing_driver(exc) from None
    except (ArgumentError, ValueError):
        raise SettingError(
            "the connection is no database URL; "
            "expected sqlite:///file.db or postgresql://user@host/name"
        ) from None
    return url


def _create(make: Any) -> Engine:
    try:
        engine: Engine = make()
    except ModuleNotFoundError as exc:
        raise _missing_driver(exc) from None
    except (TypeError, ValueError) as exc:
        raise SettingError(f"the connection is not right: {exc}") from None
    if engine.dialect.is_async:
        raise SettingError(
            f"the connection names an asyncio driver, {engine.driver!r}; expected a synchronous one"
        )
    return engine


def _missing_driver(error: ModuleNotFoundError) -> MissingPackage:
    driver = error.name or "of the database"
    return MissingPackage(
        f"the driver {driver!r} is not installed: pip install {_DRIVERS.get(driver, driver)}"
    )


def _place(url: URL, base: Path | None) -> tuple[URL, float]:
    """The URL with the file where it really is, and how long to wait for its locks (seconds)."""
    if "uri" in url.query or (url.database or "").startswith("file:"):
        raise SettingError("the connection is a file: URI; expected sqlite:///file.db")
    try:
        patience = float(str(url.query.get("timeout", PATIENCE)))
    except ValueError:
        raise SettingError("timeout in the connection is no number of seconds") from None
    url = url.difference_update_query(["timeout"])
    if not _in_memory(url):
        assert url.database is not None
        url = url.set(database=resolve(url.database, base)[1])
    return url, patience


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _confine(connection: Any, record: Any) -> None:
    """Let no query open another file: the base folder confines SQLite as it does files."""
    connection.set_authorizer(lambda action, *names: _DENY if action == _ATTACH else 0)
