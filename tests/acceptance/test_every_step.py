"""A cancellation from outside at every step of the scheduler, alone and together with an error."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs

from scheduling import run_virtually
from stubs import Stubs

NESTED = """
<set var="x" value="1"/>
<parallel id="p" maxConcurrency="2">
  <branch>
    <foreach id="each" collection="[1, 2, 3]" maxConcurrency="2">
      <source:stub id="a" takes="1s" cleanup="{{if_else(item == 2, 'slow', null)}}"/>
      <if id="choice" condition="item > 1"><then><source:stub id="b" takes="1s"/></then></if>
    </foreach>
  </branch>
  <branch>
    <timeout id="bounded" duration="10s"><source:stub id="c" takes="2s" cleanup="slow"/></timeout>
    <source:stub id="d" FAILS="no" takes="1s"/>
  </branch>
  <branch><source:stub id="e" takes="1s"/></branch>
</parallel>
<parallel id="race" wait="any" after="p">
  <branch><source:stub id="f" takes="2s" gives="slow"/></branch>
  <branch><source:stub id="g" takes="1s" gives="quick"/></branch>
</parallel>
<transform type="template" id="end" template="{{race[0]}}"/>
"""


class AtStep(trio.abc.Instrument):
    """Cancels a scope at one step of the scheduler; counts the tasks of the run."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.steps = 0
        self.scope: trio.CancelScope | None = None
        self.tasks: Counter[str] = Counter()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.scope is not None:
            self.steps += 1
            if self.steps == self.at:
                self.scope.cancel("from outside")

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if self.scope is not None:
            self.tasks["alive"] += 1

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        if self.scope is not None:
            self.tasks["alive"] -= 1


def run_once(flow: fs.Flow, at: int | None, seed: int) -> tuple[str, AtStep, list[Any], Any]:
    """One run, cancelled at a step: what it came to, the instrument, the events, the error.

    ``seed`` fixes the order of the tasks, so that the steps up to the cancellation are those of a clean run.
    """
    instrument = AtStep(at)
    events: list[Any] = []
    limiter = trio.CapacityLimiter(2)

    async def main() -> tuple[str, Any]:
        outcome, error = "completed", None
        trio.lowlevel.add_instrument(instrument)
        with trio.CancelScope() as scope:
            instrument.scope = scope
            try:
                await fs.run(flow, observers=[events.append], limiter=limiter)
            except ValueError as exc:
                outcome, error = "failed", exc
        instrument.scope = None
        if scope.cancelled_caught:
            outcome = "cancelled"
        assert instrument.tasks["alive"] == 0
        assert limiter.borrowed_tokens == 0
        return outcome, error

    outcome, error = run_virtually(main, seed)
    return outcome, instrument, events, error


def check_events(events: list[Any], outcome: str) -> None:
    """Every node that started ended exactly once, and the run said how it ended."""
    started = Counter(event.path for event in events if type(event).__name__ == "NodeStarted")
    ended = Counter(event.path for event in events if type(event).__name__ == "NodeEnded")
    assert started == ended
    assert type(events[-1]).__name__ == "RunEnded"
    assert events[-1].status == outcome


def check_cleanup(stubs: Stubs) -> None:
    """Whoever was cancelled with slow clean-up has finished it."""
    for event in stubs.events:
        assert not event.startswith("cancelled c") or "cleaned c" in stubs.events


@pytest.mark.parametrize("seed", range(3))
def test_a_cancellation_at_every_step_is_neither_success_nor_failure_and_leaves_nothing(
    seed: int,
) -> None:
    stubs = Stubs()
    flow = stubs.load(NESTED.replace('FAILS="no"', ""))
    outcome, clean, events, _ = run_once(flow, None, seed)
    assert outcome == "completed"
    check_events(events, outcome)
    total = clean.steps
    assert total > 30
    for at in range(1, total + 1):
        stubs.events.clear()
        outcome, instrument, events, _ = run_once(flow, at, seed)
        assert instrument.steps >= at
        assert outcome == "cancelled", at
        if events:
            check_events(events, outcome)
        check_cleanup(stubs)


@pytest.mark.parametrize("seed", range(3))
def test_an_error_and_a_cancellation_at_every_step_lose_nothing(seed: int) -> None:
    stubs = Stubs()
    flow = stubs.load(NESTED.replace('FAILS="no"', 'fails="broken"'))
    outcome, clean, events, error = run_once(flow, None, seed)
    assert outcome == "failed"
    assert error is stubs.errors["d"]
    for at in range(1, clean.steps + 1):
        stubs.events.clear()
        stubs.errors.clear()
        outcome, _, events, error = run_once(flow, at, seed)
        assert outcome in ("cancelled", "failed")
        if "d" in stubs.errors:
            assert outcome == "failed"
            assert error is stubs.errors["d"]
        else:
            assert outcome == "cancelled"
        if events:
            check_events(events, outcome)
        check_cleanup(stubs)


@pytest.mark.parametrize("times", [2])
def test_runs_side_by_side_do_not_disturb_each_other(times: int) -> None:
    stubs = Stubs()
    flow = stubs.load(NESTED.replace('FAILS="no"', ""))

    async def main() -> list[Any]:
        outputs: list[Any] = []

        async def one() -> None:
            outputs.append((await fs.run(flow)).output)

        async with trio.open_nursery() as nursery:
            for _ in range(times):
                nursery.start_soon(one)
        return outputs

    outputs = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert outputs == ["quick"] * times
