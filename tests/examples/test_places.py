"""Owns the tests of the example that counts words elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from exampling import program

TEXTS = [f"one two {'word ' * (n % 5)}" for n in range(40)]
WORDS = sum(len(text.split()) for text in TEXTS)


async def count(place: Any, kill_after: int | None) -> list[dict[str, int]]:
    """What was shown; asserts that every word was counted."""
    example = program("places")
    shown: list[dict[str, int]] = []
    with trio.fail_after(120):
        assert await example.count_words(TEXTS, place, shown.append, kill_after) == WORDS
    assert sum(shown[-1].values()) == len(TEXTS)
    return shown


async def test_the_words_of_all_texts_are_counted_in_processes_although_one_is_killed() -> None:
    shown = await count(fs.Process(2), kill_after=10)
    assert all(worker.startswith("process ") for worker in shown[-1])


@pytest.mark.slow
async def test_the_words_of_all_texts_are_counted_on_a_cluster_although_a_worker_is_killed() -> (
    None
):
    shown = await count(fs.Dask(workers=2), kill_after=10)
    assert all(worker.startswith("worker tcp://") for worker in shown[-1])
    assert len(shown[-1]) >= 2
