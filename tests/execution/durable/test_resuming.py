"""Owns the tests of resumed runs: what had ended stands, what had begun goes on, and blocks judge as they had."""

from __future__ import annotations

from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.journal.store import Store


async def test_a_run_that_ended_gives_its_outcome(autojump_clock: Any) -> None:
    done = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:a")
    async def a(params: fs.ExecutionParams) -> Any:
        done.append(params.node.id)
        await trio.sleep(1)
        return {"x": 1}

    flow = fs.loads(
        '<workflow name="w"><source:a id="one"/><source:a id="two" input="one"/></workflow>',
        registry=registry,
    )
    store = Store.memory()
    run = await fs.run(flow, store=store, run_id="r")
    assert run.output == {"x": 1}
    again = await fs.run(flow, store=store, run_id="r")
    assert again.output == {"x": 1}
    assert done == ["one", "two"]
