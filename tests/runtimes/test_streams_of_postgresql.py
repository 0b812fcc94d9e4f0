"""Owns tests of streams from and to a real PostgreSQL server: cursors of the server, COPY in parts, cancellation.

They need the URL of a database that they may write to, in ``FLOWSCRIPT_TEST_POSTGRESQL``; ``.ci/run`` starts one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database import pouring, supply
from flowscript_trio.testing import prove

from postgresql import URL, needs_postgresql

pytestmark = needs_postgresql

EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item.n}}"/></foreach>'
SINK = '<sink:database id="k" input="s" connection="{{$config.db}}" table="stream.u"/>'
BATCHES = (
    '<foreach id="e" collection="s" batch="700" merge="none">'
    '<sink:database id="k" input="item" connection="{{$config.db}}" table="stream.u"/></foreach>'
)


def source(query: str, settings: str = "") -> str:
    return (
        f'<source:database id="s" connection="{{{{$config.db}}}}" stream="true" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


def load(text: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{text}</workflow>')


async def run_one(text: str, **options: Any) -> Any:
    return (await fs.run(load(text), config={"db": URL}, **options)).output


def ask(query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(URL, autocommit=True) as connection:
        found = connection.execute(query.encode())
        return found.fetchall() if found.description else []


def in_transactions() -> set[int]:
    """The connections to this database that are in a transaction: each holds a cursor or a lock."""
    found = ask(
        "SELECT pid FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() "
        "AND datname = current_database() AND backend_type = 'client backend'"
    )
    return {pid for (pid,) in found}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    ask("DROP SCHEMA IF EXISTS stream CASCADE")
    ask("CREATE SCHEMA stream")
    ask("CREATE TABLE stream.u (n int)")
    before = in_transactions()
    yield
    for _ in range(200):  # a server takes a while to notice that a connection is gone
        if not (left := in_transactions() - before):
            break
        ask("SELECT pg_sleep(0.05)")
    assert left == set()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n FROM generate_series(0, 2999) n",
        "WITH c AS (SELECT n FROM generate_series(0, 2999) n) SELECT n FROM c",
        "VALUES (0), (1), (2)",
    ],
)
async def test_a_query_is_read_by_a_cursor_of_the_server(query: str) -> None:
    each = EACH.replace("item.n", "item.n ?? item.column1")
    found = await run_one(source(query) + each)
    assert found == list(range(len(found)))
    assert len(found) in (3, 3000)


async def test_a_cursor_holds_no_more_rows_than_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten million rows of a kilobyte would not fit."""
    query = "SELECT n, repeat('x', 1000) AS x FROM generate_series(0, 9999999) n"
    flow = '<foreach id="e" collection="s"><break when="index == 1500"/></foreach>'
    with trio.fail_after(20):
        await run_one(source(query) + flow)


async def test_parameters_are_bound_in_streams() -> None:
    text = source("SELECT n FROM generate_series(1, 9) n WHERE n > ?", 'params="[7]"')
    assert await run_one(text + EACH) == [8, 9]


@pytest.mark.parametrize("settings", ["", 'params="[1]"'])
async def test_two_statements_are_refused_in_a_stream(settings: str) -> None:
    query = f"SELECT {'?' if settings else 1} AS n; INSERT INTO stream.u VALUES (1)"
    with pytest.raises(Exception, match=r"multiple commands|syntax error"):
        await run_one(source(query, settings) + EACH)
    assert ask("SELECT count(*) FROM stream.u") == [(0,)]


async def test_a_statement_that_no_cursor_takes_is_an_error_that_says_so() -> None:
    with pytest.raises(Exception, match="syntax error") as caught:
        await run_one(source("INSERT INTO stream.u VALUES (1) RETURNING n") + EACH)
    assert any("takes SELECT, VALUES, TABLE" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("sink", [SINK, BATCHES])
async def test_rows_go_from_one_table_to_another(sink: str) -> None:
    await run_one(source("SELECT n FROM generate_series(1, 10000) n") + sink)
    assert ask("SELECT count(*), sum(n) FROM stream.u") == [(10_000, 50_005_000)]


async def test_large_parts_of_a_stream_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    from flowscript_trio.runtimes.database import copying

    copied: list[int] = []
    real = copying.copy_rows
    monkeypatch.setattr(
        copying, "copy_rows", lambda *args: copied.append(len(args[3])) or real(*args)
    )
    await run_one(source("SELECT n FROM generate_series(1, 5000) n") + SINK)
    assert sum(copied) == 5000


async def test_a_stream_that_fails_in_the_middle_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pouring, "STEP", 1000)
    query = "SELECT 1 / (5000 - n) AS n FROM generate_series(1, 6000) n"
    with pytest.raises(Exception, match="division by zero"):
        await run_one(source(query) + SINK)
    assert ask("SELECT count(*) FROM stream.u") == [(0,)]


@pytest.mark.parametrize("sink", [SINK, EACH])
async def test_a_query_that_is_at_work_is_cancelled_and_its_cursor_closed(sink: str) -> None:
    query = (
        "SELECT n, pg_sleep(CASE WHEN n > 1500 THEN 3600 ELSE 0 END)::text AS x "
        "FROM generate_series(1, 2000) n"
    )
    sink = sink.replace('table="stream.u"', 'table="stream.v"')
    ask("CREATE TABLE stream.v (n int, x text)")
    asleep = (
        "SELECT pid, pg_sleep(0.01)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
        "AND datname = current_database() AND query LIKE 'FETCH%'"
    )

    async def cancel_at_work() -> None:
        while not await trio.to_thread.run_sync(ask, asleep):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel_at_work)
                await run_one(source(query) + sink)
    assert scope.cancelled_caught


@pytest.mark.slow
@pytest.mark.parametrize("sink", [SINK, EACH])
def test_streams_of_postgresql_are_proved(sink: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled at every step, and failed at every node, they leave no transaction open."""
    monkeypatch.setattr(supply, "FETCH", 4)
    monkeypatch.setattr(pouring, "STEP", 4)
    flow = load(source("SELECT n FROM generate_series(1, 9) n") + sink)
    report = prove(flow, options={"config": {"db": URL}}, pairs=10)
    assert report.holds, report.render()
