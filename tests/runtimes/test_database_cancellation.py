"""Owns tests of cancelled database work, on SQLite: statements are interrupted, and nothing is left behind."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.exc
import trio
import trio.testing

import flowscript_trio as fs
from flowscript_trio.runtimes.database import engines, jobs, reading, writing
from flowscript_trio.runtimes.database.jobs import Interrupted, Job, run_job

URL = "sqlite:///a.db"
ENDLESS = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c"
)


def source(query: str, settings: str = "", url: str = URL) -> str:
    return (
        f'<source:database id="s" connection="{url}" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


def load(element: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{element}</workflow>')


@pytest.fixture
def base(tmp_path: Path) -> Path:
    with closing(connect(tmp_path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    return tmp_path


def connect(base: Path) -> sqlite3.Connection:
    return sqlite3.connect(base / "a.db", isolation_level=None, timeout=0)


def count(base: Path) -> int:
    connection = connect(base)
    [[found]] = connection.execute("SELECT count(*) FROM t")
    connection.close()
    return int(found)


class Calls:
    """The threads that work on a database, as they come and go; ``running`` is set when one is in a statement."""

    def __init__(self) -> None:
        self.now = 0
        self.running = threading.Event()
        self.outcomes: list[str] = []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    seen = Calls()
    connect = engines.Database.connect
    release = engines.Database.release

    def connected(self: Any, job: Any) -> Any:
        connection = connect(self, job)
        seen.now += 1
        raw = connection.connection.dbapi_connection
        raw.create_function("running", 0, lambda: seen.running.set() or 1)
        return connection

    def released(self: Any, connection: Any, job: Any) -> None:
        raw = connection.connection.dbapi_connection
        release(self, connection, job)
        seen.outcomes.append("open" if raw.in_transaction else "rolled back")
        seen.now -= 1

    monkeypatch.setattr(engines.Database, "connect", connected)
    monkeypatch.setattr(engines.Database, "release", released)
    yield seen
    assert seen.now == 0


async def wait(event: threading.Event) -> None:
    await trio.to_thread.run_sync(event.wait, abandon_on_cancel=True)


async def cancel_when(event: threading.Event, run: Any) -> None:
    """Run, and cancel the run when the event is set."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await wait(event)
        nursery.cancel_scope.cancel()


async def test_a_timeout_frees_the_run_from_an_endless_query(base: Path, calls: Calls) -> None:
    with trio.fail_after(60), pytest.raises(trio.TooSlowError):
        await fs.run(load(source(ENDLESS, 'timeout="100ms"')), base=base)
    assert calls.now == 0


@pytest.mark.parametrize("url", [URL, "sqlite://"])
async def test_a_cancelled_query_is_interrupted_and_its_connection_used_again(
    url: str, base: Path, calls: Calls
) -> None:
    flow = load(
        '<timeout id="out" duration="200ms" on-timeout="again">'
        f"{source(ENDLESS, url=url)}</timeout>"
        + source("SELECT 1 AS n", url=url).replace('"s"', '"again"')
    )
    with trio.fail_after(60):
        assert (await fs.run(flow, base=base)).output == [{"n": 1}]


async def test_a_cancelled_change_is_rolled_back(base: Path, calls: Calls) -> None:
    insert = f"INSERT INTO t (id) {ENDLESS.replace('count(*) AS n', 'x * running()')}"
    with trio.fail_after(60):
        await cancel_when(calls.running, partial(fs.run, load(source(insert)), base=base))
    assert calls.outcomes == ["rolled back"]
    assert count(base) == 0


async def test_a_cancelled_sink_writes_nothing(base: Path, calls: Calls) -> None:
    connection = connect(base)
    connection.execute(
        f"CREATE TRIGGER slow AFTER INSERT ON t WHEN new.id = 150 BEGIN {ENDLESS}; END"
    )
    connection.close()
    rows = [{"id": number} for number in range(200)]
    flow = load(f'<sink:database id="k" connection="{URL}" table="t" timeout="300ms"/>')
    with trio.fail_after(60), pytest.raises(trio.TooSlowError):
        await fs.run(flow, base=base, input=rows)
    assert calls.outcomes == ["rolled back"]
    assert count(base) == 0


def waiting_for_a_lock(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a job waits for the lock of another connection."""
    waiting = threading.Event()
    pause = Job.pause

    def pausing(self: Job[Any], seconds: float) -> None:
        waiting.set()
        pause(self, seconds)

    monkeypatch.setattr(Job, "pause", pausing)
    return waiting


def pauses_until_released(
    holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """The seconds of each wait for the lock of ``holder``, which gives it up at the third."""
    pauses: list[float] = []

    def pausing(self: Job[Any], seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            holder.execute("COMMIT")

    monkeypatch.setattr(Job, "pause", pausing)
    return pauses


@pytest.mark.parametrize("operation", ["source", "sink"])
async def test_a_wait_for_a_lock_of_another_can_be_cancelled(
    operation: str, base: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = waiting_for_a_lock(monkeypatch)
    holder = connect(base)
    holder.execute("BEGIN EXCLUSIVE")
    element = (
        source("SELECT * FROM t")
        if operation == "source"
        else f'<sink:database id="k" connection="{URL}" table="t"/>'
    )
    with trio.fail_after(60):
        await cancel_when(waiting, partial(fs.run, load(element), base=base, input={"id": 1}))
    holder.execute("ROLLBACK")
    holder.close()
    assert count(base) == 0


@pytest.mark.parametrize("operation", ["source", "sink"])
async def test_a_lock_that_is_given_back_is_waited_for(
    operation: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = sqlite3.connect(base / "a.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    pauses = pauses_until_released(holder, monkeypatch)
    element = (
        source("SELECT count(*) AS rows FROM t")
        if operation == "source"
        else f'<sink:database id="k" connection="{URL}" table="t"/>'
    )
    run = await fs.run(load(element), base=base, input={"id": 1})
    assert run.output in ([{"rows": 0}], {"rows": 1, "batches": 1})
    assert len(pauses) == 3
    holder.close()


@pytest.mark.parametrize("operation", ["source", "sink"])
async def test_a_commit_that_meets_a_reader_is_tried_again(
    operation: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader keeps no statement from running, but the commit: what was written must not be lost."""
    holder = sqlite3.connect(base / "a.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM t").fetchall()
    pauses = pauses_until_released(holder, monkeypatch)
    element = (
        source("INSERT INTO t (id) VALUES (1)")
        if operation == "source"
        else f'<sink:database id="k" connection="{URL}" table="t"/>'
    )
    await fs.run(load(element), base=base, input={"id": 1})
    assert len(pauses) == 3
    holder.close()
    assert count(base) == 1


@pytest.mark.parametrize("operation", ["source", "sink"])
async def test_a_commit_that_a_reader_keeps_out_says_so_and_can_be_cancelled(
    operation: str, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = connect(base)
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM t").fetchall()
    url = f"{URL}?timeout=0"
    element = (
        source("INSERT INTO t (id) VALUES (1)", url=url)
        if operation == "source"
        else f'<sink:database id="k" connection="{url}" table="t"/>'
    )
    with pytest.raises(sqlalchemy.exc.OperationalError, match="locked") as caught:
        await fs.run(load(element), base=base, input={"id": 1})
    assert caught.value.retryable  # type: ignore[attr-defined]

    waiting = waiting_for_a_lock(monkeypatch)
    with trio.fail_after(60):
        flow = load(element.replace("?timeout=0", ""))
        await cancel_when(waiting, partial(fs.run, flow, base=base, input={"id": 1}))
    holder.execute("ROLLBACK")
    holder.close()
    assert count(base) == 0


async def test_a_lock_that_is_kept_is_an_error_that_may_be_tried_again(base: Path) -> None:
    holder = connect(base)
    holder.execute("BEGIN EXCLUSIVE")
    flow = load(source("SELECT * FROM t", url=f"{URL}?timeout=0"))
    with pytest.raises(sqlalchemy.exc.OperationalError, match="locked") as caught:
        await fs.run(flow, base=base)
    assert caught.value.retryable  # type: ignore[attr-defined]
    holder.close()


@pytest.mark.parametrize("moment", ["connect", "write", "commit"])
async def test_a_cancellation_between_statements_stops_the_next_one(
    moment: str, base: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancellation comes while no statement runs: an interrupt alone would be lost."""
    there = threading.Event()

    def stop_before(function: Any) -> Any:
        def stopping(*args: Any) -> Any:
            job = next(arg for arg in args if isinstance(arg, Job))
            there.set()
            job.cancelled.wait()
            return function(*args)

        return stopping

    if moment == "connect":
        monkeypatch.setattr(engines.Database, "connect", stop_before(engines.Database.connect))
    elif moment == "write":
        monkeypatch.setattr(reading, "_fetch", stop_before(reading._fetch))
    else:
        monkeypatch.setattr(writing, "commit", stop_before(writing.commit))
    element = (
        source(ENDLESS)
        if moment == "write"
        else f'<sink:database id="k" connection="{URL}" table="t"/>'
    )
    with trio.fail_after(60):
        await cancel_when(there, partial(fs.run, load(element), base=base, input={"id": 1}))
    assert count(base) == 0


async def test_a_commit_that_was_done_before_the_cancellation_came_is_a_node_that_ended() -> None:
    limiter = trio.CapacityLimiter(1)
    committed = threading.Event()

    def work(job: Job[str]) -> str:
        job.committed = True
        committed.set()
        job.cancelled.wait()
        return "done"

    results = []

    async def run() -> None:
        results.append(await run_job(work, limiter, can_wait=True))

    await cancel_when(committed, run)
    assert results == ["done"]
    assert limiter.borrowed_tokens == 0


async def test_work_that_ended_otherwise_under_a_cancellation_is_cancelled() -> None:
    limiter = trio.CapacityLimiter(1)
    there = threading.Event()

    def work(job: Job[str]) -> str:
        there.set()
        job.cancelled.wait()
        raise Interrupted

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(run_job, work, limiter, can_wait=True))
            await wait(there)
            scope.cancel()
    assert scope.cancelled_caught
    assert limiter.borrowed_tokens == 0


async def test_a_thread_that_cannot_be_reached_is_left_and_keeps_its_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "GRACE", 0)
    monkeypatch.setattr(jobs, "LAST", 0)
    limiter = trio.CapacityLimiter(1)
    there, let_go = threading.Event(), threading.Event()

    def work(job: Job[None]) -> None:
        there.set()
        let_go.wait()

    await cancel_when(there, partial(run_job, work, limiter, can_wait=False))
    assert limiter.borrowed_tokens == 1
    let_go.set()
    async with limiter:  # once the thread is back
        pass


async def test_at_most_ten_threads_work_on_the_databases_of_a_run(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, most = 0, 0
    lock, full = threading.Lock(), threading.Event()
    fetch = reading._fetch

    def counting(*args: Any) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(now, most)
            if now == engines.THREADS:
                full.set()
        full.wait()
        found = fetch(*args)
        with lock:
            now -= 1
        return found

    monkeypatch.setattr(reading, "_fetch", counting)
    element = (
        '<foreach id="each" collection="range(30)" maxConcurrency="unlimited" merge="none">'
        f"{source('SELECT 1 AS n')}</foreach>"
    )
    assert (await fs.run(load(element), base=base)).output == 30
    assert most == engines.THREADS
