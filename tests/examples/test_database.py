"""Owns the test of the example with a database: all rows are stored together or none, and taken out again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from exampling import EXAMPLES, program
from loopback import loopback

import_orders = program("database").import_orders
DOCUMENT = EXAMPLES / "database" / "import.xml"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "orders.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount INTEGER, batch TEXT)"
        )
        connection.execute("INSERT INTO orders VALUES (100, 1, 'before')")
    return path


def rows(database: Path) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT id, batch FROM orders ORDER BY id").fetchall()


def settings(database: Path, base: str) -> dict[str, str]:
    return {"batch": "monday", "database": f"sqlite:///{database}", "announce": f"{base}/told"}


async def test_the_parts_are_stored_together_and_somebody_is_told(database: Path) -> None:
    async with loopback() as server:
        server.page("/told", {})
        given = settings(database, server.base)
        assert await import_orders(DOCUMENT, ["north", "south"], **given) == 3
        assert json.loads(server.seen[0].body) == {"stored": 3}
    assert rows(database) == [(1, "monday"), (2, "monday"), (3, "monday"), (100, "before")]


async def test_where_one_row_is_refused_none_is_stored(database: Path) -> None:
    async with loopback() as server:
        with pytest.raises(Exception, match="UNIQUE"):
            await import_orders(DOCUMENT, ["north", "twice"], **settings(database, server.base))
        assert server.seen == []
    assert rows(database) == [(100, "before")]


async def test_what_was_stored_is_taken_out_again_where_nobody_could_be_told(
    database: Path,
) -> None:
    async with loopback() as server:
        server.page("/told", status=400)
        with pytest.raises(fs.HTTPStatusError):
            await import_orders(DOCUMENT, ["north"], **settings(database, server.base))
    assert rows(database) == [(100, "before")]


async def test_it_is_taken_out_again_where_the_run_is_cancelled(database: Path) -> None:
    async with loopback() as server, trio.open_nursery() as nursery:
        server.hang("/told")

        async def work() -> None:
            await import_orders(DOCUMENT, ["north"], **settings(database, server.base))

        nursery.start_soon(work)
        await server.until(lambda: len(server.seen) == 1)
        assert len(rows(database)) == 3
        nursery.cancel_scope.cancel()
    assert rows(database) == [(100, "before")]
