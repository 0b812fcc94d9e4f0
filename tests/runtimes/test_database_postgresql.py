"""Owns tests of database sources and sinks on a real PostgreSQL server, its cancellation, and its silence.

They need the URL of a database that they may write to, in ``FLOWSCRIPT_TEST_POSTGRESQL``; ``.ci/run`` starts one.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from secrets import token_hex
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.database import engines, writing

from postgresql import URL, needs_postgresql

pytestmark = needs_postgresql


def source(query: str, settings: str = "") -> str:
    return (
        f'<source:database id="s" connection="{{{{$config.db}}}}" {settings}>'
        f"<query><![CDATA[{query}]]></query></source:database>"
    )


def sink(settings: str) -> str:
    return f'<sink:database id="k" connection="{{{{$config.db}}}}" {settings}/>'


async def run_one(element: str, url: str = URL, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>', name="w.xml")
    return (await fs.run(flow, config={"db": url}, **options)).output


class Server:
    """The server as an onlooker sees it, who takes part in no run."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(URL, autocommit=True)

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        found = self._connection.execute(query.encode(), values or None)
        return found.fetchall() if found.description else []

    async def until(self, query: str, *values: Any) -> None:
        """Wait until the query gives true."""
        while not await trio.to_thread.run_sync(  # noqa: ASYNC110 (another process tells nobody)
            lambda: self.ask(query, *values)[0][0], abandon_on_cancel=True
        ):
            await trio.sleep(0.01)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    found.ask("DROP SCHEMA IF EXISTS flow CASCADE")
    found.ask("CREATE SCHEMA flow")
    found.ask(
        "CREATE TABLE flow.t (id int PRIMARY KEY, name text, size numeric, day date, at timestamptz, "
        'data jsonb, tags text[], raw bytea, "Odd %(x)s" text)'
    )
    yield found
    found.close()


def working(mark: str) -> tuple[str, str]:
    """A query that tells whether a statement with the mark in it is at work, and its parameter."""
    return (
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE %s",
        f"%{mark}%",
    )


def idle(mark: str) -> tuple[str, str]:
    """A query that tells whether nobody has a transaction open any more in which the mark stands."""
    return (
        "SELECT count(*) = 0 FROM pg_stat_activity "
        "WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND query LIKE %s",
        f"%{mark}%",
    )


async def cancel_once(server: Server, mark: str, run: Any) -> None:
    """Run, and cancel the run when a statement with the mark in it is at work."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await server.until(*working(mark))
        nursery.cancel_scope.cancel()


async def test_rows_come_and_go_as_python_values(server: Server) -> None:
    row = {
        "id": 1,
        "name": "o'ne",
        "size": Decimal("1.50"),
        "day": date(2026, 1, 2),
        "at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "data": {"a": [1, None]},
        "tags": ["x", "y"],
        "raw": b"\x00\xff",
        "Odd %(x)s": "odd",
    }
    output = await run_one(sink('table="flow.t"'), input=row)
    assert output == {"rows": 1, "batches": 1}
    assert await run_one(source("SELECT * FROM flow.t")) == [row]


async def test_texts_are_taken_for_what_the_column_is(server: Server) -> None:
    row = {"id": 1, "day": "2026-01-02", "size": "1.5", "raw": "\\x00"}
    await run_one(sink('table="flow.t"'), input=row)
    found = await run_one(
        source("SELECT raw FROM flow.t WHERE day = ? AND size < ?", "params=\"['2026-01-02', 2]\"")
    )
    assert found == [{"raw": b"\x00"}]


async def test_a_list_in_a_json_column_is_json(server: Server) -> None:
    await run_one(sink('table="flow.t"'), input={"id": 1, "data": [1, {"a": 2}], "tags": []})
    assert server.ask("SELECT data, tags FROM flow.t") == [([1, {"a": 2}], [])]


@pytest.mark.parametrize(
    ("query", "params", "output"),
    [
        ("SELECT ?::int + ? AS n", "[1, 2]", 3),
        ("SELECT $2::int - $1::int AS n", "[1, 3]", 2),
        ("SELECT :a::int + :a AS n", "{a: 2}", 4),
        ("SELECT '{\"a\": 1}'::jsonb ? $1 AS n", "[a]", True),
        ("SELECT 5 = ANY(:ids) AS n", "{ids: [4, 5]}", True),
        ("SELECT 5 IN (:ids) AS n", "{ids: [4, 5]}", True),
        ("SELECT 5 IN :ids AS n", "{ids: []}", False),
        ("SELECT 5 NOT IN (?) AS n", "[[]]", True),
        ("SELECT $q$ :no ? $1 $q$ || E'\\':x' || ? AS n", "[y]", " :no ? $1 ':xy"),
        ("SELECT (ARRAY[1,2,3])[:i] AS n", "{i: 2}", 2),
        ("SELECT 'a%b' LIKE ? AS n", "['a%']", True),
    ],
)
async def test_parameters_in_the_syntax_of_postgresql(
    query: str, params: str, output: Any, server: Server
) -> None:
    settings = f'params="{params}"'
    assert await run_one(source(query, settings)) == [{"n": output}]


async def test_upsert_and_update(server: Server) -> None:
    upsert = sink('table="flow.t" operation="upsert" conflict-columns="id"')
    await run_one(upsert, input=[{"id": 1, "name": "a"}, {"id": 2, "Odd %(x)s": "b"}])
    await run_one(upsert, input=[{"id": 2, "name": "new"}, {"id": 1}, {"id": 3}])
    update = sink('table="flow.t" operation="update" where="id"')
    rows = [{"id": 3, "name": "c"}, {"id": 4, "name": "d"}]
    assert await run_one(update, input=rows) == {"rows": 1, "batches": 1}
    found = server.ask('SELECT id, name, "Odd %(x)s" FROM flow.t ORDER BY id')
    assert found == [(1, "a", None), (2, "new", "b"), (3, "c", None)]


async def test_a_sink_that_fails_writes_nothing(server: Server) -> None:
    rows = [{"id": number} for number in (1, 2, 3, 1)]
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        await run_one(sink('table="flow.t" batch="2"'), input=rows)
    assert server.ask("SELECT count(*) FROM flow.t") == [(0,)]


async def test_a_timeout_ends_the_query_in_the_server(server: Server) -> None:
    with trio.fail_after(10):
        with pytest.raises(trio.TooSlowError):
            await run_one(source("SELECT pg_sleep(1000) /* slow-1 */", 'timeout="200ms"'))
        await server.until(*idle("slow-1"))


async def test_a_run_goes_on_with_its_database_after_a_cancelled_query(server: Server) -> None:
    element = (
        '<timeout id="out" duration="200ms" on-timeout="again">'
        f"{source('SELECT pg_sleep(1000)')}</timeout>"
        + source("SELECT 1 AS n").replace('"s"', '"again"')
    )
    with trio.fail_after(10):
        assert await run_one(element) == [{"n": 1}]


async def test_a_cancelled_sink_that_waits_for_a_lock_writes_nothing(server: Server) -> None:
    server.ask("INSERT INTO flow.t (id) VALUES (3)")
    server.ask("BEGIN")
    server.ask("UPDATE flow.t SET name = 'held' WHERE id = 3")
    rows = [{"id": 1, "name": "x"}, {"id": 3, "name": "y"}]
    settings = 'table="flow.t" operation="upsert" conflict-columns="id" batch="1"'
    watcher = Server()
    with trio.fail_after(10):
        await cancel_once(watcher, "ON CONFLICT", partial(run_one, sink(settings), input=rows))
        await watcher.until(*idle("ON CONFLICT"))
    server.ask("COMMIT")
    assert server.ask("SELECT id, name FROM flow.t") == [(3, "held")]
    watcher.close()


async def test_a_cancellation_between_the_last_batch_and_the_commit_writes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = threading.Event()
    commit = writing.commit

    def stopping(database: Any, connection: Any, job: Any) -> None:
        there.set()
        job.cancelled.wait()
        commit(database, connection, job)

    monkeypatch.setattr(writing, "commit", stopping)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(run_one, sink('table="flow.t"'), input={"id": 1}))
            await trio.to_thread.run_sync(there.wait, abandon_on_cancel=True)
            nursery.cancel_scope.cancel()
        await server.until(*idle("INSERT INTO"))
    assert server.ask("SELECT count(*) FROM flow.t") == [(0,)]


class Proxy:
    """What stands between the run and the server; with ``silent`` it keeps what either says to itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.silent = trio.Event()


@asynccontextmanager
async def proxied() -> AsyncIterator[Proxy]:
    given = sqlalchemy.make_url(URL)

    async def pump(from_: trio.SocketStream, to: trio.SocketStream) -> None:
        async for data in from_:
            if not proxy.silent.is_set():
                await to.send_all(data)
        if not proxy.silent.is_set():
            await to.aclose()

    async def serve(near: trio.SocketStream) -> None:
        far = await trio.open_tcp_stream(given.host or "localhost", given.port or 5432)
        async with far, trio.open_nursery() as nursery:
            nursery.start_soon(quiet, pump, near, far)
            nursery.start_soon(quiet, pump, far, near)

    async def quiet(function: Any, *args: Any) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await function(*args)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        url = given.set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
        proxy = Proxy(url.render_as_string(hide_password=False))
        try:
            yield proxy
        finally:
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("operation", ["query", "sink"])
async def test_a_server_that_falls_silent_holds_neither_the_run_nor_a_thread(
    operation: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = threading.Event()
    release = engines.Database.release

    def released(self: Any, connection: Any, job: Any) -> None:
        try:
            release(self, connection, job)
        finally:
            back.set()

    monkeypatch.setattr(engines.Database, "release", released)
    if operation == "query":
        mark = token_hex(8)  # the server goes on with the statement when the proxy is gone
        element = source(f"SELECT pg_sleep(20) /* {mark} */")
    else:
        server.ask("BEGIN")
        server.ask("LOCK TABLE flow.t IN EXCLUSIVE MODE")
        element, mark = sink('table="flow.t"'), "INSERT INTO"
    watcher = Server()
    async with proxied() as proxy:
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(run_one, element, proxy.url, input={"id": 1}))
                await watcher.until(*working(mark))
                proxy.silent.set()
                start = trio.current_time()
                nursery.cancel_scope.cancel()
            assert trio.current_time() - start < 1
            assert back.is_set()
    server.ask("ROLLBACK")
    server.close()
    watcher.close()


async def test_a_server_that_accepts_and_says_nothing_holds_neither_the_run_nor_a_thread() -> None:
    async with trio.open_nursery() as nursery:
        accepted = trio.Event()

        async def serve(stream: trio.SocketStream) -> None:
            accepted.set()
            await trio.sleep_forever()

        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        before = {thread.name for thread in threading.enumerate()}
        with trio.fail_after(60):
            async with trio.open_nursery() as inner:
                url = f"postgresql://nobody@127.0.0.1:{port}/none?connect_timeout=1000"
                inner.start_soon(run_one, source("SELECT 1"), url)
                await accepted.wait()
                inner.cancel_scope.cancel()
        names = {thread.name for thread in threading.enumerate()} - before
        assert not any("flowscript" in name for name in names)
        nursery.cancel_scope.cancel()


async def test_a_refused_connection_may_be_tried_again_and_a_wrong_name_not(server: Server) -> None:
    url = sqlalchemy.make_url(URL).set(password="concealed")
    cases = [(url.set(database="absent"), False)]
    with trio.socket.socket() as held:
        await held.bind(("127.0.0.1", 0))  # bound, and nobody listens
        cases.append((url.set(host="127.0.0.1", port=held.getsockname()[1]), True))
        for case, expected in cases:
            with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
                await run_one(source("SELECT 1"), case.render_as_string(hide_password=False))
            assert getattr(caught.value, "retryable", False) is expected
            assert "concealed" not in str(caught.value)


async def test_a_lost_connection_and_a_deadlock_may_be_tried_again(server: Server) -> None:
    for query in (
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$",
    ):
        with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
            await run_one(source(query))
        assert caught.value.retryable, query  # type: ignore[attr-defined]
    with pytest.raises(sqlalchemy.exc.DBAPIError) as caught:
        await run_one(source("SELECT 1 / 0"))
    assert not hasattr(caught.value, "retryable")
