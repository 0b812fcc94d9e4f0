"""Owns databases that sinks of tests write to, in SQLite or PostgreSQL, as an onlooker sees them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import trio

from flowscript_trio.runtimes.database import markers

from databases import new_database
from postgresql import URL


class Shop:
    """A database with a table ``t`` of one column, as an onlooker sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ask("CREATE TABLE t (id INTEGER, note TEXT)")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        if self.url.startswith("sqlite"):
            connection: Any = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        else:
            connection = psycopg.connect(self.url)
        try:
            found = connection.execute(query)
            rows = found.fetchall() if found.description else []
            connection.commit()
        finally:
            connection.close()
        return rows

    @property
    def ids(self) -> list[int]:
        return [number for (number,) in self.ask("SELECT id FROM t ORDER BY id")]


def new_shop(kind: str, folder: Path) -> Shop:
    """An empty one, in a file of the folder or on the server of PostgreSQL."""
    return Shop(f"sqlite:///{folder / 'shop.db'}" if kind == "sqlite" else new_database(URL))


def make(shop: Shop) -> None:
    """Make its table of markers."""
    trio.run(markers.make_markers, shop.url)
