"""Runs inside of nodes that hold limits, or tokens of a limiter: what they may need beside what others hold."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs


class Works:
    """``source:work``: it takes a second; when each has begun is in ``times``."""

    def __init__(self) -> None:
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:work")(self.execute)
        self.times: list[float] = []
        self.origin = trio.current_time()

    def load(self, body: str) -> fs.Flow:
        return fs.loads(f'<workflow name="w">{body}</workflow>', registry=self.registry)

    async def execute(self, params: fs.ExecutionParams) -> None:
        self.times.append(round(trio.current_time() - self.origin, 9))
        await trio.sleep(1)


class Nested:
    """``source:nested``: it runs ``inner`` with its options, a second after it has begun."""

    def __init__(self, inner: str, **options: Any) -> None:
        self.works = Works()
        self.inner = self.works.load(inner)
        self.options = options
        self.works.registry.runtime("source:nested")(self.execute)
        self.flow = self.works.load('<source:nested id="n"/>')
        self.limited = self.works.load('<source:nested id="n" limit="a"/>')

    async def execute(self, params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        await fs.run(self.inner, **self.options)


HOLDS_B_NEEDS_A = (
    '<foreach id="f" collection="{{[1]}}" limit="b"><source:work id="s" limit="a"/></foreach>'
)
NEEDS_A = '<source:work id="s" limit="a"/>'
HOLDS = '<foreach id="f" collection="{{[1]}}" limit="%s"><source:work id="s"/></foreach>'


async def test_a_run_inside_of_a_node_cannot_need_what_is_held_while_the_token_of_that_node_is_needed(
    autojump_clock: MockClock,
) -> None:
    limiter, a = trio.CapacityLimiter(1), fs.Limit(max=1)
    nested = Nested(NEEDS_A, limits={"a": a})
    other = nested.works.load(HOLDS % "a")
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:

            async def beside() -> None:
                await trio.sleep(0.5)
                await fs.run(other, limits={"a": a}, limiter=limiter)

            nursery.start_soon(beside)
            with pytest.raises(fs.InputError, match="'limiter=' is held while 'a' is needed"):
                await fs.run(nested.flow, limiter=limiter)
    await fs.run(nested.flow, limiter=limiter)  # beside nothing that holds what it needs


async def test_a_limiter_is_one_whether_a_run_has_it_by_name_or_as_its_own(
    autojump_clock: MockClock,
) -> None:
    one, other = trio.CapacityLimiter(1), trio.CapacityLimiter(1)
    with trio.fail_after(100):
        by_name = Nested(NEEDS_A, limits={"a": one})
        with pytest.raises(fs.InputError, match="without end"):
            await fs.run(by_name.flow, limiter=one)
        await fs.run(by_name.flow, limiter=other)
        as_its_own = Nested('<source:work id="s"/>', limiter=one)
        with pytest.raises(fs.InputError, match="without end"):
            await fs.run(as_its_own.limited, limits={"a": one})
        await fs.run(as_its_own.limited, limits={"a": other})


async def test_runs_that_hold_the_limiter_of_another_run_do_not_run_beside_each_other(
    autojump_clock: MockClock,
) -> None:
    works = Works()
    a, limiter = fs.Limit(max=1), trio.CapacityLimiter(1)
    first = works.load(HOLDS % "a")
    second = works.load(HOLDS_B_NEEDS_A)  # it needs a inside
    with trio.fail_after(100):
        async with fs.open_run(first, limits={"a": a}, limiter=limiter) as run:
            with pytest.raises(fs.InputError, match="without end"):
                await fs.run(second, limits={"a": a, "b": limiter})
            await run.wait()
        await fs.run(second, limits={"a": a, "b": limiter})


async def test_who_holds_a_token_that_is_awaited_goes_past_those_who_wait_for_it(
    autojump_clock: MockClock,
) -> None:
    """One holds b and waits for a token; another waits for a and b; whoever has the token needs a."""
    limiter, a, b = trio.CapacityLimiter(1), fs.Limit(max=1), fs.Limit(max=1)
    nested = Nested(NEEDS_A, limits={"a": a})
    holder = nested.works.load(HOLDS % "b")
    both = nested.works.load('<source:work id="s" limit="a b"/>')
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: fs.run(nested.flow, limiter=limiter))
            await trio.sleep(0.1)
            nursery.start_soon(lambda: fs.run(holder, limits={"b": b}, limiter=limiter))
            await trio.sleep(0.1)
            nursery.start_soon(lambda: fs.run(both, limits={"a": a, "b": b}))
    assert nested.works.times == [1, 2, 3]


async def test_one_that_waits_goes_past_once_another_begins_to_wait_for_the_token_that_it_holds(
    autojump_clock: MockClock,
) -> None:
    """One that holds b has failed, and will ask for the token again; whoever has it waits for a, behind both."""
    limiter, a, b = trio.CapacityLimiter(1), fs.Limit(max=1), fs.Limit(max=1)
    nested = Nested(NEEDS_A, limits={"a": a})
    works = nested.works
    calls = 0

    @works.registry.runtime("source:fails-once")
    async def fails_once(params: fs.ExecutionParams) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionRefusedError

    holder = works.load(
        '<foreach id="f" collection="{{[1]}}" limit="b"><source:fails-once id="s"><on-error>'
        '<retry max="1" base="3s" jitter="none"/></on-error></source:fails-once></foreach>'
    )
    both = works.load('<source:work id="s" limit="a b"/>')
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: fs.run(holder, limits={"b": b}, limiter=limiter))
            await trio.sleep(0.1)
            nursery.start_soon(lambda: fs.run(both, limits={"a": a, "b": b}))
            nursery.start_soon(lambda: fs.run(nested.flow, limiter=limiter))
    assert works.times == [3, 4]


async def test_a_node_that_has_ended_holds_no_token_of_the_limiter(
    autojump_clock: MockClock,
) -> None:
    """What it has left behind in a nursery of the application may run what it likes."""
    works = Works()
    limiter = trio.CapacityLimiter(1)
    inner = works.load(NEEDS_A)

    async with trio.open_nursery() as nursery:

        async def later() -> None:
            await trio.sleep(1)
            await fs.run(inner, limits={"a": limiter})

        @works.registry.runtime("source:leaves")
        async def leaves(params: fs.ExecutionParams) -> None:
            nursery.start_soon(later)

        await fs.run(works.load('<source:leaves id="n"/>'), limiter=limiter)
