"""Owns the test of the example with many URLs: a server that is busy, lacks a page, and is slow."""

from __future__ import annotations

import pytest
import trio

import flowscript_trio as fs

from exampling import EXAMPLES, program
from loopback import Answer, Seen, loopback

FLOW = fs.load(EXAMPLES / "many" / "many.xml")
fetch = program("many").fetch


async def test_two_hundred_urls_are_fetched_twenty_at_a_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with loopback() as server:

        async def together(seen: Seen) -> Answer:
            await server.until(lambda: server.most == 20)
            return Answer(200, {"number": int(seen.path[1:])})

        server.pages = {f"/{number}": together for number in range(200)}
        server.answer("/3", Answer(503, {}), Answer(200, {"number": 3}))
        server.page("/50", status=404)
        with trio.fail_after(60):
            pages, failed = await fetch(FLOW, [f"{server.base}/{number}" for number in range(200)])
        assert server.most == 20
        assert failed == [f"{server.base}/50"]
    assert pages == [{"number": number} for number in range(200) if number != 50]
    assert capsys.readouterr().out.startswith("199 of 200 pages in ")


async def test_a_page_that_does_not_come_in_time_is_left_out() -> None:
    async with loopback() as server:
        server.page("/here", "text")
        server.hang("/slow")
        with trio.fail_after(60):
            found = await fetch(FLOW, [f"{server.base}/here", f"{server.base}/slow"], "1s")
        await server.until(lambda: "/slow" in server.left)
    assert found == (["text"], [])
