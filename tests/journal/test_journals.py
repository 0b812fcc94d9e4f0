"""A journal in memory: what reaches the store, when, and who is woken."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from flowscript_trio.journal.memory import MemoryBackend
from flowscript_trio.journal.rows import Row
from flowscript_trio.journal.store import Store
from flowscript_trio.journal.writer import InlineWriter, Job
from flowscript_trio.journal.writing import LiveJournal
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


class Noting(InlineWriter):
    """Notes the keys of the rows that it is given together."""

    def __init__(self, backend: MemoryBackend) -> None:
        super().__init__(backend)
        self.given: list[list[str]] = []

    def put(self, job: Job) -> None:
        self.given.append([row.key for row in job.batch.rows] if job.batch else [])
        super().put(job)


def noted() -> tuple[LiveJournal, Noting]:
    """A journal in memory, and its writer."""
    backend = MemoryBackend()
    owned = backend.begin("r", b"doc", "w")
    writer = Noting(backend)
    return LiveJournal(backend, writer, owned), writer


async def test_what_nobody_waits_for_is_given_to_the_writer_with_what_the_next_pass_writes() -> (
    None
):
    journal, writer = noted()
    journal.write(Row("ended", "a", b""))
    await trio.lowlevel.checkpoint()
    assert writer.given == []
    journal.write(Row("started", "b", b""))
    await journal.synced()
    assert writer.given == [["a", "b"]]
    await journal.aclose()


async def test_it_is_held_for_one_pass_and_no_longer() -> None:
    journal, writer = noted()
    journal.write(Row("ended", "a", b""))
    await trio.lowlevel.checkpoint()
    journal.write(Row("ended", "b", b""))
    await trio.lowlevel.checkpoint()
    assert writer.given == [["a", "b"]]
    journal.write(Row("ended", "c", b""))
    await trio.lowlevel.checkpoint()
    assert writer.given == [["a", "b"]]
    await trio.lowlevel.checkpoint()
    assert writer.given == [["a", "b"], ["c"]]
    await journal.aclose()


async def test_it_is_held_for_no_pass_that_is_not_about_to_follow(autojump_clock: object) -> None:
    journal, writer = noted()
    journal.write(Row("ended", "a", b""))
    await trio.sleep(60)  # nothing else runs, so this pass is the last for a while
    assert writer.given == [["a"]]
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
