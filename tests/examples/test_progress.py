"""Owns the test of the example that shows progress, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

from exampling import EXAMPLES, program


async def test_progress_is_shown_while_the_work_goes_on(autojump_clock: MockClock) -> None:
    example = program("progress")
    flow = fs.load(EXAMPLES / "progress" / "resize.xml", registry=example.registry)
    shown = []
    taken = 0

    def pictures() -> Iterator[int]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield taken

    async def show(done: int) -> None:
        shown.append((done, taken - done, trio.current_time()))

    assert await example.resize_all(flow, pictures(), show, every=40) == 100
    assert [done for done, _, _ in shown] == [40, 80]
    assert [round(at, 1) for _, _, at in shown] == [0.5, 1.0]
    assert all(ahead <= 16 for _, ahead, _ in shown)
    assert round(trio.current_time(), 1) == 1.3


async def test_what_is_slow_to_show_does_not_hold_up_the_work(autojump_clock: MockClock) -> None:
    example = program("progress")
    flow = fs.load(EXAMPLES / "progress" / "resize.xml", registry=example.registry)
    shown = []

    async def show(done: int) -> None:
        shown.append(done)
        await trio.sleep(60)

    with trio.move_on_after(10) as scope:
        await example.resize_all(flow, range(80), show, every=8)
    assert scope.cancelled_caught  # it is still being shown
    assert shown == [8]


async def test_a_picture_that_fails_ends_the_showing_too(autojump_clock: MockClock) -> None:
    example = program("progress")
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("sink:picture")
    async def refuse(params: fs.ExecutionParams) -> None:
        raise OSError("no room")

    flow = fs.load(EXAMPLES / "progress" / "resize.xml", registry=registry)

    async def show(done: int) -> None: ...

    with pytest.raises(ExceptionGroup) as caught:
        await example.resize_all(flow, range(80), show)
    assert caught.group_contains(OSError, match="no room")
