"""Owns the test of the example on the web: a real server, a real client, and one that leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from exampling import program


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """The base URL of the application while the block lasts."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.errorlog = None
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        start = partial(serve, app, config, shutdown_trigger=stop.wait)
        [base] = await nursery.start(start)
        yield base
        stop.set()


class Log(list[str]):
    """What happened; ``until`` waits for so many entries."""

    def __init__(self) -> None:
        super().__init__()
        self._grown = trio.Event()

    def append(self, entry: str) -> None:
        super().append(entry)
        self._grown.set()
        self._grown = trio.Event()

    async def until(self, count: int) -> None:
        with trio.fail_after(20):
            while len(self) < count:
                await self._grown.wait()


@pytest.fixture
def example() -> Any:
    example = program("web", "app.py")
    example.log = Log()
    return example


async def test_a_client_that_waits_gets_the_best_quote(example: Any) -> None:
    async with serving(example.app) as base, httpx.AsyncClient() as client:
        answer = await client.get(f"{base}/quote/lamp")
        assert (answer.status_code, answer.json()) == (200, {"best": 4})
    assert sorted(example.log) == ["far: asked", "far: hung up", "near: asked", "near: hung up"]


async def test_when_the_client_leaves_the_run_is_cancelled_and_cleans_up(example: Any) -> None:
    example.app.config["SECONDS"] = {"near": 3600, "far": 3600}
    async with serving(example.app) as base:
        async with httpx.AsyncClient() as client, trio.open_nursery() as nursery:
            nursery.start_soon(client.get, f"{base}/quote/lamp")
            await example.log.until(2)
            nursery.cancel_scope.cancel()
        await example.log.until(5)
    assert sorted(example.log[:2]) == ["far: asked", "near: asked"]
    assert sorted(example.log[2:4]) == ["far: hung up", "near: hung up"]
    assert example.log[4] == "the client left"
