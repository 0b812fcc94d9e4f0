"""What a run gives to a node that is at work in it, where it has no store."""

from __future__ import annotations

import trio
import trio.lowlevel

import flowscript_trio as fs


async def test_a_run_without_a_store_keeps_nothing_so_that_each_attempt_finds_its_own() -> None:
    registry = fs.Registry(base=fs.registry)
    found: list[object] = []

    @registry.runtime("sink:adds")
    async def adds(params: fs.ExecutionParams) -> None:
        found.append(await params.run.keep_first(f"found {len(found)}"))
        if len(found) < 3:
            raise ConnectionError("again")

    flow = fs.loads(
        '<workflow name="w"><sink:adds id="a"><on-error><retry max="2" when="true" base="1ms"/></on-error>'
        "</sink:adds></workflow>",
        registry=registry,
    )
    await fs.run(flow)
    assert found == ["found 0", "found 1", "found 2"]


async def test_what_a_runtime_gives_to_keep_is_a_checkpoint_and_can_be_cancelled() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("sink:adds")
    async def adds(params: fs.ExecutionParams) -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            await params.run.keep_first("never")
        assert scope.cancelled_caught

    flow = fs.loads('<workflow name="w"><sink:adds id="a"/></workflow>', registry=registry)
    assert (await fs.run(flow)).status == "completed"
