"""Owns the test of the example that races mirrors: the first answer is written, the others are given up."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

import flowscript_trio as fs

from exampling import EXAMPLES
from loopback import loopback

FLOW = fs.load(EXAMPLES / "etl" / "etl.xml")
ORDERS = [
    {"id": 1, "status": "open", "price": 2.5, "count": 3},
    {"id": 2, "status": "closed", "price": 1, "count": 1},
    {"id": 3, "status": "open", "price": 0.1, "count": 3},
]


async def test_the_first_mirror_that_answers_is_taken_and_the_others_are_left(
    tmp_path: Path,
) -> None:
    async with loopback() as server:
        server.hang("/slow")
        server.page("/broken", status=503)
        server.page("/quick", ORDERS)
        mirrors = [f"{server.base}/{name}" for name in ("slow", "broken", "quick")]
        with trio.fail_after(20):
            run = await fs.run(FLOW, config={"mirrors": mirrors}, base=tmp_path)
            await server.until(lambda: server.left == ["/slow"])
    assert run.output == {"orders": 3, "written": 2}
    written = (await trio.Path(tmp_path / "open.csv").read_text()).splitlines()
    assert written == ["id,total", "1,7.5", "3,0.3"]
    assert [one.status for one in run.record["race[0]/orders"]] == ["cancelled"]


async def test_when_all_mirrors_fail_nothing_is_written(tmp_path: Path) -> None:
    async with loopback() as server:
        server.page("/broken", status=503)
        config = {"mirrors": [f"{server.base}/broken", f"{server.base}/missing"]}
        with pytest.raises(fs.HTTPStatusError):
            await fs.run(FLOW, config=config, base=tmp_path)
    assert not await trio.Path(tmp_path / "open.csv").exists()
