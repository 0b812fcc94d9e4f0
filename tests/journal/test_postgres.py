"""What a store in PostgreSQL owes beside the others: leases, fences, connections that break, versions.

The tests need the URL of a database in ``FLOWSCRIPT_TEST_POSTGRESQL``; ``.ci/run`` starts one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.journal import pgschema, postgres
from flowscript_trio.journal.postgres import PostgresBackend
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.storing import RunBusy, StoreFailed, Superseded

from databases import cut_connections, expire_leases, new_database
from postgresql import URL, needs_postgresql

pytestmark = needs_postgresql


@pytest.fixture
def url() -> str:
    return new_database(URL)


def sql(url: str, text: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(text)  # type: ignore[call-overload,unused-ignore]
        return cursor.fetchall() if cursor.description else []


def keys(url: str) -> list[str]:
    found = sql(url, "select key from flowscript_rows order by run, number")
    return [key.decode() for (key,) in found]


async def write(journal: Any, key: str) -> None:
    journal.write(Row("ended", key, b""))
    await journal.synced()


# -- leases and fences


async def test_a_run_with_a_lease_is_busy_from_any_process(url: str) -> None:
    journal = await Store(url).begin("r", b"")
    with pytest.raises(RunBusy, match="another process, which renews its lease"):
        await Store(url).open("r")
    await journal.aclose()
    await (await Store(url).open("r")).aclose()


async def test_an_owner_whose_lease_was_taken_writes_nothing_and_is_told(url: str) -> None:
    store = Store(url)
    journal = await store.begin("r", b"")
    await write(journal, "old")
    expire_leases(url)
    other = await Store(url).open("r")
    assert [row.key for row in other.read()] == ["old"]
    await write(other, "new")
    assert isinstance(store._backend, PostgresBackend)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, store._backend._leases.beat)
        assert isinstance(await journal.lost(), Superseded)
    with pytest.raises(Superseded):
        await write(journal, "late")
    await journal.aclose()
    assert keys(url) == ["old", "new"]
    with pytest.raises(RunBusy):  # closing the old one has not given the new one's lease back
        await Store(url).open("r")
    await other.aclose()


async def test_a_commit_under_an_old_fence_is_refused_by_the_server(url: str) -> None:
    journal, mine = await Store(url).begin("r", b""), await Store(url).begin("s", b"")
    sql(url, "update flowscript_runs set fence = fence + 1 where id = 'r'")
    with pytest.raises(Superseded):
        await write(journal, "late")
    await write(mine, "own")
    assert keys(url) == ["own"]
    await journal.aclose()
    await mine.aclose()


async def test_a_lease_that_ended_counts_as_lost_before_anything_is_sent(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await Store(url).begin("r", b"")
    now = postgres.leases.now
    monkeypatch.setattr(postgres.leases, "now", lambda: now() + 60)
    with pytest.raises(Superseded):
        await write(journal, "late")
    assert keys(url) == []
    await journal.aclose()


STOPPED = """
import os, signal, sys, trio
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.storing import Superseded
async def main():
    journal = await Store(sys.argv[1]).begin("r", b"")
    journal.write(Row("started", "mine", b""))
    await journal.synced()
    os.kill(os.getpid(), signal.SIGSTOP)
    journal.write(Row("ended", "late", b""))
    try:
        await journal.synced()
    except Superseded:
        os._exit(7)
trio.run(main)
"""


def stopped(url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", STOPPED, url])
    os.waitpid(process.pid, os.WUNTRACED)
    return process


async def test_a_process_that_was_stopped_past_its_lease_is_superseded(url: str) -> None:
    process = await trio.to_thread.run_sync(stopped, url)
    expire_leases(url)
    journal = await Store(url).open("r")
    await write(journal, "taken")
    os.kill(process.pid, signal.SIGCONT)
    assert await trio.to_thread.run_sync(process.wait) == 7
    await write(journal, "on")
    await journal.aclose()
    assert keys(url) == ["mine", "taken", "on"]


# -- connections that break


async def test_a_connection_that_was_cut_is_made_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAUSE", 0)
    store = Store(url)
    journal = await store.begin("r", b"")
    for key in "abc":
        await write(journal, key)
        cut_connections(url)
    await journal.aclose()
    assert keys(url) == ["a", "b", "c"]


@contextmanager
def _breaking(transaction: Any, moment: str) -> Iterator[None]:
    """A transaction whose connection breaks before its commit, or after it and before the answer."""
    with transaction:
        yield
        if moment == "before":
            raise psycopg.OperationalError("the connection is lost")
    raise psycopg.OperationalError("the connection is lost")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_commit_whose_answer_was_lost_is_sent_again_and_counts_once(
    url: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PAUSE", 0)
    store = Store(url)
    journal = await store.begin("r", b"")
    await write(journal, "first")
    assert isinstance(store._backend, PostgresBackend)
    connection = store._backend._writing
    assert connection is not None
    transaction = connection.transaction
    monkeypatch.setattr(connection, "transaction", lambda: _breaking(transaction(), moment))
    journal.write(Row("ended", "second", b"", b"x" * 70_000))
    await write(journal, "third")
    assert store._backend._writing is not connection
    await write(journal, "fourth")
    await journal.aclose()
    assert keys(url) == ["first", "second", "third", "fourth"]


async def test_a_server_that_cannot_be_reached_is_said_without_its_password() -> None:
    where = "postgresql://me:s3cr3t@127.0.0.1:1/none"
    with pytest.raises(
        StoreFailed, match=r"the store postgresql://127\.0\.0\.1:1/none cannot be used"
    ) as caught:
        await Store(where).runs()
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value.__cause__)


async def test_an_error_that_stays_is_not_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await Store(url).begin("r", b"")
    sql(url, "drop table flowscript_rows")
    with pytest.raises(StoreFailed, match="flowscript_rows"):
        await write(journal, "a")
    await journal.aclose()


# -- versions, settings


async def test_a_store_of_a_later_release_is_left_alone(url: str) -> None:
    await Store(url).submit("r", b"")
    sql(url, "update flowscript_version set version = 99")
    with pytest.raises(StoreFailed, match="was written by a later release"):
        await Store(url).open("r")


async def test_a_store_of_an_earlier_release_is_brought_up_once_no_run_is_owned(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await Store(url).begin("r", b"")
    monkeypatch.setattr(pgschema, "STEPS", [*pgschema.STEPS, "create table more (x int)"])
    with pytest.raises(StoreFailed, match="since a run of it is owned"):
        await Store(url).runs()
    await journal.aclose()
    assert [run.run_id for run in await Store(url).runs()] == ["r"]
    assert sql(url, "select count(*) from more") == [(0,)]


async def test_many_processes_may_make_a_store_at_once(url: str) -> None:
    async with trio.open_nursery() as nursery:
        for name in "abcdef":
            nursery.start_soon(Store(url).submit, name, b"")
    assert len(await Store(url).runs()) == 6


@pytest.mark.parametrize(("durability", "said"), [("power", "on"), ("process", "off")])
async def test_what_survives_a_power_cut_is_chosen(url: str, durability: Any, said: str) -> None:
    store = Store(url, durability=durability)
    journal = await store.begin("r", b"")
    await write(journal, "a")
    assert isinstance(store._backend, PostgresBackend)
    assert store._backend._writing is not None
    found = store._backend._writing.execute("show synchronous_commit").fetchone()
    assert found == (said,)
    await journal.aclose()


async def test_a_run_whose_row_stays_locked_is_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT", "1ms")
    await Store(url).submit("r", b"")
    with psycopg.connect(url) as connection:
        connection.execute("select * from flowscript_runs for update")
        with pytest.raises(RunBusy, match="another process, which is writing to it"):
            await Store(url).open("r")
    await (await Store(url).open("r")).aclose()


async def test_a_statement_that_waits_too_long_for_a_lock_is_sent_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = trio.Event()
    token = trio.lowlevel.current_trio_token()
    monkeypatch.setattr(postgres.time, "sleep", lambda _: token.run_sync_soon(waited.set))
    store = Store(url)
    journal = await store.begin("r", b"")
    await write(journal, "a")
    assert isinstance(store._backend, PostgresBackend)
    assert store._backend._writing is not None
    store._backend._writing.execute("set statement_timeout = '1ms'")
    with psycopg.connect(url) as connection:
        connection.execute("select * from flowscript_runs for update")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, journal, "b")
            await waited.wait()
            connection.rollback()
    await journal.aclose()
    assert keys(url) == ["a", "b"]


async def test_a_statement_that_is_given_up_each_time_fails_with_a_word_and_nothing_is_half_done(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 0.0)
    monkeypatch.setattr(postgres, "PAUSE", 0.0)
    connect = PostgresBackend._connect

    def impatient(self: PostgresBackend) -> Any:
        connection = connect(self)
        connection.execute("set statement_timeout = '20ms'")
        return connection

    store = Store(url)
    journal = await store.begin("r", b"")
    await write(journal, "a")
    monkeypatch.setattr(PostgresBackend, "_connect", impatient)
    assert isinstance(store._backend, PostgresBackend)
    store._backend._hang_up()
    with psycopg.connect(url) as connection:
        connection.execute("select * from flowscript_runs for update")
        with pytest.raises(StoreFailed, match="statement timeout; resume the run once it can"):
            await write(journal, "b")
        connection.rollback()
    monkeypatch.undo()
    await journal.aclose()
    assert keys(url) == ["a"]
    again = await Store(url).open("r")
    await write(again, "c")
    await again.aclose()
    assert keys(url) == ["a", "c"]


async def test_a_statement_that_somebody_cancels_is_sent_again(url: str) -> None:
    store = Store(url)
    journal = await store.begin("r", b"")
    await write(journal, "a")
    assert isinstance(store._backend, PostgresBackend)
    assert store._backend._writing is not None
    pid = store._backend._writing.info.backend_pid

    def cancel_once_it_waits() -> None:
        waits = f"select 1 from pg_stat_activity where pid = {pid} and wait_event_type = 'Lock'"
        while not sql(url, waits):
            pass
        sql(url, f"select pg_cancel_backend({pid})")

    with psycopg.connect(url) as connection:
        connection.execute("select * from flowscript_runs for update")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, journal, "b")
            await trio.to_thread.run_sync(cancel_once_it_waits)
            connection.rollback()
    await journal.aclose()
    assert keys(url) == ["a", "b"]


async def test_what_is_set_for_a_database_cuts_nothing_off(url: str) -> None:
    """Time-outs are meant for others than the store."""
    (name,) = sql(url, "select current_database()")[0]
    settings = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    try:
        for each in settings:
            sql(url, f'alter database "{name}" set {each} = 100')
        store = Store(url)
        journal = await store.begin("r", b"")
        await write(journal, "a")
        assert isinstance(store._backend, PostgresBackend)
        assert store._backend._writing is not None
        found = [store._backend._writing.execute(f"show {each}").fetchone()[0] for each in settings]  # type: ignore[index]
        await journal.aclose()
    finally:
        sql(url, f'alter database "{name}" reset all')  # other tests have that database
    assert found == ["10s", "0", "10s"]
    assert keys(url) == ["a"]


# -- clocks


class WrongClock:
    """The clock of a machine that is ahead of the server's, in the place of the module ``time``."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self.sleep = time.sleep

    def time(self) -> float:
        return time.time() + self.ahead

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
async def test_what_a_run_waits_for_is_due_by_the_clock_of_the_server(
    url: str, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = WrongClock(ahead)
    flow = fs.loads(
        '<workflow name="w"><checkpoint id="ask" prompt="?" timeout="60s"/>'
        '<delay id="wait" duration="90s"/></workflow>'
    )
    dues = []
    for now, module in ((wrong.now, wrong), (None, time)):  # another machine, whose clock is right
        monkeypatch.setattr(postgres, "time", module)
        run = await fs.run(flow, store=Store(url), run_id="r", now=now, suspend_after=0.01, seed=1)
        assert run.status == "suspended"
        assert run.elapsed is not None
        assert 0 <= run.elapsed < 30
        (question,) = await Store(url).questions("r")
        dues += [question.due, (await Store(url).show("r")).due]
    assert dues == [pytest.approx(time.time() + 60, abs=30)] * 4


@pytest.mark.parametrize(
    ("there", "before", "after", "ahead"),
    [
        (100.9, 100.0, 100.0, 0.0),  # they agree to a second
        (99.1, 100.0, 100.0, 0.0),
        (103.0, 100.0, 104.0, 0.0),  # the answer took so long that nobody knows
        (102.0, 100.0, 100.0, 2.0),
        (98.0, 100.0, 101.0, -2.5),
    ],
)
def test_clocks_that_may_agree_do(there: float, before: float, after: float, ahead: float) -> None:
    assert postgres._ahead(there, before, after) == ahead


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
async def test_a_lease_ends_by_the_clock_of_the_server(
    url: str, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "time", WrongClock(ahead))
    journal = await Store(url).begin("r", b"")
    monkeypatch.undo()
    with pytest.raises(RunBusy):
        await Store(url).open("r")
    monkeypatch.setattr(postgres, "time", WrongClock(ahead))
    with pytest.raises(RunBusy):
        await Store(url).open("r")
    await write(journal, "on")
    await journal.aclose()
    assert keys(url) == ["on"]


async def test_a_reader_holds_no_transaction_between_two_reads(url: str) -> None:
    journal = await Store(url).begin("r", b"")
    for number in range(2_500):
        journal.write(Row("ended", str(number), b""))
    await journal.aclose()
    journal = await Store(url).open("r")
    reading = iter(journal.read())
    next(reading)
    states = sql(url, "select state from pg_stat_activity where datname = current_database()")
    assert not [state for (state,) in states if state and "in transaction" in state]
    assert sum(1 for _ in reading) == 2_499
    await journal.aclose()
