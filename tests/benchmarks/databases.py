"""Owns the workloads of databases: sinks of many rows, to the driver's own fastest way by hand."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import trio

from . import flows
from .measuring import Cost, Workload
from postgresql import URL

COLUMNS = ("id", "name", "price", "ok", "note")
"""A PostgreSQL database that may be written to; without one its workload is left out."""


def rows_of(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "name": f"name {number}",
            "price": number / 2,
            "ok": number % 2 == 0,
            "note": None if number % 3 else "x",
        }
        for number in range(count)
    ]


def sink(url: str, rows: list[dict[str, Any]], clear: Callable[[], None]) -> Cost:
    """A run that writes the rows, its connecting included."""
    flow = flows.load(
        '<sink type="database" id="k" connection="{{$config.url}}" table="benchmark"/>'
    )
    work = partial(flows.fs.run, flow, config={"url": url}, input=rows)

    def cost() -> float:
        clear()
        started = time.perf_counter()
        trio.run(work)
        return time.perf_counter() - started

    return cost


def sqlite(count: int) -> Workload:
    rows = rows_of(count)
    path = Path(mkdtemp(prefix="flowscript-benchmark-")) / "a.db"

    def clear() -> None:
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE benchmark (id int, name text, price real, ok, note)")
        connection.close()

    def hand() -> float:
        clear()
        started = time.perf_counter()
        with sqlite3.connect(path) as connection:
            values = [tuple(row.values()) for row in rows]
            connection.executemany("INSERT INTO benchmark VALUES (?, ?, ?, ?, ?)", values)
        connection.close()
        return time.perf_counter() - started

    name = f"{count} rows into SQLite, to executemany"
    return Workload(name, "row", count, sink(f"sqlite:///{path}", rows, clear), hand, 1.5, 1.1)


def postgresql(count: int) -> Workload:
    import psycopg

    rows = rows_of(count)

    def clear() -> None:
        with psycopg.connect(URL) as connection:
            connection.execute("DROP TABLE IF EXISTS benchmark")
            connection.execute(
                "CREATE TABLE benchmark (id int8, name text, price float8, ok bool, note text)"
            )

    def hand() -> float:
        clear()
        started = time.perf_counter()
        with psycopg.connect(URL) as connection, connection.cursor() as cursor:
            with cursor.copy(f"COPY benchmark ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(tuple(row.values()))
            connection.commit()
        return time.perf_counter() - started

    name = f"{count} rows into PostgreSQL, to COPY"
    return Workload(name, "row", count, sink(URL, rows, clear), hand, 2.0, 1.2)


def workloads(scale: float) -> Iterator[Workload]:
    count = int(100_000 * scale)
    yield sqlite(count)
    if URL:
        yield postgresql(count)
