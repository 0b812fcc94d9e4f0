"""Owns the tests of nodes of durable runs of which little is on record: delays, and what only computes."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs


async def test_a_delay_with_a_limit_of_its_own_waits_and_gives_its_input(
    autojump_clock: Any,
) -> None:
    flow = fs.loads('<workflow name="w"><delay id="d" duration="3s" timeout="5s"/></workflow>')
    run = await fs.run(flow, input="on", store=fs.Store.memory(), run_id="r")
    assert run.output == "on"
    assert trio.current_time() == pytest.approx(3, abs=0.5)  # by the wall clock, which goes on


async def test_a_delay_that_is_longer_than_its_limit_fails_when_that_has_passed(
    autojump_clock: Any,
) -> None:
    flow = fs.loads('<workflow name="w"><delay id="d" duration="9s" timeout="5s"/></workflow>')
    with pytest.raises(trio.TooSlowError):
        await fs.run(flow, store=fs.Store.memory(), run_id="r")
    assert trio.current_time() == 5


@pytest.mark.parametrize("cleans_up", [False, True])
async def test_a_cancellation_reaches_what_only_computes(
    cleans_up: bool, autojump_clock: Any
) -> None:
    happened: list[str] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:computed", pure=True)
    async def computed(params: fs.ExecutionParams) -> Any:
        try:
            await trio.sleep(9)
        except trio.Cancelled:
            happened.append("cancelled")
            if cleans_up:
                with trio.CancelScope(shield=True):
                    await trio.sleep(1)
                happened.append("cleaned up")
            raise

    flow = fs.loads('<workflow name="w"><source:computed id="a"/></workflow>', registry=registry)
    with trio.move_on_after(2):
        await fs.run(flow, store=fs.Store.memory(), run_id="r")
    assert happened == ["cancelled", "cleaned up"][: 1 + cleans_up]
    assert trio.current_time() == 2 + cleans_up


async def test_a_node_of_a_durable_run_holds_a_token_of_the_limiter_of_the_run() -> None:
    registry = fs.Registry(base=fs.registry)
    limiter = trio.CapacityLimiter(1)

    @registry.runtime("source:seen")
    async def seen(params: fs.ExecutionParams) -> Any:
        await trio.lowlevel.checkpoint()
        return limiter.borrowed_tokens

    flow = fs.loads('<workflow name="w"><source:seen id="a"/></workflow>', registry=registry)
    run = await fs.run(flow, store=fs.Store.memory(), run_id="r", limiter=limiter)
    assert (run.output, limiter.borrowed_tokens) == (1, 0)
