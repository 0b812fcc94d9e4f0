"""Owns the tests of the proof of runs that compact what has ended: sound ones hold, planted faults are found."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.execution.durable.iterations import Iterations
from flowscript_trio.execution.durable.loops import Rounds
from flowscript_trio.testing import Report, prove

from crashing import World

LOOP = """<workflow name="w"><set var="sum" value="0"/><loop id="l" max="9">
  <source:act id="a" gives="{{$iteration}}"/>
  <set var="sum" value="{{sum + a}}"/></loop><source:act id="z" gives="{{sum}}"/></workflow>"""
EACH = """<workflow name="w"><foreach id="e" collection="range(0, 9)" max-concurrency="2">
  <source:act id="a" gives="{{item}}"/></foreach></workflow>"""


def proved(text: str) -> Report:
    flow = fs.loads(text, name="w.xml", registry=World().registry)
    return prove(flow, crash=True, pairs=20)


def promises(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


@pytest.mark.parametrize("text", [LOOP, EACH, EACH.replace("max-con", 'merge="none" max-con')])
def test_runs_that_compact_hold_wherever_their_processes_die(text: str) -> None:
    report = proved(text)
    assert report.holds, report.render()


def test_a_round_that_is_compacted_before_it_has_run_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compact = Rounds.compact
    monkeypatch.setattr(Rounds, "compact", lambda self, number: compact(self, number + 1))
    assert "everything is done" in promises(proved(LOOP))


def test_outputs_that_are_lost_with_their_iterations_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end_well = Iterations.end_well

    def forget(self: Iterations, index: int, output: Any, restored: bool) -> None:
        end_well(self, index, None, restored)

    monkeypatch.setattr(Iterations, "end_well", forget)
    assert "a resumed run ends as an undisturbed one" in promises(proved(EACH))
