"""Owns the tests of where a run passes checkpoints: between nodes, rounds and items, and at least once."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import assert_checkpoints

import flowscript_trio as fs

from stubs import Stubs

BODIES = {
    "a sequence": "".join(f'<source:noop id="n{number}"/>' for number in range(1000)),
    "a loop": '<loop id="l" max="1000"><source:noop id="n"/></loop>',
    "a while": '<while id="w" condition="true" max="1000"><source:noop id="n"/></while>',
    "rounds without nodes": '<loop id="l" max="1000"></loop>',
    "a foreach": '<foreach id="f" collection="range(1000)"><source:noop id="n"/></foreach>',
    "choices": """<loop id="l" max="1000">
      <if id="i" condition="true"><then><source:noop id="n"/></then></if></loop>""",
}


async def noop(params: fs.ExecutionParams) -> None:
    """Nothing, and no checkpoint."""


def load(body: str) -> fs.Flow:
    stubs = Stubs()
    stubs.registry.runtime("source:noop")(noop)
    return stubs.load(body)


@pytest.mark.parametrize("name", BODIES)
async def test_nodes_that_never_wait_let_others_run_and_can_be_cancelled(
    name: str, autojump_clock: Any
) -> None:
    flow = load(f'<parallel id="p"><branch>{BODIES[name]}</branch></parallel>')
    ended = False

    async def run() -> None:
        nonlocal ended
        await fs.run(flow)
        ended = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        for _ in range(20):
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert not ended


@pytest.mark.parametrize(
    "body",
    [
        '<source:noop id="n"/>',
        '<parallel id="p"><branch><source:noop id="n"/></branch></parallel>',
        '<set var="x" value="1"/>',
    ],
)
async def test_a_run_is_a_checkpoint(body: str) -> None:
    flow = load(body)
    with assert_checkpoints():
        await fs.run(flow)


async def test_ctrl_c_may_interrupt_a_runtimes_own_code_but_not_that_of_a_built_in_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = {}

    async def look(self: object, params: fs.ExecutionParams) -> None:
        seen[params.node.type] = trio.lowlevel.currently_ki_protected()

    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:own")
    async def own(params: fs.ExecutionParams) -> None:
        await look(None, params)

    monkeypatch.setattr(type(fs.registry.get_runtime("source:http")), "execute", look)
    flow = fs.loads(
        '<workflow name="w"><source:own id="a"/><source:http id="b" url="http://a"/></workflow>',
        registry=registry,
    )
    await fs.run(flow)
    assert seen == {"source:own": False, "source:http": True}
