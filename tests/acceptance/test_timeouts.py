"""Owns the proof that a timeout frees the run on time from whatever hangs."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy
import trio

import flowscript_trio as fs

from loopback import loopback
from stubs import Stubs

assert httpx
assert sqlalchemy
"""Imported here, since that takes time which is not the node's."""

DEADLINE = 0.5
"""Seconds: long enough for the node to be waiting when it comes."""

LATE = 30.0
"""Seconds after the deadline within which a run must be free of a peer that hangs, on the busiest machine."""


@asynccontextmanager
async def freed_in_time(deadline: float) -> AsyncIterator[None]:
    """Expect the timeout of the block's run, and soon. This is the one claim that real time can show."""
    started = time.monotonic()
    with pytest.raises(trio.TooSlowError):
        yield
    assert deadline <= time.monotonic() - started < deadline + LATE


SLOW_QUERY = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i &lt; 1000000000) "
    "select count(*) as n from n"
)


@pytest.mark.parametrize("how", ["node", "block"])
async def test_a_hung_http_call_is_left_and_its_connection_closed(how: str) -> None:
    async with loopback() as server:
        server.hang("/x")
        call = f'<source:http id="x" url="{server.base}/x"/>'
        async with freed_in_time(DEADLINE):
            await run_bounded(call, how)
        await server.until(lambda: server.left == ["/x"])


@pytest.mark.parametrize("how", ["node", "block"])
async def test_a_hung_database_query_is_interrupted(how: str) -> None:
    call = f'<source:database id="x" connection="sqlite://" query="{SLOW_QUERY}"/>'
    async with freed_in_time(DEADLINE):
        await run_bounded(call, how)


@pytest.mark.parametrize("how", ["node", "block"])
async def test_a_hung_file_read_is_left(how: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    try:
        async with freed_in_time(DEADLINE):
            await run_bounded(f'<source:file id="x" path="{pipe}"/>', how)
    finally:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # lets the abandoned thread end


async def run_bounded(call: str, how: str) -> None:
    if how == "node":
        body = call.replace("/>", ' timeout="500ms"/>')
    else:
        body = f'<timeout id="t" duration="500ms">{call}</timeout>'
    await fs.run(fs.loads(f'<workflow name="w">{body}</workflow>'))


async def test_where_the_wait_is_ours_the_deadline_is_exact(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for body in (
        '<source:stub id="x" hangs="true" timeout="2s"/>',
        '<timeout id="t" duration="2s"><source:stub id="x" hangs="true"/></timeout>',
        '<parallel id="p" timeout="2s"><branch><source:stub id="x" hangs="true"/></branch></parallel>',
        '<timeout id="t" duration="2s"><checkpoint id="c"/></timeout>',
    ):
        started = trio.current_time()

        async def hang(*asked: object) -> str:
            await trio.sleep_forever()
            raise AssertionError

        with pytest.raises(trio.TooSlowError):
            await Stubs().run(body, decider=hang)
        assert trio.current_time() - started == 2
