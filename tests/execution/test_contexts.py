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
from flowscript_trio.runtimes.types import NodeRuntime
from flowscript_trio.types import events
from flowscript_trio.types.events import Event, NodeEnded, NodeStarted, RunEnded, RunStarted
from flowscript_trio.types.paths import is_within

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


OBSERVED = """<workflow name="w">
  <parallel id="both" tolerate="1" maxConcurrency="2">
    <branch>
      <source:sees id="a"><on-error><retry max="1" when="true"/></on-error></source:sees><source:sees id="b"/>
      <source:sees id="bad" fails="1"><on-error><retry max="1" when="true"/></on-error></source:sees>
    </branch>
    <branch><loop id="rounds" max="2"><source:sees id="c"/><source:sees id="d"/></loop></branch>
  </parallel>
  <foreach id="each" collection="range(5)" maxConcurrency="2" after="both">
    <source:sees id="e"/><source:sees id="g"/>
  </foreach>
  <parallel id="race" wait="any" after="each">
    <branch><delay id="slow" duration="1h"/></branch><branch><source:sees id="h"/><source:sees id="i"/></branch>
  </parallel>
  <source:sees id="last" fails="1" after="race"/>
  <finally><source:sees id="j"/><source:sees id="k"/></finally>
</workflow>"""
KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_an_observer_sets_at_an_event_ends_with_what_the_event_is_of(
    kind: type[Event], limited: bool
) -> None:
    flow = fs.loads(OBSERVED, registry=registry)
    happened: list[tuple[str, str, str]] = []

    def observer(event: Event) -> None:
        happened.append((type(event).__name__, event.path, TENANT.get()))
        if type(event) is kind:
            TENANT.set(event.path)

    async def main() -> tuple[str, list[tuple[str, str]]]:
        TENANT.set("caller")
        limiter = trio.CapacityLimiter(1) if limited else None
        with pytest.raises(ValueError, match=r"caller|last") as caught:
            await fs.run(flow, observers=[observer], limiter=limiter)
        failure = fs.failure_of(caught.value)
        assert failure is not None
        return TENANT.get(), [
            (result.path, result.output)
            for result in failure.record
            if result.label in set("abcdeghijk") and result.status == "success"
        ]

    after, seen = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert after == "caller"
    for what, path, found in [*happened, *(("a node", *each) for each in seen)]:
        assert found == "caller" or is_within(path, found), (what, path, found)


def test_what_an_observer_sets_for_a_node_is_that_although_it_equals_what_was_there() -> None:
    bag: ContextVar[list[str]] = ContextVar("bag")
    own = fs.Registry(base=fs.registry)

    @own.runtime("source:puts")
    async def puts(params: fs.ExecutionParams) -> list[str]:
        bag.get().append(params.node.label)
        return bag.get()

    def observer(event: Event) -> None:
        if isinstance(event, NodeStarted):
            bag.set([])

    async def main() -> tuple[fs.Run, list[str]]:
        outer: list[str] = []
        bag.set(outer)
        text = '<workflow name="w"><source:puts id="a"/><source:puts id="b"/></workflow>'
        return await fs.run(fs.loads(text, registry=own), observers=[observer]), outer

    run, outer = trio.run(main)
    assert (run.results["a"].output, run.results["b"].output, outer) == (["a"], ["b"], [])


def test_a_span_of_a_run_is_that_of_its_nodes_and_resources_and_gone_with_it() -> None:
    own = fs.Registry(base=fs.registry)
    opened: list[str] = []
    tokens: list[Token[str]] = []

    @own.runtime("source:opens")
    async def opens(params: fs.ExecutionParams) -> str:
        await params.run.resource("it", lambda: opened.append(TENANT.get()))
        return TENANT.get()

    def observer(event: Event) -> None:
        if isinstance(event, RunStarted):
            tokens.append(TENANT.set("run"))
            TENANT.set("the run")
        elif isinstance(event, RunEnded):
            assert TENANT.get() == "the run"
            TENANT.reset(tokens.pop())  # raises where that is another context
            TENANT.set("over")

    async def main() -> tuple[Any, str]:
        flow = fs.loads('<workflow name="w"><source:opens id="a"/></workflow>', registry=own)
        run = await fs.run(flow, observers=[observer])
        return run.output, TENANT.get()

    assert trio.run(main) == ("the run", "nobody")
    assert opened == ["the run"]


@pytest.mark.parametrize("observed", [False, True])
def test_what_is_around_a_control_element_sets_nothing_for_its_body_or_what_follows(
    observed: bool,
) -> None:
    async def around(runtime: NodeRuntime, params: fs.ExecutionParams) -> Any:
        found = TENANT.get()
        TENANT.set(f"around {params.node.label}")
        given = await runtime.execute(params)
        return found if runtime.type == "source:sees" else given

    flow = fs.loads(
        '<workflow name="w"><if id="i" condition="true"><then><loop id="l" max="2"><source:sees id="a"/></loop>'
        '<set var="x" value="1"/><parallel id="p"><branch><source:sees id="b"/></branch></parallel>'
        '<source:sees id="c"/></then></if></workflow>',
        registry=registry,
    )
    observers = [lambda event: None] if observed else []

    async def main() -> tuple[list[Any], str]:
        TENANT.set("caller")
        run = await fs.run(flow, registry=registry.wrapped(around), observers=observers)
        return [run.results[name].output for name in "abc"], TENANT.get()

    ended = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert ended == (["caller"] * 3, "caller")
