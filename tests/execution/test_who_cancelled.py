"""Who cancelled whom, where the ``Cancelled`` of a node is a fresh object or is for a nursery of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread
import pytest
import trio
from trio._core import _run
from trio.testing import MockClock

import flowscript_trio as fs


async def native() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 5)


async def task_group() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 5)
        group.start_soon(anyio.sleep, 6)


async def nested_groups() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(task_group)


async def child_cancels() -> None:
    """As a race of connection attempts does, in the pass in which the block is cancelled."""
    async with trio.open_nursery() as nursery:

        async def attempt() -> None:
            await trio.sleep(1)
            nursery.cancel_scope.cancel(reason="found one")

        nursery.start_soon(attempt)
        nursery.start_soon(trio.sleep_forever)
    await trio.sleep(5)


async def fresh_one() -> None:
    try:
        await trio.sleep(5)
    except trio.Cancelled:
        raise trio.Cancelled._create(source="unknown") from None


WAYS: dict[str, Callable[[], Awaitable[None]]] = {
    "native": native,
    "task group": task_group,
    "nested groups": nested_groups,
    "child cancels": child_cancels,
    "fresh": fresh_one,
}


def causes(
    text: str, way: str, seed: int, outside: float | None = None
) -> set[tuple[str | None, str]]:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:waits")
    async def waits(params: fs.ExecutionParams) -> None:
        await WAYS[way]()

    @registry.runtime("source:fails")
    async def fails(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raise ValueError("x")

    flow = fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry)
    records = []

    async def main() -> None:
        with trio.move_on_after(outside or 100):
            try:
                async with fs.open_run(flow) as run:
                    records.append(run.record)
            except (ValueError, trio.TooSlowError):
                pass

    _run._r.seed(seed)
    trio.run(main, clock=MockClock(autojump_threshold=0))
    return {
        (result.cancelled_by.by, result.cancelled_by.reason)
        for result in records[0].cancelled
        if result.cancelled_by is not None and result.id == "n"
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_sibling_that_failed_is_named(way: str) -> None:
    text = (
        '<parallel id="p"><branch><source:waits id="n"/></branch>'
        '<branch><source:fails id="f"/></branch></parallel>'
    )
    for seed in range(30):
        assert causes(text, way, seed) == {("p/1", "p/1 failed: ValueError")}


@pytest.mark.parametrize("way", WAYS)
def test_a_time_limit_is_named(way: str) -> None:
    text = '<parallel id="p" timeout="1s"><branch><source:waits id="n"/></branch></parallel>'
    for seed in range(30):
        assert causes(text, way, seed) == {("p", "p timed out")}


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_from_outside_is_told_as_that(way: str) -> None:
    text = '<parallel id="p" timeout="50s"><branch><source:waits id="n"/></branch></parallel>'
    for seed in range(30):
        [(by, reason)] = causes(text, way, seed, outside=0.5)
        assert by is None
        assert reason.startswith("cancelled from outside")
