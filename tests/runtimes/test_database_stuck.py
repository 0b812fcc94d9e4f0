"""Owns the tests of functions of SQLite that nothing interrupts: the run ends, and nothing is committed."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database import jobs, sqlite
from flowscript_trio.runtimes.database.engines import Database
from flowscript_trio.runtimes.database.jobs import Job, run_job


class Stuck:
    """A function of SQLite that is in one call until it is let go."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self.let_go = threading.Event()
        self.disposed: list[bool] = []
        self.connections: list[sqlite3.Connection] = []
        self.released = threading.Event()

    def call(self) -> int:
        self.there.set()
        self.let_go.wait(30)
        return 1


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Stuck:
    found, guard, dispose = Stuck(), sqlite.guard, sqlalchemy.Engine.dispose
    release = Database.release

    def guarded(connection: Any, **how: Any) -> None:
        found.connections.append(connection)
        connection.create_function("stuck", 0, found.call)
        guard(connection, **how)

    def disposed(engine: sqlalchemy.Engine) -> None:
        found.disposed.append(found.let_go.is_set())
        if found.let_go.is_set() or engine.url.database:
            dispose(engine)  # else Python would wait here for what waits for Python

    def released(database: Database, *args: Any) -> None:
        release(database, *args)
        found.released.set()

    monkeypatch.setattr(Database, "release", released)
    monkeypatch.setattr(sqlite, "guard", guarded)
    monkeypatch.setattr(sqlalchemy.Engine, "dispose", disposed)
    monkeypatch.setattr(jobs, "STUCK", 0.02)
    return found


def assert_closed_when_let_go(stuck: Stuck) -> None:
    """The thread that was left closes its connection when it comes back, whoever else could."""
    [connection] = stuck.connections
    stuck.let_go.set()
    assert stuck.released.wait(20)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


async def cancel_when(event: threading.Event, run: Any) -> None:
    """Run, and cancel the run when the event is set."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.to_thread.run_sync(event.wait)
        nursery.cancel_scope.cancel()


def flow_of(url: str, query: str) -> fs.Flow:
    return fs.loads(
        f'<workflow name="w"><source:database id="s" connection="{url}" query="{query}"/></workflow>'
    )


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "a.db", timeout=30)


async def test_a_run_ends_while_a_call_goes_on_and_nothing_of_it_is_committed(
    tmp_path: Path, stuck: Stuck
) -> None:
    with closing(database(tmp_path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    flow = flow_of("sqlite:///a.db", "INSERT INTO t VALUES (stuck())")
    with trio.fail_after(20):
        await cancel_when(stuck.there, partial(fs.run, flow, base=tmp_path))
    assert not stuck.let_go.is_set()
    assert_closed_when_let_go(stuck)
    with closing(database(tmp_path)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # once the thread that was left has rolled back
        assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


async def test_a_connection_at_which_a_thread_was_left_is_not_closed_with_the_run(
    stuck: Stuck,
) -> None:
    with trio.fail_after(20):
        await cancel_when(stuck.there, partial(fs.run, flow_of("sqlite://", "SELECT stuck() AS a")))
    assert stuck.disposed == []
    assert_closed_when_let_go(stuck)


async def test_a_database_in_memory_is_closed_with_the_run_that_used_it(stuck: Stuck) -> None:
    stuck.let_go.set()
    run = await fs.run(flow_of("sqlite://", "SELECT stuck() AS a"))
    assert run.output == [{"a": 1}]
    assert stuck.disposed == [True]


async def test_what_has_not_begun_to_commit_when_its_thread_is_left_never_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "STUCK", 0)
    limiter = trio.CapacityLimiter(1)
    there, let_go = threading.Event(), threading.Event()
    refused: list[bool] = []

    def work(job: Job[None]) -> None:
        there.set()
        let_go.wait(30)
        try:
            job.begin_commit()
        except jobs.Interrupted:
            refused.append(True)
            raise

    await cancel_when(there, partial(run_job, work, limiter, can_wait=True))
    assert limiter.borrowed_tokens == 1
    let_go.set()
    async with limiter:  # once the thread is back
        assert refused == [True]


async def test_a_commit_is_waited_for_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "STUCK", 0)
    limiter = trio.CapacityLimiter(1)
    there, waited = threading.Event(), threading.Event()
    wait = threading.Event.wait
    results: list[str] = []

    def work(job: Job[str]) -> str:
        job.begin_commit()
        there.set()
        wait(job.cancelled)
        wait(waited, 30)
        job.committed = True
        return "done"

    async def run() -> None:
        results.append(await run_job(work, limiter, can_wait=True))

    def seen(event: threading.Event, timeout: float | None = None) -> bool:
        if timeout is None and event is not there:
            waited.set()  # by whoever waits for the thread without end
        return wait(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", seen)
    with trio.fail_after(20):
        await cancel_when(there, run)
    assert results == ["done"]
    assert limiter.borrowed_tokens == 0
