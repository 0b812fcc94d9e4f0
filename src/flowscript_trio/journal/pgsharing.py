"""Owns the limits that a store in PostgreSQL keeps for all its runs: its tables, and one transaction a turn.

Leases and rates go by the server's clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from .pgtables import Connection
from .sharing import Ask, Back, Book, Told, entry_of

_LOCK = 0x464C5755
"""The advisory lock of those that take limits or give them back."""


def share(connection: Connection, asks: Sequence[Ask], back: Sequence[Back]) -> list[Told]:
    """Give limits back and others out, in the transaction of whoever calls."""
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    (now,) = connection.execute(
        "select extract(epoch from clock_timestamp())::float8"
    ).fetchone() or (0.0,)
    rows = connection.execute(
        "select place, run, fence, token, facts, granted from flowscript_wishes"
    ).fetchall()
    entries = [entry_of(*row) for row in rows]
    found = connection.execute("select key, start, passed from flowscript_rates").fetchall()
    counts = {key: (start, passed) for key, start, passed in found}
    runs = {*(each.run for each in entries), *(ask.number for ask in asks)}
    leased = connection.execute(
        "select number, fence from flowscript_runs where lease > clock_timestamp() and number = any(%s)",
        (list(runs),),
    ).fetchall()
    alive = {(number, fence) for number, fence in leased}
    book = Book(entries, counts, lambda *owner: owner in alive)
    told = book.turn(asks, back, now)
    with connection.cursor() as cursor:
        cursor.executemany(
            "delete from flowscript_wishes where run = %s and token = %s",
            [(each.run, each.token) for each in book.removed],
        )
        cursor.executemany(
            "insert into flowscript_wishes values (%s, %s, %s, %s, %s, %s)",
            [each.columns() for each in book.added],
        )
        cursor.executemany(
            "update flowscript_wishes set granted = true where run = %s and token = %s",
            [(each.run, each.token) for each in book.changed],
        )
        cursor.executemany(
            "insert into flowscript_rates values (%s, %s, %s) on conflict (key) do update "
            "set start = excluded.start, passed = excluded.passed",
            [(key, *count) for key, count in book.counted.items()],
        )
    return told
