"""Owns the limits that a store in SQLite keeps for all its runs: its tables, and one transaction a turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from .sharing import Ask, Back, Book, Told, entry_of
from .sqltables import transaction


def share(
    connection: sqlite3.Connection,
    is_owned: Callable[[int], bool],
    asks: Sequence[Ask],
    back: Sequence[Back],
    now: float,
) -> list[Told]:
    """Give limits back and others out. ``is_owned`` says whether a process owns the run with a number."""
    with transaction(connection):
        rows = connection.execute("select place, run, fence, token, facts, granted from wishes")
        entries = [entry_of(*row) for row in rows.fetchall()]
        found = connection.execute("select key, start, passed from rates").fetchall()
        counts = {key: (start, passed) for key, start, passed in found}

        def is_alive(number: int, fence: int) -> bool:
            now_is = connection.execute("select fence from runs where number = ?", (number,))
            # Where its process is gone, the fence stands until another one owns the run.
            return now_is.fetchone() == (fence,) and is_owned(number)

        book = Book(entries, counts, is_alive)
        told = book.turn(asks, back, now)
        connection.executemany(
            "delete from wishes where run = ? and token = ?",
            [(each.run, each.token) for each in book.removed],
        )
        connection.executemany(
            "insert into wishes values (?, ?, ?, ?, ?, ?)", [each.columns() for each in book.added]
        )
        connection.executemany(
            "update wishes set granted = 1 where run = ? and token = ?",
            [(each.run, each.token) for each in book.changed],
        )
        connection.executemany(
            "insert or replace into rates values (?, ?, ?)",
            [(key, *count) for key, count in book.counted.items()],
        )
    return told
