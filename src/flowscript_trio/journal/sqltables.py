"""Owns what the tables of a store in SQLite are asked and told, and the transactions around that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from ..types.storing import Superseded
from .backend import Batch
from .finding import no_such_run
from .rows import ENDED, Large
from .tabled import large_parts, tabled


def begun(connection: sqlite3.Connection) -> bool:
    """Begin a transaction; False where another process holds the lock."""
    try:
        connection.execute("begin immediate")
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    with ending(connection):
        yield


@contextmanager
def ending(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself where the disk is full
            connection.execute("rollback")
        raise


def number_of(connection: sqlite3.Connection, run_id: str) -> int:
    found = connection.execute("select number from runs where id = ?", (run_id,)).fetchone()
    if found is None:
        known = connection.execute("select id from runs order by number desc limit 1000").fetchall()
        raise no_such_run(run_id, [each[0] for each in known])
    number: int = found[0]
    return number


def open_slots(connection: sqlite3.Connection, number: int) -> list[str]:
    found = connection.execute(
        "select slot from inbox where run = ? and answer is null order by number", (number,)
    )
    return [slot for (slot,) in found.fetchall()]


def keep(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write a batch, if the run is still owned and what comes before it is there."""
    owned = batch.owned
    changed = connection.execute(
        "update runs set rows = rows + ? where number = ? and fence = ? and rows = ?",
        (len(batch.rows), owned.number, owned.fence, batch.first),
    ).rowcount
    if changed != 1:
        raise Superseded(owned.run_id)
    kept = partial(keep_large, connection, owned.number)
    connection.executemany(
        "insert into rows values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (owned.number, number, *tabled(number, row, kept))
            for number, row in enumerate(batch.rows, batch.first)
        ],
    )
    if batch.dropped:
        drop(connection, owned.number, batch.dropped)
    for question in batch.questions:
        if question.withdrawn:
            connection.execute(
                "delete from inbox where run = ? and slot = ? and answer is null",
                (owned.number, question.slot),
            )
            continue
        connection.execute(
            "insert into inbox (run, slot, asked, due) values (?, ?, ?, ?) on conflict do nothing",
            (owned.number, question.slot, question.asked, question.due),
        )
    if batch.mark is not None:
        state, due = batch.mark.state, batch.mark.due
        ended = time.time() if state in ENDED else None
        connection.execute(
            "update runs set state = ?, due = ?, seen = ?, ended = ? where number = ?",
            (state, due, batch.mark.seen, ended, owned.number),
        )


def keep_large(connection: sqlite3.Connection, run: int, part: Large) -> None:
    if part.packed:
        connection.execute(
            "insert into large values (?, ?) on conflict do nothing", (part.hash, part.packed)
        )
    connection.execute("insert into uses values (?, ?) on conflict do nothing", (run, part.hash))


def drop(connection: sqlite3.Connection, run: int, numbers: Sequence[tuple[int, int]]) -> None:
    """Forget rows, and the large parts that no other row has."""
    count = 0
    hashes: set[bytes] = set()
    for pair in numbers:
        found = connection.execute(
            "select data, value, large from rows where run = ? and large <> 0 and number >= ? and number < ?",
            (run, *pair),
        )
        for data, value, large in found.fetchall():
            hashes |= large_parts(data, value, large)
        count += connection.execute(
            "delete from rows where run = ? and number >= ? and number < ?", (run, *pair)
        ).rowcount
    connection.execute("update runs set dropped = dropped + ? where number = ?", (count, run))
    if not hashes:
        return
    found = connection.execute(
        "select data, value, large from rows where run = ? and large <> 0", (run,)
    )
    for data, value, large in found.fetchall():
        hashes -= large_parts(data, value, large)
    (document,) = connection.execute(
        "select document from runs where number = ?", (run,)
    ).fetchone()
    for digest in hashes - {document}:
        connection.execute("delete from uses where run = ? and hash = ?", (run, digest))
        connection.execute(
            "delete from large where hash = ? and not exists (select 1 from uses where hash = ?)",
            (digest, digest),
        )
