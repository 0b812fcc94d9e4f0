"""Owns the test of the example that fetches everything: two at a time, and a failure cancels the others."""

from __future__ import annotations

import pytest
import trio

import flowscript_trio as fs

from exampling import EXAMPLES
from loopback import loopback

FLOW = fs.load(EXAMPLES / "fetch_all" / "fetch_all.xml")


async def test_three_pages_are_fetched_two_at_a_time() -> None:
    async with loopback() as server:
        for name in ("users", "weather", "quotes"):
            server.page(f"/{name}", {"page": name})
        run = await fs.run(FLOW, config={"base": server.base})
        assert run.output == [{"page": "users"}, {"page": "weather"}, {"page": "quotes"}]
        assert server.most <= 2


async def test_a_page_that_fails_ends_the_requests_that_wait() -> None:
    async with loopback() as server:
        server.hang("/users")
        server.page("/weather", {"error": "broken"}, status=500)
        with trio.fail_after(20), pytest.raises(fs.HTTPStatusError) as caught:
            await fs.run(FLOW, config={"base": server.base})
        await server.until(lambda: server.left == ["/users"])
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert (failure.node, failure.branch) == ("api2", "fetch-all/1")
    assert [one.id for one in failure.cancelled] == ["api1"]
    assert [seen.path for seen in server.seen].count("/quotes") == 0
