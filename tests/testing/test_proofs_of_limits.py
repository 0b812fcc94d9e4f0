"""Owns the tests of what a proof says of limits with names: nothing of sound ones, and every planted fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import named_limits, taking
from flowscript_trio.execution.frame import Attempt, Outcome
from flowscript_trio.execution.named_limits import Taken
from flowscript_trio.execution.walk import Walk
from flowscript_trio.program import holding
from flowscript_trio.scheduler.limits import queue
from flowscript_trio.scheduler.limits.gate import Gate
from flowscript_trio.scheduler.limits.meter import Meter
from flowscript_trio.testing import Report, prove

from planting import let_too_many_in
from stubs import Stubs

pytestmark = pytest.mark.slow

LEAVES = """
<limit name="a" max="2"/><limit name="b" max="1"/><limit name="r" rate="1/s" burst="2"/>
<foreach id="each" collection="[1, 2, 3, 4]" maxConcurrency="unlimited">
  <source:stub id="x" takes="2s" limit="a r"/>
  <source:stub id="y" takes="1s" limit="a b">
    <on-error><retry max="1" when="true" base="1s"/></on-error>
  </source:stub>
</foreach>
"""
BLOCKS = """
<limit name="outer" max="1"/><limit name="inner" max="1"/>
<parallel id="p">
  <branch><foreach id="f" collection="[1, 2]" limit="outer">
    <source:stub id="x" takes="1s" limit="inner"/></foreach></branch>
  <branch><source:stub id="y" takes="1s" limit="inner outer"/></branch>
  <branch><timeout id="t" duration="3s" limit="outer"><source:stub id="z" takes="2s"/>
    <finally><source:stub id="w" limit="inner"/></finally></timeout></branch>
  <branch><source:stub id="bad" takes="2s" fails="bad" limit="inner"/></branch>
</parallel>
"""
BREAKING = """
<limit name="api" max="2" breaker="2 in 1m, 30s"/>
<foreach id="each" collection="[1, 2, 3]" maxConcurrency="3" tolerate="3">
  <source:stub id="x" takes="1s" fails="down" limit="api">
    <on-error><retry max="1" base="1s"/></on-error></source:stub>
</foreach>
"""


def proved(body: str, **options: Any) -> Report:
    flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=Stubs().registry)
    return prove(flow, **{"most": 150, "pairs": 40, **options})


def promises(body: str, **options: Any) -> set[str]:
    found = proved(body, most=25, pairs=0, **options).violations
    return {violation.promise for violation in found}


PACED = """
<limit name="r" rate="3/7s" burst="1"/>
<foreach id="t" collection="[1, 2, 3]" maxConcurrency="3" throttle="1700ms">
  <source:stub id="x" takes="1s" limit="r"/>
</foreach>
<foreach id="d" collection="[1, 2, 3]" debounce="1s"><source:stub id="y" takes="1s"/></foreach>
"""
SOUND = {"leaves": LEAVES, "blocks": BLOCKS, "breaking": BREAKING, "paced": PACED}


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND)
def test_nothing_is_found_where_nothing_is_wrong(body: str) -> None:
    report = proved(body)
    assert report.holds, str(report)


def test_nothing_is_found_in_documents_that_share_limits(tmp_path: Path) -> None:
    part = '<limit name="a" max="1"/><source:stub id="x" takes="1s" limit="a"/>'
    (tmp_path / "part.xml").write_text(f'<workflow name="p">{part}</workflow>', encoding="utf-8")
    body = """<limit name="a" max="1"/><limit name="b" max="1"/><parallel id="p">
      <branch><call id="c" workflow="part.xml" limit="b"/></branch>
      <branch><include id="i" workflow="part.xml"/></branch>
      <branch><source:stub id="y" takes="2s" limit="a b"/></branch></parallel>"""
    text = f'<workflow name="w">{body}</workflow>'
    flow = fs.loads(text, registry=Stubs().registry, base=tmp_path)
    report = prove(flow, most=150, pairs=40)
    assert report.holds, str(report)


def test_nothing_is_found_of_limits_that_the_application_gives() -> None:
    def options() -> dict[str, Any]:
        given = {
            "a": trio.CapacityLimiter(1),
            "b": fs.Limit(max=1, rate="1/s"),
            "c": fs.Limit(max=2),
        }
        return {"limits": given, "limiter": trio.CapacityLimiter(2)}

    body = """<foreach id="f" collection="[1, 2, 3]" maxConcurrency="3" limit="c">
      <source:stub id="x" takes="1s" limit="a b"/></foreach>"""
    report = proved(body, options=options)
    assert report.holds, str(report)


HOLDS = """<limit name="a" max="2"/><limit name="b" max="1"/>
<foreach id="f" collection="[1, 2]" maxConcurrency="2" limit="a">
  <source:stub id="x" takes="1s" limit="b"/></foreach>
<source:stub id="y" takes="1s" limit="a b"/>"""


@pytest.mark.parametrize("body", [HOLDS, LEAVES, BLOCKS], ids=["holds", "leaves", "blocks"])
def test_nothing_is_found_of_limits_that_several_runs_share(body: str) -> None:
    report = proved(body, beside=2, most=80, pairs=20)
    assert report.holds, str(report)


def test_runs_beside_share_the_limits_that_the_application_gives() -> None:
    def options() -> dict[str, Any]:
        return {"limits": {"a": fs.Limit(max=1)}, "limiter": trio.CapacityLimiter(1)}

    report = proved(
        '<source:stub id="x" takes="1s" limit="a"/>', options=options, beside=2, pairs=20
    )
    assert report.holds, str(report)


# ---- planted ----

Work = Callable[[Walk, Attempt], Awaitable[Outcome]]


@pytest.mark.breaks_the_engine
def test_a_limit_that_lets_too_many_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def take_nowait(gates: tuple[Gate, ...], token: object) -> bool:
        queue._take(gates, token)
        return True

    monkeypatch.setattr(taking, "take_nowait", take_nowait)
    assert "no more hold a limit than its max" in promises(LEAVES)
    assert "no more hold a limit than its max" in promises(BLOCKS)


@pytest.mark.breaks_the_engine
def test_a_limit_that_lets_too_many_in_of_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    one = '<limit name="b" max="1"/><source:stub id="x" takes="2s" limit="b"/>'
    let_too_many_in(monkeypatch)
    assert promises(one) == set()
    assert promises(one, beside=1) == {"no more hold a limit over all runs"}


@pytest.mark.breaks_the_engine
def test_runs_that_wait_for_each_other_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_limits, "find_cycle", lambda ways: None)
    monkeypatch.setattr(holding, "find_cycle", lambda ways: None)
    one = """<limit name="a" max="2"/><foreach id="f" collection="[1]" limit="a">
      <source:stub id="w" takes="1s"/><source:stub id="x" takes="1s" limit="a"/></foreach>"""
    assert promises(one) == set()
    assert "every run ends" in promises(one, beside=1)


@pytest.mark.breaks_the_engine
def test_a_limit_that_is_given_back_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hold(walk: Walk, attempt: Attempt, taken: Taken, work: Work, *rest: Any) -> Outcome:
        token = object()
        await queue.enter(taken.gates, (), token)
        queue.leave(taken.gates, token, False)
        return await work(walk, attempt)

    monkeypatch.setattr(taking, "_hold", hold)
    assert "no more hold a limit than its max" in promises(LEAVES)
    assert "no more hold a limit than its max" in promises(BLOCKS)


@pytest.mark.breaks_the_engine
def test_a_limit_that_is_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    original = taking._hold

    async def hold(walk: Walk, attempt: Attempt, taken: Taken, work: Work, *rest: Any) -> Outcome:
        for gate in taken.gates:
            gate.taken += 1
        return await original(walk, attempt, taken, work, *rest)

    monkeypatch.setattr(taking, "_hold", hold)
    one = '<limit name="a" max="3"/><source:stub id="x" takes="1s" limit="a"/>'
    assert promises(one) == {"limits are given back"}
    assert "every run ends" in promises(one.replace('max="3"', 'max="1"'))


@pytest.mark.breaks_the_engine
def test_a_limit_that_a_cancelled_node_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    original = queue.leave

    def leave(gates: tuple[Gate, ...], token: object, failed: bool | None) -> None:
        if failed is not None:
            original(gates, token, failed)

    monkeypatch.setattr(taking, "leave", leave)
    one = '<limit name="a" max="3"/><source:stub id="x" takes="1s" limit="a"/>'
    assert promises(one) == {"limits are given back"}


@pytest.mark.breaks_the_engine
def test_a_rate_that_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "ready_at", lambda self: self._start)
    assert promises(LEAVES) == {"rates are kept"}
