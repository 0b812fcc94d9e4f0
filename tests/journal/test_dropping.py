"""Owns the tests of rows that are dropped from a journal, in every kind of store."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from flowscript_trio.journal.rows import Mark, Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.errors import InputError
from flowscript_trio.types.storing import StoreFailed


def _row(number: int) -> Row:
    return Row("ended", str(number), b"x")


async def test_dropped_rows_are_gone_and_the_others_keep_their_numbers(store: Store) -> None:
    journal = await store.begin("r", b"")
    numbers = [journal.write(_row(number)) for number in range(10)]
    await journal.synced()
    journal.drop([(2, 5), (7, 8)])
    numbers.append(journal.write(_row(10)))
    await journal.aclose()
    assert numbers == list(range(11))
    assert (await store.show("r")).rows == 7
    again = await store.open("r")
    kept = [0, 1, 5, 6, 8, 9, 10]
    assert list(again.numbered()) == [(number, _row(number)) for number in kept]
    assert again.write(_row(11)) == 11
    again.drop([(11, 12), (0, 3)])  # one of the same pass, and some that are gone
    await again.aclose()
    last = await store.open("r")
    assert [row.key for row in last.read()] == ["5", "6", "8", "9", "10"]
    await last.aclose()


async def test_a_large_part_stays_as_long_as_a_row_has_it(store: Store) -> None:
    large = Row("ended", "a", b"y" * 70_000)
    journal = await store.begin("r", b"")
    first, second = journal.write(large), journal.write(large)
    await journal.synced()
    journal.drop([(first, first + 1)])
    third = journal.write(large)
    await journal.synced()
    journal.drop([(second, third + 1)])
    await journal.synced()
    journal.write(large)
    await journal.aclose()
    again = await store.open("r")
    assert list(again.read()) == [large]
    await again.aclose()


async def test_the_room_of_dropped_large_parts_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    store = Store(path)
    journal = await store.begin("r", b"")
    for number in range(20):
        written = journal.write(Row("ended", "a", str(number).encode() * 70_000))
        await journal.synced()
        journal.drop([(written, written + 1)])
        await journal.synced()
    await journal.aclose()
    with sqlite3.connect(path) as connection:
        found = connection.execute("select count(*) from large").fetchone()
    connection.close()
    assert found == (1,)  # what the run was begun with


async def test_a_row_that_is_missing_and_was_not_dropped_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    store = Store(path)
    journal = await store.begin("r", b"")
    for number in range(10):
        journal.write(_row(number))
    journal.drop([(3, 6)])
    await journal.aclose()
    connection = sqlite3.connect(path)
    connection.execute("delete from rows where number = 8")
    connection.commit()
    connection.close()
    again = await store.open("r")
    with pytest.raises(StoreFailed, match="of the run 'r' rows are missing"):
        list(again.read())
    await again.aclose()


async def test_a_run_with_dropped_rows_is_pruned_like_any_other(store: Store) -> None:
    journal = await store.begin("r", b"")
    journal.write(_row(0))
    journal.write(Row("ended", "a", b"y" * 70_000))
    await journal.synced()
    journal.drop([(0, 2)])
    journal.mark(Mark("completed"))
    await journal.aclose()
    assert await store.prune(older_than=0) == 1
    assert not await store.runs()


async def test_runs_are_chosen_by_state_name_and_age(store: Store) -> None:
    for run_id, workflow, state in (
        ("a", "w", "completed"),
        ("b", "v", "failed"),
        ("c", "w", "failed"),
    ):
        journal = await store.begin(run_id, b"", workflow=workflow)
        journal.mark(Mark(state))  # type: ignore[arg-type]
        await journal.aclose()

    async def chosen(*states: Any, **options: Any) -> str:
        return "".join(run.run_id for run in await store.runs(*states, **options))

    assert await chosen() == "cba"
    assert await chosen("failed") == "cb"
    assert await chosen("failed", "completed", workflow="w") == "ca"
    assert await chosen(workflow="w", limit=1) == "c"
    assert await chosen(workflow="x") == ""
    assert await chosen(younger_than=3600) == "cba"
    assert await chosen(younger_than=-5) == ""
    with pytest.raises(InputError, match="did you mean 'failed'"):
        await chosen("faild")


async def test_a_run_is_read_beside_who_writes_it(store: Store) -> None:
    journal = await store.begin("r", b"doc", workflow="w")
    for number in range(5):
        journal.write(_row(number))
    await journal.synced()
    document, state, rows = await store.copy("r")
    journal.drop([(1, 3)])
    await journal.synced()
    assert (document, state, [number for number, _ in rows]) == (b"doc", "running", [0, 1, 2, 3, 4])
    assert [number for number, _ in (await store.copy("r"))[2]] == [0, 3, 4]
    with pytest.raises(InputError, match="there is no run 'q'"):
        await store.copy("q")
    await journal.aclose()
