"""Owns tests that Python's full collections wait while a large file or answer is read, and no longer."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes import file
from flowscript_trio.runtimes.collector import FullCollections
from flowscript_trio.runtimes.http import answer
from flowscript_trio.runtimes.transform import lists

from loopback import loopback

SET = (600, 9, 8)


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*SET)
    yield
    gc.set_threshold(*before)


def is_held_off() -> bool:
    young, middle, full = gc.get_threshold()
    assert (young, middle) == SET[:2]
    return full > 1_000_000


def test_full_collections_wait_until_the_last_reader_is_done() -> None:
    with FullCollections() as first:
        with FullCollections() as second:
            assert not is_held_off()
            first.hold_off()
            second.hold_off()
            second.hold_off()
        assert is_held_off()
    assert gc.get_threshold() == SET


@contextmanager
def generations_collected() -> Iterator[list[int]]:
    """The generations of all collections, which come often while the block lasts."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(note)
    gc.set_threshold(5, 1, 1)
    try:
        yield seen
    finally:
        gc.callbacks.remove(note)


def test_no_full_collection_comes_while_they_wait() -> None:
    with generations_collected() as seen:
        with FullCollections() as full:
            full.hold_off()
            kept: list[list[int]] = [[] for _ in range(1000)]
        while 2 not in seen[-3:]:
            kept.append([])
    at = seen.index(2)
    assert seen[:at].count(1) > 10


def test_a_reader_that_was_left_holds_nothing_off() -> None:
    with FullCollections() as full:
        pass
    full.hold_off()
    assert gc.get_threshold() == SET


def test_what_the_application_sets_meanwhile_stands() -> None:
    with FullCollections() as full:
        full.hold_off()
        gc.set_threshold(500, 5, 5)
    assert gc.get_threshold() == (500, 5, 5)


@pytest.mark.parametrize(
    ("large", "form", "held"),
    [(20, "text", True), (21, "text", False), (21, "yaml", True), (20 * 32 + 1, "yaml", False)],
)
async def test_only_the_reading_of_a_large_file_holds_them_off(
    large: int, form: str, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "LARGE", large)
    seen: list[bool] = []
    monkeypatch.setattr(
        file, "read", lambda *args, **more: seen.append(is_held_off()) or "the text"
    )
    (tmp_path / "a.txt").write_bytes(b"x" * 20)
    flow = fs.loads(
        f'<workflow name="w"><source:file id="f" path="a.txt" format="{form}"/></workflow>'
    )
    assert (await fs.run(flow, base=tmp_path)).output == "the text"
    assert seen == [held]
    assert gc.get_threshold() == SET


async def test_a_cancelled_reader_holds_them_off_no_longer_though_its_thread_still_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "LARGE", 1)
    reads, goes_on, is_left = threading.Event(), threading.Event(), threading.Event()

    def read(*args: object, **more: object) -> None:
        reads.set()
        goes_on.wait()
        is_left.set()

    monkeypatch.setattr(file, "read", read)
    (tmp_path / "a.txt").write_bytes(b"x" * 20)
    flow = fs.loads('<workflow name="w"><source:file id="f" path="a.txt"/></workflow>')
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(fs.run, flow, base=tmp_path))
        await trio.to_thread.run_sync(reads.wait)
        assert is_held_off()
        nursery.cancel_scope.cancel()
    assert gc.get_threshold() == SET
    goes_on.set()
    assert await trio.to_thread.run_sync(is_left.wait)
    assert gc.get_threshold() == SET


@pytest.mark.parametrize(("large", "held"), [(100_000, True), (10_000_000, False)])
async def test_only_the_decoding_of_a_large_answer_holds_them_off(
    large: int, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "MANY", large)
    seen: list[bool] = []
    monkeypatch.setattr(answer, "decode", lambda *args: seen.append(is_held_off()))
    flow = fs.loads('<workflow name="w"><source:http id="h" url="{{$config.base}}/x"/></workflow>')
    async with loopback() as server:
        server.page("/x", ["x" * 20] * 10_000)
        await fs.run(flow, config={"base": server.base})
    assert seen == [held]
    assert gc.get_threshold() == SET


def test_only_the_loading_of_a_document_holds_them_off() -> None:
    nodes = "".join(f'<transform:template id="t{at}" template="{at}"/>' for at in range(300))
    with generations_collected() as seen:
        fs.loads(f'<workflow name="w">{nodes}</workflow>')
        loading = seen.copy()
        assert gc.get_threshold() == (5, 1, 1)
    assert loading.count(1) > 10
    assert 2 not in loading


def test_a_document_that_is_refused_holds_them_off_no_longer() -> None:
    with pytest.raises(fs.WorkflowInvalid):
        fs.loads("<workflow")
    assert gc.get_threshold() == SET


@pytest.mark.parametrize(("many", "held"), [(20, True), (21, False)])
async def test_only_a_map_of_many_items_holds_them_off(
    many: int, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MANY", many)
    seen: list[bool] = []
    flow = fs.loads(
        '<workflow name="w">'
        '<transform:map id="m" input="{{range(20)}}" expression="[item, item]"/></workflow>'
    )
    each = lists._each

    async def looking(*args: Any) -> Any:
        seen.append(is_held_off())
        return await each(*args)

    monkeypatch.setattr(lists, "_each", looking)
    await fs.run(flow)
    assert seen == [held]
    assert gc.get_threshold() == SET
