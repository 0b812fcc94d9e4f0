"""Owns the tests of budgets over several processes: counts go on, and what was exceeded stays exceeded."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.types.events import CancelRequested

from crashing import Crashing, check_every_crash, points, undisturbed

ROUNDS = """<workflow name="w"><loop id="l" max="9"><source:act id="c"/></loop>
  <finally><source:act id="f"/></finally></workflow>"""
SHAPES: dict[str, tuple[str, fs.Budget]] = {
    "enough": (
        """<workflow name="w"><source:act id="a"/><loop id="l" max="3" after="a"><source:act id="c"/></loop>
          <finally><source:act id="f"/></finally></workflow>""",
        fs.Budget(nodes=5, rounds=3, seconds=9, cleanup=2, record_bytes=100_000, output_bytes=9000),
    ),
    "nodes": (
        """<workflow name="w"><parallel id="p">
          <branch><source:act id="a"/><source:act id="a2"/><finally><source:act id="c"/></finally></branch>
          <branch><source:act id="b" takes="3"/></branch></parallel>
          <source:act id="x" after="p"/><source:act id="y" after="x"/></workflow>""",
        fs.Budget(nodes=3),
    ),
    "rounds": (ROUNDS, fs.Budget(rounds=3)),
    "iterations": (
        """<workflow name="w"><foreach id="e" collection="[1,2,3,4]"><source:act id="a">
          <compensate><source:act id="undo"/></compensate></source:act></foreach></workflow>""",
        fs.Budget(rounds=2),
    ),
    "attempts": (
        """<workflow name="w"><source:act id="a" fails="no"><on-error><retry max="9" when="true" base="1s"/>
          <fallback node="f"/></on-error></source:act><source:act id="f"/></workflow>""",
        fs.Budget(nodes=4),
    ),
    "seconds": (
        """<workflow name="w"><source:act id="a"><compensate><source:act id="u"/></compensate></source:act>
          <source:act id="b" takes="2" after="a"/><source:act id="c" takes="9" after="b"/>
          <finally><source:act id="f"/></finally></workflow>""",
        fs.Budget(seconds=5),
    ),
    "clean-up": (
        """<workflow name="w"><source:act id="a"/><finally><source:act id="f"/><source:act id="g"/>
          <source:act id="h"/></finally></workflow>""",
        fs.Budget(nodes=2),
    ),
    "nodes in a choice": (
        """<workflow name="w"><source:act id="a"/><if id="i" condition="true" after="a"><then>
          <source:act id="b"/><source:act id="c"/></then></if></workflow>""",
        fs.Budget(nodes=3),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_dies_at_any_commit_has_spent_as_much(shape: str) -> None:
    text, budget = SHAPES[shape]
    check_every_crash(text, budget=budget)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_dies_again_in_its_resumption_has_spent_as_much(shape: str) -> None:
    text, budget = SHAPES[shape]
    check_every_crash(text, budget=budget, twice=True)


def test_that_the_budget_is_exceeded_is_on_disk_before_anything_is_cancelled() -> None:
    text, budget = SHAPES["nodes"]
    crashing = Crashing(text, budget=budget)
    crashing.process()
    kinds = [row.kind for row in crashing.store.rows_of("r")]
    assert kinds.index("exceeded") < kinds.index("cancelling")
    whole = undisturbed(text, budget=budget)
    for at in points(whole.store.commits):
        first = Crashing(text, budget=budget)
        died = first.process(at)
        reasons = [e.cancellation.reason for e in died.events if isinstance(e, CancelRequested)]
        written = [row.kind for row in first.store.rows_of("r")]
        assert "exceeded" in written or not any("budget" in reason for reason in reasons)


def test_the_time_between_two_processes_does_not_count() -> None:
    text = """<workflow name="w"><source:act id="a" takes="3"/>
      <source:act id="b" takes="4" after="a"/></workflow>"""
    crashing = Crashing(text, budget=fs.Budget(seconds=8))
    assert crashing.process(("after", 2)).died
    last = crashing.process(later=1000)
    assert last.run is not None
    assert last.run.status == "completed"
    assert last.run.duration == 7
    assert last.run.elapsed == 1007
    ended = crashing.process(later=50)
    assert ended.run is not None
    assert (ended.run.duration, ended.run.elapsed) == (7, 1007)


def test_the_time_in_which_every_process_was_at_work_counts() -> None:
    text = """<workflow name="w"><source:act id="a" takes="3"/>
      <source:act id="b" takes="4" after="a"/></workflow>"""
    crashing = Crashing(text, budget=fs.Budget(seconds=6))
    assert crashing.process(("after", 2)).died
    last = crashing.process(later=1000)
    assert isinstance(last.error, fs.BudgetExceeded)
    assert last.error.bound == "seconds"


def test_a_run_that_was_left_has_its_time_on_record() -> None:
    text = '<workflow name="w"><source:act id="a" takes="9"/></workflow>'
    crashing = Crashing(text)

    async def leave(run: fs.Run) -> None:
        await trio.sleep(5)
        run.leave()

    assert crashing.process(during=leave).run.status == "suspended"
    last = crashing.process()
    assert last.run is not None
    assert last.run.duration == 14


def _asking(sent: list[str]) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:ask")
    async def ask(params: fs.ExecutionParams) -> Any:
        for _ in range(2):
            params.run.count_request()
            sent.append(params.node.label)
        await trio.sleep(1)
        return 1

    return registry


@pytest.mark.parametrize("most", [4, 5])
def test_requests_of_earlier_processes_count(most: int) -> None:
    sent: list[str] = []
    text = """<workflow name="w"><source:ask id="a"/><source:ask id="b" after="a"/>
      <source:ask id="c" after="b"/></workflow>"""
    crashing = Crashing(text, budget=fs.Budget(requests=most))
    crashing.world.registry = _asking(sent)
    assert crashing.process(("after", 3)).died
    assert sent == ["a", "a", "b", "b"]  # c had begun, and sent nothing
    last = crashing.process()
    assert isinstance(last.error, fs.BudgetExceeded)
    assert (last.error.bound, last.error.path) == ("requests", "c")
    assert len(sent) == most


async def test_a_run_keeps_its_budget_for_whoever_resumes_it(autojump_clock: Any) -> None:
    crashing = Crashing(ROUNDS)
    flow = fs.loads(ROUNDS, registry=crashing.world.registry)
    options: dict[str, Any] = {
        "store": crashing.store,
        "run_id": "r",
        "budget": fs.Budget(rounds=3),
    }
    crashing.die_at = ("before", 2)
    with pytest.raises(fs.StoreFailed):
        await fs.run(flow, **options)
    crashing.die_at = ("before", crashing.store.commits + 2)
    with pytest.raises(fs.StoreFailed):
        await fs.resume(crashing.store, "r", registry=crashing.world.registry)
    crashing.die_at = None
    with pytest.raises(fs.BudgetExceeded, match="budget of 3"):
        await fs.resume(crashing.store, "r", registry=crashing.world.registry)


async def test_whoever_resumes_a_run_may_give_it_another_budget(autojump_clock: Any) -> None:
    crashing = Crashing(ROUNDS)
    flow = fs.loads(ROUNDS, registry=crashing.world.registry)
    crashing.die_at = ("before", 2)
    with pytest.raises(fs.StoreFailed):
        await fs.run(flow, store=crashing.store, run_id="r", budget=fs.Budget(rounds=3))
    more = fs.Budget(rounds=9)
    run = await fs.resume(crashing.store, "r", registry=crashing.world.registry, budget=more)
    assert run.status == "completed"
