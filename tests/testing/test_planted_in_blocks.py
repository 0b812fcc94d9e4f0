"""Owns the tests of what a proof is worth where blocks race, tolerate, take their time and are tried again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import attempts, blocks, recovery
from flowscript_trio.execution.bounds import bounded
from flowscript_trio.execution.branches import Branches
from flowscript_trio.execution.frame import Attempt, Outcome
from flowscript_trio.execution.handle import Run
from flowscript_trio.execution.merge import merge_outputs
from flowscript_trio.execution.state import State
from flowscript_trio.execution.walk import Walk
from flowscript_trio.program.compiled import Step
from flowscript_trio.scheduler.concurrency import Block
from flowscript_trio.scheduler.policy import Policy
from flowscript_trio.testing import Report, prove

from planting import plant_attempt
from stubs import Stubs

pytestmark = [pytest.mark.breaks_the_engine, pytest.mark.slow]

RACE = """
<parallel id="p" wait="any">
  <branch><source:stub id="a" gives="a" takes="1s"/></branch>
  <branch><source:stub id="b" gives="b" takes="9s"/></branch>
</parallel>
<source:stub id="end" takes="1s"/>
"""
TOLERANT = """
<parallel id="p" tolerate="1">
  <branch><source:stub id="a" takes="1s" fails="a"/></branch>
  <branch><source:stub id="b" takes="2s" fails="b"/></branch>
  <branch><source:stub id="c" takes="9s"/></branch>
</parallel>
"""
ALL = RACE.replace('wait="any"', 'wait="all"').replace('gives="a"', 'fails="a"')
AGAIN = """
<parallel id="p" timeout="20s">
  <branch><source:stub id="a" gives="a" takes="1s" timeout="5s"/></branch>
  <branch><source:stub id="b" gives="b" takes="2s"/></branch>
  <on-error><retry max="2" when="true" base="1s" jitter="none"/></on-error>
</parallel>
<timeout id="t" duration="3s"><source:stub id="c" takes="1s"/></timeout>
<foreach id="f" collection="[1, 2, 3]" maxConcurrency="2">
  <source:stub id="d" gives="d" takes="1s"/>
</foreach>
"""
VARIABLES = """
<parallel id="p">
  <branch>
    <source:stub id="a" takes="1s"/>
    <set var="x" value="'from a branch'"/>
    <source:stub id="a2" takes="2s"/>
  </branch>
  <branch>
    <source:stub id="b" takes="2s"/>
    <source:stub id="b2" takes="1s"/>
  </branch>
</parallel>
"""
GRAPH = "".join(f'<source:stub id="n{number}" takes="1s" after="s"/>' for number in range(4))
GRAPH = f'<source:stub id="s" takes="1s"/>{GRAPH}'


def proved(text: str, **options: Any) -> Report:
    return prove(Stubs().load(text), pairs=0, **options)


def promises(text: str, **options: Any) -> set[str]:
    return {violation.promise for violation in proved(text, **options).violations}


@pytest.mark.parametrize("text", [RACE, TOLERANT, ALL, AGAIN, VARIABLES, GRAPH])
def test_the_engine_itself_holds(text: str) -> None:
    report = prove(Stubs().load(text), pairs=60, options={"limiter": trio.CapacityLimiter(2)})
    assert report.holds, report.render()


@pytest.mark.parametrize("text", [RACE, TOLERANT, ALL], ids=["race", "tolerate", "all"])
def test_those_that_are_not_cancelled(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(Block, "_cancel_all", lambda self: None)
    assert "everybody is told in time" in promises(text)


def test_a_race_that_is_won_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Policy, "is_lost", lambda self, failures, total: False)
    assert "errors are passed on" in promises(RACE)


def test_one_failure_more_than_is_tolerated(monkeypatch: pytest.MonkeyPatch) -> None:
    is_lost = Policy.is_lost
    monkeypatch.setattr(
        Policy, "is_lost", lambda self, failures, total: is_lost(self, failures - 1, total)
    )
    assert "errors are passed on" in promises(TOLERANT)


def test_time_limits_that_are_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_limit_time", attempts._act)
    assert "time limits are kept" in promises(AGAIN)


def test_time_limits_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late(seconds: float, *args: Any, **options: Any) -> Any:
        return await bounded(seconds + 1, *args, **options)

    monkeypatch.setattr(attempts, "bounded", late)
    assert "time limits are kept" in promises(AGAIN)


def test_a_cancellation_from_outside_that_is_told_as_a_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_attempt = attempts.make_attempt

    async def too_slow(walk: Walk, step: Step, *args: Any) -> Outcome:
        try:
            return await make_attempt(walk, step, *args)
        except trio.Cancelled:
            raise trio.TooSlowError("it took too long") from None

    plant_attempt(monkeypatch, too_slow)
    assert "a timeout is reported when its time has passed" in promises(GRAPH)


def test_a_deadline_from_outside_that_is_told_as_success(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Run.walk

    async def broad(self: Run) -> None:
        deadline = trio.current_effective_deadline()
        try:
            await walk(self)
        except trio.Cancelled:
            if trio.current_time() < deadline:
                raise
            self.status = "completed"

    monkeypatch.setattr(Run, "walk", broad)
    report = proved('<source:stub id="a" takes="1s"/>')
    found = [v for v in report.violations if v.promise == "status fits"]
    assert "a deadline at 1 s" in str(found[0])


def test_a_limiter_over_the_run_that_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_perform", attempts._limit_time)
    options = {"limiter": trio.CapacityLimiter(1)}
    assert "no more branches than tokens" in promises(RACE, options=options)


def test_more_nodes_of_a_graph_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    make = Block.__init__

    def unlimited(
        self: Block, execute: Any, name: Any, policy: Any, limit: float, *args: Any, **options: Any
    ) -> None:
        make(self, execute, name, policy, limit + 1, *args, **options)

    monkeypatch.setattr(Block, "__init__", unlimited)
    assert "no more branches than tokens" in promises(GRAPH, options={"max_concurrency": 2})


def test_a_wait_between_attempts_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "delay_of", lambda config, attempt, chance: 3.0)
    assert "no time passes unasked" in promises(AGAIN)


def test_a_wait_between_attempts_that_cannot_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)

    replaced = SimpleNamespace(sleep=sleep, current_time=trio.current_time)
    monkeypatch.setattr(recovery, "trio", replaced)
    text = """<parallel id="p">
      <branch>
        <source:stub id="a" takes="1s" fails="a">
          <on-error><retry max="2" when="true" base="3s" jitter="none"/></on-error>
        </source:stub>
      </branch>
      <branch><source:stub id="b" takes="2s" fails="b"/></branch>
    </parallel>"""
    assert "everybody is told in time" in promises(text)


def test_time_that_nobody_asked_for_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    execute = Branches._execute

    async def slow(self: Branches, *args: Any) -> Any:
        await trio.sleep(0.5)
        return await execute(self, *args)

    monkeypatch.setattr(Branches, "_execute", slow)
    text = AGAIN[AGAIN.index("<foreach") :]
    assert "no time passes unasked" in promises(text)


def test_time_that_nobody_asked_for_beside_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    async def decide(*asked: Any) -> str:
        await trio.sleep(5)
        return "approve"

    text = '<checkpoint id="ask" prompt="go?"/><source:stub id="a" takes="1s"/>'
    assert proved(text, options={"decider": decide}).holds
    act = attempts._act

    async def slow(walk: Walk, attempt: Attempt) -> Outcome:
        with trio.move_on_after(0.5):
            await trio.sleep_forever()
        return await act(walk, attempt)

    monkeypatch.setattr(attempts, "_act", slow)
    assert "no time passes unasked" in promises(text, options={"decider": decide})


def test_variables_that_leave_their_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    def assign(self: State, name: str, value: Any) -> None:
        layer: State | None = self
        while layer is not None:
            layer._variables[name] = value
            layer = layer._base

    monkeypatch.setattr(State, "assign", assign)
    assert "only complete blocks set variables" in promises(VARIABLES)


def test_outputs_in_the_order_in_which_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_chance(word: str, outputs: Any, *args: Any) -> Any:
        return merge_outputs(word, outputs[::-1], *args)

    monkeypatch.setattr(blocks, "merge_outputs", by_chance)
    assert "outputs are in order" in promises(AGAIN)


def test_an_output_of_the_run_that_is_another_node_s(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = Run._walk

    async def other(self: Run) -> Any:
        signal = await walk(self)
        self.output = "something else"
        return signal

    monkeypatch.setattr(Run, "_walk", other)
    assert "outputs are in order" in promises('<source:stub id="a" gives="a" takes="1s"/>')


def test_the_clock_of_a_proof_is_the_same_in_every_run() -> None:
    async def stamp(params: fs.ExecutionParams) -> str:
        await trio.sleep(1)
        return params.run.services.now().isoformat()

    stubs = Stubs()
    stubs.registry.runtime("source:stamp")(stamp)
    assert prove(stubs.load('<source:stamp id="a"/>'), pairs=0).holds
