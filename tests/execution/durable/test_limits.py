"""Owns the tests of limits with names over several processes: they are taken again, and no rate begins anew."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs

from crashing import Crashing, check_every_crash, points, undisturbed

MAX = '<limit name="api" max="1"/>'
RATE = '<limit name="api" rate="1/4s" burst="2"/>'
SHAPES = {
    "nodes": f"""<workflow name="w">{MAX}<parallel id="p">
      <branch><source:act id="a" limit="api"/><source:act id="a2" limit="api"/></branch>
      <branch><source:act id="b" takes="3" limit="api"/></branch></parallel></workflow>""",
    "blocks": f"""<workflow name="w">{MAX}<parallel id="p">
      <branch><if id="i" condition="true" limit="api"><then><source:act id="a"/><source:act id="a2"/></then></if>
        <source:act id="z" takes="5"/></branch>
      <branch><loop id="l" max="2" limit="api"><source:act id="b"/></loop></branch></parallel></workflow>""",
    "blocks that are cancelled": f"""<workflow name="w">{MAX}<parallel id="p" wait="any">
      <branch><parallel id="q" limit="api"><branch>
        <source:act id="a" takes="9"/><finally><source:act id="fa"/></finally></branch>
        </parallel></branch>
      <branch><source:act id="r0"/><parallel id="r" limit="api"><branch>
        <source:act id="b" takes="9"/><finally><source:act id="fb"/></finally></branch>
        </parallel></branch>
      <branch><source:act id="c" takes="3"/></branch></parallel></workflow>""",
    "attempts": f"""<workflow name="w">{MAX}<parallel id="p">
      <branch><source:act id="a" fails="no" times="1" limit="api">
        <on-error><retry max="3" when="true" base="1s"/></on-error>
        </source:act></branch><branch><source:act id="b" limit="api"/></branch></parallel></workflow>""",
    "a block tried again": f"""<workflow name="w">{MAX}<parallel id="p" limit="api">
      <branch><source:act id="a"/></branch><branch><source:act id="b" takes="2" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
    "rates": f"""<workflow name="w">{RATE}<foreach id="e" collection="[1,2,3,4,5]" max-concurrency="3">
      <source:act id="a" limit="api"/></foreach></workflow>""",
    "rates and attempts": f"""<workflow name="w">{RATE}<source:act id="a" fails="no" times="3" limit="api">
      <on-error><retry max="3" when="true" base="1s"/></on-error></source:act></workflow>""",
    "computing nodes": f"""<workflow name="w">{RATE}<foreach id="e" collection="[1,2,3,4]">
      <transform:template id="t" template="{{{{item}}}}" limit="api"/><source:act id="a"/></foreach></workflow>""",
    "two together": """<workflow name="w"><limit name="x" max="2"/><limit name="y" rate="1/2s"/>
      <foreach id="e" collection="[1,2,3,4]" max-concurrency="4">
      <source:act id="a" limit="x y"/></foreach></workflow>""",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_limits_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape])


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_limits_that_dies_again_in_its_resumption_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], twice=True)


class Calls:
    """A runtime that notes when it begins, by the wall clock. ``repeatable``: doing it again does no harm."""

    def __init__(self, crashing: Crashing, repeatable: bool) -> None:
        self.times: list[float] = []
        self.at_once = self.most = 0
        self._crashing = crashing
        self._repeatable = repeatable
        registry = crashing.world.registry = fs.Registry(base=fs.registry)
        registry.register("source:call", self)
        self.type = "source:call"
        self.config = None
        self.reads_only = False
        self.timeout = None

    def is_repeatable(self, config: Any) -> bool:
        return self._repeatable

    async def execute(self, params: fs.ExecutionParams) -> Any:
        self.times.append(self._crashing.world.now().timestamp())
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await trio.sleep(0.5)
        finally:
            self.at_once -= 1

    def check(self, burst: int, apart: float) -> None:
        """No more than the burst and the rate allow have ever begun."""
        for first, begun in enumerate(self.times):
            for last in range(first, len(self.times)):
                allowed = burst + (self.times[last] - begun) / apart
                assert last - first + 1 <= allowed + 1e-9, self.times


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize("burst", [1, 3])
def test_no_death_lets_more_through_than_a_rate_allows(burst: int, repeatable: bool) -> None:
    text = f"""<workflow name="w"><limit name="api" rate="1/4s" burst="{burst}"/>
      <foreach id="e" collection="[1,2,3,4,5,6]" max-concurrency="3"><source:call id="a" limit="api"/>
      </foreach></workflow>"""
    whole = Crashing(text)
    Calls(whole, repeatable).check(burst, 4)
    assert whole.process().run is not None
    for at in points(whole.store.commits):
        for later in (0.0, 2.5, 100.0):
            crashing = Crashing(text)
            calls = Calls(crashing, repeatable)
            crashing.process(at)
            last = crashing.process(later=later)
            assert last.run is not None, last.error
            calls.check(burst, 4)


def test_a_rate_goes_on_as_if_no_process_had_died() -> None:
    text = f"""<workflow name="w">{RATE}<foreach id="e" collection="[1,2,3,4,5]">
      <source:act id="a" limit="api"/></foreach></workflow>"""
    crashing = Crashing(text)
    assert crashing.process(("before", 4)).died
    last = crashing.process()
    whole = undisturbed(text)
    assert last.run is not None
    assert whole.world.offset == 13
    assert last.run.duration == pytest.approx(13, abs=1e-4)


def test_a_limit_holds_for_all_runs_that_are_resumed_in_one_process() -> None:
    text = '<workflow name="w"><source:call id="a" limit="api"/><source:call id="b" limit="api"/></workflow>'
    crashing = Crashing(text)
    calls = Calls(crashing, repeatable=False)
    flow = fs.loads(text, registry=crashing.world.registry)

    async def begin() -> None:
        async with trio.open_nursery() as nursery:
            for name in ("r1", "r2"):
                nursery.start_soon(_begin, name)

    async def _begin(name: str) -> None:
        async with fs.open_run(
            flow, store=crashing.store, run_id=name, limits={"api": fs.Limit(max=1)}
        ) as run:
            await trio.sleep(0.2)
            run.leave()

    async def go_on() -> None:
        limit = fs.Limit(max=1)
        async with trio.open_nursery() as nursery:
            for name in ("r1", "r2"):
                nursery.start_soon(_go_on, name, limit)

    async def _go_on(name: str, limit: fs.Limit) -> None:
        registry = crashing.world.registry
        run = await fs.resume(crashing.store, name, registry=registry, limits={"api": limit})
        assert run.status == "completed"

    clock = trio.testing.MockClock(autojump_threshold=0)
    trio.run(begin, clock=clock)
    calls.most = 0
    trio.run(go_on, clock=trio.testing.MockClock(autojump_threshold=0))
    assert calls.most == 1


def test_a_block_that_an_open_circuit_refused_stays_refused() -> None:
    text = """<workflow name="w"><limit name="api" breaker="1 in 1m, 30s"/>
      <source:act id="a" fails="no" limit="api"><on-error><fallback node="f"/></on-error></source:act>
      <source:act id="f"/>
      <if id="i" condition="true" limit="api" after="a"><then><source:act id="b"/></then>
        <on-error><fallback node="g"/></on-error></if><source:act id="g"/>
      <source:act id="z" after="i" gives="{{i}}"/></workflow>"""
    whole = undisturbed(text)
    assert whole.outcome == ("completed", "g")
    refused = 0
    for at in points(whole.store.commits):
        crashing = Crashing(text)
        crashing.process(at)
        kept = [row.key for row in crashing.store.rows_of("r") if row.kind == "failed"]
        if "i" in kept:
            refused += 1
            assert crashing.process().outcome == ("completed", "g")
    assert refused
