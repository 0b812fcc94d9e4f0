"""Context variables: every branch, iteration, node and attempt in its own copy of the caller's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar, Token
from typing import Any

import pytest
import trio
import trio.lowlevel
from trio._core import _run
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.types.events import Event, NodeEnded, NodeStarted

TENANT: ContextVar[str] = ContextVar("tenant", default="nobody")
registry = fs.Registry(base=fs.registry)


@registry.runtime("source:sees")
async def sees(params: fs.ExecutionParams) -> str:
    found = TENANT.get()
    if "set" in params.config:
        TENANT.set(str(params.config["set"]))
        if "at_once" not in params.config:
            await trio.sleep(1)
        assert TENANT.get() == str(params.config["set"])
    if params.config.get("fails"):
        raise ValueError(found)
    return found


BODIES = {
    "a sequence": (
        '<if id="x" condition="true"><then><source:sees id="a" set="A"/><source:sees id="b"/></then></if>'
    ),
    "a graph": '<source:sees id="a" set="A"/><source:sees id="c" set="C"/><source:sees id="b" after="a c"/>',
    "a foreach": '<foreach id="b" collection="[1,2,3]"><source:sees id="a" set="{{item}}"/></foreach>',
    "workers": (
        '<foreach id="b" collection="range(9)" maxConcurrency="2">'
        '<source:sees id="a" set="{{item}}"/></foreach>'
    ),
    "branches": (
        '<parallel id="b" maxConcurrency="1"><branch><source:sees id="a" set="A"/></branch>'
        '<branch><source:sees id="c"/></branch></parallel>'
    ),
    "workers that never wait": (
        '<foreach id="b" collection="range(9)" maxConcurrency="2">'
        '<source:sees id="a" set="{{item}}" at-once="1"/></foreach>'
    ),
    "nodes of a graph for which workers come": (
        '<source:sees id="x" set="A" at-once="1"/>'
        + "".join(f'<source:sees id="{name}" set="{name}" after="x"/>' for name in "abc")
        + '<source:sees id="z" after="a b c"/>'
    ),
    "a handler of a time limit": (
        '<foreach id="b" collection="range(4)" maxConcurrency="2"><timeout id="t" duration="500ms" '
        'on-timeout="f"><source:sees id="n" set="A"/></timeout></foreach><source:sees id="f"/>'
    ),
    "branches beyond one burst": (
        '<parallel id="b" maxConcurrency="unlimited">'
        + "".join(f'<branch><source:sees id="n{i}" set="A"/></branch>' for i in range(250))
        + "</parallel>"
    ),
    "rounds": '<loop id="b" max="3"><source:sees id="a" set="{{$iteration}}"/></loop>',
    "a fallback": (
        '<source:sees id="b" set="A" fails="true"><on-error><fallback node="f"/></on-error></source:sees>'
        '<source:sees id="f"/>'
    ),
    "another attempt": (
        '<source:sees id="a" set="A" fails="true"><on-error><retry max="1" when="error.message == \'caller\'"/>'
        '<fallback node="f"/></on-error></source:sees><transform:template id="f" template="{{$error.message}}"/>'
    ),
    "clean-up": '<source:sees id="a" set="A"/><finally><source:sees id="z"/></finally>',
}


@pytest.mark.parametrize("kind", BODIES)
def test_what_a_node_sets_is_seen_by_nobody_after_it(kind: str) -> None:
    flow = fs.loads(f'<workflow name="w">{BODIES[kind]}</workflow>', registry=registry)

    async def main() -> Any:
        TENANT.set("caller")
        run = await fs.run(flow)
        assert TENANT.get() == "caller"
        return run

    for seed in range(10):
        _run._r.seed(seed)
        run = trio.run(main, clock=MockClock(autojump_threshold=0))
        seen = [result.output for result in run.record if result.label in ("a", "b", "c", "z", "f")]
        flat = [
            each for output in seen for each in (output if isinstance(output, list) else [output])
        ]
        assert set(flat) == {"caller"}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_collection_is_walked_in_the_context_of_its_block(asynchronous: bool) -> None:
    seen: list[str] = []

    def plain() -> Iterator[int]:
        for number in range(6):
            seen.append(TENANT.get())
            TENANT.set(f"item {number}")
            yield number

    async def items() -> AsyncIterator[int]:
        for number in plain():
            await trio.lowlevel.checkpoint()
            yield number

    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="$input" maxConcurrency="2"><source:sees id="a" set="x"/>'
        "</foreach></workflow>",
        registry=registry,
    )

    async def main() -> Any:
        TENANT.set("caller")
        return (await fs.run(flow, input=items() if asynchronous else plain())).output

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == ["caller"] * 6
    assert seen == ["caller", *(f"item {number}" for number in range(5))]


def test_what_an_observer_sets_at_the_start_of_a_node_is_the_nodes_and_what_it_holds() -> None:
    tokens: dict[int, Token[str]] = {}

    def observer(event: Event) -> None:
        if isinstance(event, NodeStarted):
            tokens[event.execution] = TENANT.set(f"{TENANT.get()}/{event.node.label}")
        elif isinstance(event, NodeEnded):
            TENANT.reset(tokens[event.execution])  # raises where that is another context

    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><source:sees id="a"/><source:sees id="b"/></branch>'
        '<branch><if id="i" condition="true"><then><source:sees id="c"/></then></if></branch></parallel>'
        "</workflow>",
        registry=registry,
    )

    async def main() -> fs.Run:
        TENANT.set("caller")
        return await fs.run(flow, observers=[observer])

    run = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [run.results[name].output for name in "abc"] == [
        "caller/p/a",
        "caller/p/b",
        "caller/p/i/c",
    ]


def test_a_child_task_of_a_node_sees_what_the_node_has_set() -> None:
    own = fs.Registry(base=registry)

    @own.runtime("source:parent")
    async def parent(params: fs.ExecutionParams) -> list[str]:
        seen: list[str] = []
        TENANT.set("parent")

        async def child() -> None:
            seen.append(TENANT.get())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        await trio.to_thread.run_sync(lambda: seen.append(TENANT.get()))
        return seen

    flow = fs.loads(
        '<workflow name="w"><source:parent id="a"/><source:sees id="b" after="a"/></workflow>',
        registry=own,
    )
    run = trio.run(fs.run, flow)
    assert run.results["a"].output == ["parent", "parent"]
    assert run.output == "nobody"
