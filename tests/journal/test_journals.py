"""A journal in memory: what reaches the store, when, and who is woken."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store
from flowscript_trio.types.storing import Superseded


async def test_rows_come_back_in_order_once_they_are_synced(autojump_clock: object) -> None:
    store = Store.memory()
    journal = await store.begin("r", b"doc")
    journal.write(Row("began", "", b"1"))
    journal.write(Row("started", "a", b"2"))
    await journal.synced()
    await journal.aclose()
    again = await store.open("r")
    assert list(again.read()) == [Row("began", "", b"1"), Row("started", "a", b"2")]
    assert again.document == b"doc"
    await again.aclose()


async def test_all_that_wait_in_a_pass_share_a_commit_and_wake_in_one(
    autojump_clock: object,
) -> None:
    store = Store.memory()
    journal = await store.begin("r", b"doc")
    woken: list[int] = []

    async def node(number: int) -> None:
        journal.write(Row("started", str(number), b""))
        await journal.synced()
        woken.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(node, number)
    assert store.commits == 1
    assert sorted(woken) == list(range(20))
    await journal.aclose()


async def test_what_is_written_as_a_pass_ends_goes_with_its_rows(autojump_clock: object) -> None:
    store = Store.memory()
    journal = await store.begin("r", b"doc")
    await journal.synced()

    def write() -> None:
        journal.write(Row("jobs", "a", b""))

    journal.at_end_of_pass(write)
    assert list(journal.read()) == []
    await journal.synced()  # nothing else was written, and it waits for that
    assert store.commits == 1
    assert [row.kind for row in store.rows_of("r")] == ["jobs"]
    await trio.testing.wait_all_tasks_blocked()
    assert store.commits == 1  # it was called once, and left nothing to be handed over
    await journal.aclose()


async def test_a_crash_forgets_what_was_not_synced_and_tells_whoever_waits(
    autojump_clock: object,
) -> None:
    store = Store.memory()
    journal = await store.begin("r", b"doc")
    journal.write(Row("started", "a", b""))
    await journal.synced()
    journal.write(Row("ended", "a", b""))
    store.crash()
    with pytest.raises(Superseded):
        await journal.synced()
    await journal.aclose()
    again = await store.open("r")
    assert [row.kind for row in again.read()] == ["started"]
    await again.aclose()


async def test_whoever_asks_is_told_that_the_run_is_lost(autojump_clock: object) -> None:
    store = Store.memory()
    journal = await store.begin("r", b"doc")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.lowlevel.checkpoint)
        store.crash()
        assert isinstance(await journal.lost(), Superseded)
    journal.write(Row("ended", "a", b""))
    with pytest.raises(Superseded):
        await journal.synced()
    await journal.aclose()
