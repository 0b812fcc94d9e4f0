"""Owns tests that large bodies hold up nobody: they are decoded and written in threads."""

from __future__ import annotations

import gc
import gzip
import json
import threading
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http import answer, content

from loopback import Answer, loopback

LARGE = [{"id": number, "name": "x" * 20} for number in range(5000)]


async def run_one(element: str, base: str, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    return (await fs.run(flow, config={"base": base}, **options)).output


class Threads:
    """The threads in which a function was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, home: Any, name: str) -> None:
        self.seen: list[bool] = []
        real, main = getattr(home, name), threading.get_ident()

        def noted(*args: Any) -> Any:
            self.seen.append(threading.get_ident() == main)
            return real(*args)

        monkeypatch.setattr(home, name, noted)


@pytest.mark.parametrize(("body", "in_trio"), [([1], True), (LARGE, False)])
async def test_a_large_body_is_decoded_in_a_thread(
    body: Any, in_trio: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads(monkeypatch, answer, "decode")
    async with loopback() as server:
        server.page("/x", body)
        assert await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base) == body
        sink = '<sink:http id="x" url="{{$config.base}}/x" body="b"/>'
        assert (await run_one(sink, server.base))["body"] == body
    assert threads.seen == [in_trio] * 2


@pytest.mark.parametrize(("value", "in_trio"), [({"a": 1}, True), (LARGE, False)])
async def test_a_large_input_is_written_in_a_thread(
    value: Any, in_trio: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads(monkeypatch, content, "_encode")
    async with loopback() as server:
        server.page("/x", 1)
        await run_one('<sink:http id="x" url="{{$config.base}}/x"/>', server.base, input=value)
        assert json.loads(server.seen[0].body) == value
    assert threads.seen == [in_trio]


async def test_an_error_in_a_large_body_says_what_one_in_a_small_body_does() -> None:
    async with loopback() as server:
        broken = json.dumps(LARGE).encode() + b"]"
        server.answer("/x", Answer(200, broken, {"Content-Type": "application/json"}))
        with pytest.raises(fs.FlowScriptError, match=r"is not JSON .*Extra data"):
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)


async def test_a_body_that_grows_when_it_is_unpacked_is_unpacked_with_turns_for_others() -> None:
    packed = gzip.compress(b" " * 50_000_000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with loopback() as server, trio.open_nursery() as nursery:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        server.answer("/x", Answer(200, packed, headers))
        nursery.start_soon(count)
        assert await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base) is None
        nursery.cancel_scope.cancel()
    assert len(packed) < 64 * 1024  # it comes in one piece
    assert turns > 10


async def test_a_cancellation_in_the_middle_of_unpacking_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed = gzip.compress(b" " * 5_000_000)
    steps = 0
    scope = trio.CancelScope()

    async def step(pace: answer.Pace) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            scope.cancel()
        await pace.rest()

    monkeypatch.setattr(answer.Pace, "step", step)
    async with loopback() as server:
        server.answer("/x", Answer(200, packed, {"Content-Encoding": "gzip"}))
        with scope:
            await run_one('<source:http id="x" url="{{$config.base}}/x"/>', server.base)
        assert scope.cancelled_caught
        assert steps == 3
        gc.collect()  # a generator that was left would warn here
