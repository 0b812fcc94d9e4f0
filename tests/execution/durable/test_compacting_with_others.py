"""Owns the tests of compaction beside budgets, rates, paces, streams, places, compensation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.testing.places import PlayedPlace

from crashing import EPOCH, Crashing, check_every_crash, points, undisturbed

NESTED = """<workflow name="w"><foreach id="o" collection="[1,2,3]" merge="none">
  <foreach id="i" collection="[1,2,3]"{}><source:act id="a"/></foreach></foreach><source:act id="z"/></workflow>"""
BUDGETS: dict[str, tuple[str, fs.Budget]] = {
    "iterations": (
        """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]" merge="none" max-concurrency="2">
          <source:act id="a"/></foreach><source:act id="z"/></workflow>""",
        fs.Budget(nodes=8, rounds=6),
    ),
    "iterations with outputs": (
        """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]"><source:act id="a"/></foreach>
          <source:act id="z"/></workflow>""",
        fs.Budget(nodes=8, rounds=6),
    ),
    "rounds": (
        """<workflow name="w"><loop id="l" max="6"><source:act id="a"/></loop><source:act id="z"/></workflow>""",
        fs.Budget(nodes=8, rounds=6),
    ),
    "iterations of iterations": (NESTED.format(""), fs.Budget(nodes=14, rounds=12)),
    "iterations of races": (NESTED.format(' wait="n(2)"'), fs.Budget(nodes=11, rounds=9)),
    "rounds of rounds": (
        """<workflow name="w"><loop id="o" max="3"><loop id="i" max="3"><source:act id="a"/></loop></loop>
          <source:act id="z"/></workflow>""",
        fs.Budget(nodes=14, rounds=12),
    ),
    "rounds of iterations": (
        """<workflow name="w"><loop id="o" max="3"><foreach id="i" collection="[1,2,3]"><source:act id="a"/></foreach></loop>
          <source:act id="z"/></workflow>""",
        fs.Budget(nodes=14, rounds=12),
    ),
    "a pace": (
        """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]" stagger="2s" max-concurrency="3">
          <source:act id="a" takes="3"/></foreach><source:act id="z"/></workflow>""",
        fs.Budget(nodes=8, rounds=6),
    ),
    "clean-up": (
        """<workflow name="w"><source:act id="z"/><finally><loop id="l" max="4"><source:act id="a"/></loop></finally></workflow>""",
        fs.Budget(nodes=5, rounds=4),
    ),
}
SHAPES = {
    "stagger": """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]" stagger="2s" max-concurrency="2">
      <source:act id="a" takes="3" gives="{{item}}"/></foreach></workflow>""",
    "throttle": """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]" throttle="2s" merge="none">
      <source:act id="a"/></foreach></workflow>""",
    "debounce": """<workflow name="w"><foreach id="e" collection="[1,2,3]" debounce="2s"><source:act id="a"/></foreach></workflow>""",
    "a rate": """<workflow name="w"><limit name="api" rate="1/4s" burst="2"/>
      <foreach id="e" collection="[1,2,3,4,5,6]" max-concurrency="3" merge="none"><source:act id="a" limit="api"/></foreach></workflow>""",
    "a limit around": """<workflow name="w"><limit name="api" max="1"/><foreach id="e" collection="[1,2,3,4]" merge="none">
      <loop id="l" max="2" limit="api"><source:act id="a"/></loop></foreach></workflow>""",
    "places": """<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6]" max-concurrency="2" place="far">
      <source:act id="a" gives="{{item}}"/></foreach></workflow>""",
    "time limits": """<workflow name="w"><loop id="l" max="4"><source:act id="a"/><timeout id="t" duration="99s"><source:act id="b"/></timeout></loop></workflow>""",
    "attempts": """<workflow name="w"><loop id="l" max="4"><source:act id="a" fails="no" times="1">
      <on-error><retry max="2" when="true" base="1s"/></on-error></source:act></loop></workflow>""",
}


@pytest.fixture(params=[2, 7])
def few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", request.param)


def _is_compacted(work: Crashing) -> bool:
    return any(row.kind == "compacted" for row in work.store.rows_of("r"))


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_compacts_and_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    options: dict[str, Any] = {"places": {"far": PlayedPlace()}} if shape == "places" else {}
    check_every_crash(SHAPES[shape], **options)
    assert _is_compacted(undisturbed(SHAPES[shape], **options)) or shape == "debounce"


@pytest.mark.slow
@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_that_compacts_and_dies_again_ends_as_it_must(shape: str) -> None:
    options: dict[str, Any] = {"places": {"far": PlayedPlace()}} if shape == "places" else {}
    check_every_crash(SHAPES[shape], twice=True, **options)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", BUDGETS)
def test_what_is_compacted_counts_for_the_budget_as_it_did(shape: str) -> None:
    text, budget = BUDGETS[shape]
    enough = undisturbed(text, budget=budget)
    assert enough.outcome[0] == "completed"
    assert _is_compacted(enough)
    check_every_crash(text, budget=budget)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", [shape for shape in BUDGETS if shape != "clean-up"])
def test_what_is_compacted_is_not_forgotten_by_a_budget_that_is_too_small(shape: str) -> None:
    text, budget = BUDGETS[shape]
    assert budget.nodes is not None
    small = fs.Budget(nodes=budget.nodes - 1)
    whole = undisturbed(text, budget=small)
    assert whole.outcome[:2] == ("failed", "BudgetExceeded")
    check_every_crash(text, budget=small)


@pytest.mark.slow
@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("shape", BUDGETS)
def test_what_is_compacted_counts_although_the_run_dies_again(shape: str) -> None:
    text, budget = BUDGETS[shape]
    check_every_crash(text, budget=budget, twice=True)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("bound", [12, 11])
@pytest.mark.parametrize("kind", ["foreach", "loop"])
def test_requests_of_what_is_compacted_count(kind: str, bound: int) -> None:
    body = '<source:ask id="a"/>'
    text = {
        "foreach": f'<foreach id="e" collection="[1,2,3,4,5,6]" merge="none">{body}</foreach>',
        "loop": f'<loop id="l" max="6">{body}</loop>',
    }[kind]

    def work() -> Crashing:
        made = Crashing(f'<workflow name="w">{text}</workflow>', budget=fs.Budget(requests=bound))

        @made.world.registry.runtime("source:ask")
        async def ask(params: fs.ExecutionParams) -> Any:
            params.run.count_request()
            params.run.count_request()
            await trio.sleep(1)
            return None

        return made

    whole = work()
    expected = whole.process().outcome
    assert expected[0] == ("completed" if bound == 12 else "failed")
    for at in points(whole.store.commits):
        crashing = work()
        if crashing.process(at).died:
            assert (at, crashing.process().outcome) == (at, expected)


@pytest.mark.usefixtures("few_rows")
def test_no_death_lets_more_through_than_a_rate_allows_after_compaction() -> None:
    text = """<workflow name="w"><limit name="api" rate="1/4s"/>
      <loop id="l" max="6"><source:call id="a" limit="api"/></loop></workflow>"""

    def work() -> tuple[Crashing, list[float]]:
        made, times = Crashing(text), []

        @made.world.registry.runtime("source:call")
        async def call(params: fs.ExecutionParams) -> Any:
            times.append((made.world.now() - EPOCH).total_seconds())
            await trio.sleep(0.5)

        return made, times

    whole, _ = work()
    assert whole.process().outcome[0] == "completed"
    for at in points(whole.store.commits):
        crashing, times = work()
        crashing.process(at)
        crashing.process()
        ended = sorted(set(times))
        apart = [after - before for before, after in pairwise(ended)]
        assert min(apart) >= 4 - 1e-5, (at, times)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize(
    "more", ["", ' stagger="2s"', ' throttle="2s"', ' debounce="2s"', ' batch="2"']
)
@pytest.mark.parametrize("budget", [None, fs.Budget(nodes=10, rounds=9)])
def test_items_are_given_in_their_pace_whatever_was_compacted(
    more: str, budget: fs.Budget | None
) -> None:
    text = f"""<workflow name="w"><foreach id="e" collection="$input.rows" max-concurrency="2"{more}>
      <source:act id="a" gives="{{{{item}}}}"/></foreach></workflow>"""
    items = fs.Items(lambda start: iter(range(start, 9)))
    check_every_crash(text, input={"rows": items}, budget=budget)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("more", ["", ' merge="none"', ' batch="2"', ' throttle="3s"'])
def test_a_stream_is_gone_on_with_behind_what_was_compacted(more: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"n": number}) + "\n" for number in range(9)))
    text = f"""<workflow name="w"><phase name="p"><source:file id="rows" path="{path}" stream="true"/>
      <foreach id="e" collection="rows" max-concurrency="2"{more}><source:act id="a" gives="{{{{item}}}}"/></foreach></phase></workflow>"""
    check_every_crash(text)
    assert _is_compacted(undisturbed(text))


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("also", ["", ' also="begun"'])
def test_what_owes_a_compensation_is_not_compacted(also: str) -> None:
    text = f"""<workflow name="w"><foreach id="e" collection="[1,2,3,4,5,6,7,8]" merge="none">
      <if id="i" condition="item == 2"><then><source:act id="a"><compensate{also}><source:act id="u"/></compensate></source:act></then>
      <else><source:act id="b"/></else></if></foreach><source:act id="z" after="e" fails="no"/></workflow>"""
    check_every_crash(text)
    rows = undisturbed(text).store.rows_of("r")
    assert any(row.kind == "compacted" for row in rows)
    assert [row.key for row in rows if row.kind == "completed"] == ["e[1]/i/a"]


def _slowly(count: int) -> fs.Items:
    """Items that come one every five seconds, so that each has settled before the next one comes."""

    async def items(start: int) -> AsyncIterator[int]:
        for number in range(start, count):
            await trio.sleep(5)
            yield number

    return fs.Items(items)


@pytest.mark.parametrize("batch", ["", ' batch="3"'])
def test_what_a_debounce_has_given_goes_with_its_iteration(
    batch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    text = f"""<workflow name="w"><foreach id="e" collection="$input.rows" merge="none" debounce="2s"{batch}>
      <source:act id="a"/></foreach></workflow>"""
    few, many = (
        undisturbed(text, input={"rows": _slowly(count)}).store.rows_of("r") for count in (60, 300)
    )
    assert sum(row.kind == "given" for row in many) <= 20
    assert max(len(few), len(many)) < 60


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("more", ["", ' merge="none"', ' batch="2"', ' tolerate="9"'])
def test_a_debounce_gives_the_same_items_whatever_was_compacted(more: str) -> None:
    text = f"""<workflow name="w"><foreach id="e" collection="$input.rows" debounce="2s"{more}>
      <source:act id="a" gives="{{{{item}}}}"/></foreach></workflow>"""
    check_every_crash(text, input={"rows": _slowly(6)})
    assert _is_compacted(undisturbed(text, input={"rows": _slowly(6)}))


def test_what_is_known_better_since_goes_with_the_next_compaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    text = """<workflow name="w"><foreach id="e" collection="range(0, 300)" merge="none" throttle="2s">
      <source:act id="a"/></foreach></workflow>"""
    rows = undisturbed(text).store.rows_of("r")
    assert len(rows) < 60
    assert {row.kind for row in rows} >= {"ran", "given"}
