"""Owns what the tables of a store in PostgreSQL are asked and told, in the transaction of whoever calls."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from ..types.storing import StoreFailed, Superseded
from .backend import Batch
from .blobs import unpack
from .finding import no_such_run
from .rows import ENDED, Large, RunState, State
from .tabled import large_parts, tabled

STATE = (
    "number, id, workflow, state, extract(epoch from created)::float8, due, "
    "extract(epoch from ended)::float8, rows - dropped, lease > clock_timestamp()"
)

Connection = psycopg.Connection[Any]


def number_of(connection: Connection, run_id: str) -> int:
    found = connection.execute(
        "select number from flowscript_runs where id = %s", (run_id,)
    ).fetchone()
    if found is None:
        known = connection.execute(
            "select id from flowscript_runs order by number desc limit 1000"
        ).fetchall()
        raise no_such_run(run_id, [each[0] for each in known])
    number: int = found[0]
    return number


def open_slots(connection: Connection, number: int) -> list[str]:
    found = connection.execute(
        "select slot from flowscript_inbox where run = %s and answer is null order by number",
        (number,),
    ).fetchall()
    return [text_of_slot(slot) for (slot,) in found]


def text_of_slot(slot: bytes) -> str:
    return slot.decode("utf-8", "surrogatepass")


def state_of(
    connection: Connection,
    number: int,
    run_id: str,
    workflow: str,
    state: State,
    created: float,
    due: float | None,
    ended: float | None,
    rows: int,
    owned: bool | None,
) -> RunState:
    waits = () if state in ENDED else tuple(open_slots(connection, number))
    return RunState(run_id, workflow, state, created, due, ended, rows, bool(owned), waits)


def large_of(connection: Connection, digest: bytes) -> bytes:
    found = connection.execute(
        "select packed from flowscript_large where hash = %s", (digest,)
    ).fetchone()
    try:
        if found is not None:
            return unpack(digest, found[0])
        reason = "it is missing"
    except ValueError as exc:
        reason = str(exc)
    raise StoreFailed(f"a large value in the store is not what was written ({reason})")


def keep_large(connection: Connection, run: int, part: Large) -> None:
    # The use comes first: it waits for one who prunes, or is waited for, so that what is used is never pruned.
    connection.execute(
        "insert into flowscript_uses values (%s, %s) on conflict do nothing", (run, part.hash)
    )
    if part.packed:
        connection.execute(
            "insert into flowscript_large values (%s, %s) on conflict do nothing",
            (part.hash, part.packed),
        )


def keep(connection: Connection, batch: Batch) -> None:
    """Write a batch, if the run is still owned and what is before it is there; once, however often it is sent."""
    owned, count = batch.owned, len(batch.rows)
    changed = connection.execute(
        "update flowscript_runs set rows = rows + %s where number = %s and fence = %s and rows = %s",
        (count, owned.number, owned.fence, batch.first),
    ).rowcount
    if changed != 1:
        found = connection.execute(
            "select rows from flowscript_runs where number = %s and fence = %s",
            (owned.number, owned.fence),
        ).fetchone()
        if found is None or found[0] < batch.first + count:
            raise Superseded(owned.run_id)
        return  # it was committed before, and the answer was lost
    kept = partial(keep_large, connection, owned.number)
    if count:
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into flowscript_rows values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (owned.number, number, owned.fence, *tabled(number, row, kept))
                    for number, row in enumerate(batch.rows, batch.first)
                ],
            )
    if batch.dropped:
        drop(connection, owned.number, batch.dropped)
    for question in batch.questions:
        slot = question.slot.encode("utf-8", "surrogatepass")
        if question.withdrawn:
            connection.execute(
                "delete from flowscript_inbox where run = %s and slot = %s and answer is null",
                (owned.number, slot),
            )
            continue
        connection.execute(
            "insert into flowscript_inbox (run, slot, asked, due) values (%s, %s, %s, %s) "
            "on conflict (run, slot) do nothing",
            (owned.number, slot, question.asked, question.due),
        )
    if (mark := batch.mark) is not None:
        connection.execute(
            "update flowscript_runs set state = %s, due = %s, seen = %s, "
            "ended = case when %s then clock_timestamp() end where number = %s",
            (mark.state, mark.due, mark.seen, mark.state in ENDED, owned.number),
        )


def drop(connection: Connection, run: int, numbers: Sequence[tuple[int, int]]) -> None:
    """Forget rows, and that the run uses their large parts.

    Those go with the next prune: another run may be about to use them.
    """
    count = 0
    hashes: set[bytes] = set()
    for pair in numbers:
        found = connection.execute(
            "delete from flowscript_rows where run = %s and number >= %s and number < %s "
            "returning data, value, large",
            (run, *pair),
        ).fetchall()
        count += len(found)
        for data, value, large in found:
            hashes |= large_parts(data, value, large)
    connection.execute(
        "update flowscript_runs set dropped = dropped + %s where number = %s", (count, run)
    )
    if hashes:
        left = connection.execute(
            "select data, value, large from flowscript_rows where run = %s and large <> 0", (run,)
        ).fetchall()
        for data, value, large in left:
            hashes -= large_parts(data, value, large)
        connection.execute(
            "delete from flowscript_uses where run = %s and hash = any(%s) and hash <> "
            "(select document from flowscript_runs where number = %s)",
            (run, list(hashes), run),
        )
