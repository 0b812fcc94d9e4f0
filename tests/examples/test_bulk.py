"""Owns the test of the example that stores a large file: a server gives it, and a database takes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import trio

import flowscript_trio as fs

from exampling import EXAMPLES, program
from loopback import Answer, Loopback, loopback
from postgresql import URL, needs_postgresql

FLOW = fs.load(EXAMPLES / "bulk" / "bulk.xml")
ROWS = 4500


def serve(server: Loopback) -> str:
    body = "id,value\n" + "".join(f"{number},{number / 2}\n" for number in range(ROWS))
    server.answer("/measures.csv", Answer(200, body.encode(), {"Content-Type": "text/csv"}))
    return server.base + "/measures.csv"


async def test_all_rows_are_stored_and_progress_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "measures.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE measures (id INTEGER, value REAL)")
    shown: list[int] = []
    async with loopback() as server:
        parts = await program("bulk").store(FLOW, serve(server), f"sqlite:///{path}", shown.append)
    assert parts == 5
    assert len(shown) == 5
    assert shown == sorted(shown)
    assert shown[-1] == ROWS
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT count(*), sum(value) FROM measures").fetchone()
    assert found == (ROWS, sum(range(ROWS)) / 2)


@needs_postgresql
async def test_postgresql_takes_the_texts_for_what_its_columns_are() -> None:
    import psycopg

    with psycopg.connect(URL, autocommit=True) as database:
        database.execute("DROP TABLE IF EXISTS measures")
        database.execute("CREATE TABLE measures (id int, value numeric)")
        async with loopback() as server:
            await program("bulk").store(FLOW, serve(server), URL, lambda rows: None)
        found = database.execute("SELECT count(*), sum(value) FROM measures").fetchone()
        database.execute("DROP TABLE measures")
    assert found == (ROWS, sum(range(ROWS)) / 2)


async def test_a_run_that_is_cancelled_closes_its_connection(tmp_path: Path) -> None:
    path = tmp_path / "measures.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE measures (id INTEGER, value REAL)")
    async with loopback() as server:
        body = b"id,value\n" + b"1,2\n" * 1500
        answer = Answer(200, body, {"Content-Type": "text/csv"}, stalls=True)
        server.answer("/slow.csv", answer)
        async with trio.open_nursery() as nursery:

            def stop(rows: int) -> None:
                nursery.cancel_scope.cancel()

            store = program("bulk").store
            nursery.start_soon(store, FLOW, server.base + "/slow.csv", f"sqlite:///{path}", stop)
        await server.until(lambda: server.left == ["/slow.csv"])
