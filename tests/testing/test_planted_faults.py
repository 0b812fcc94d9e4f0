"""Owns the tests of what a proof is worth: each fault that is planted in the engine is found by it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from math import nan
from typing import Any

import pytest
import trio

from flowscript_trio.execution import attempts, cleanup, compensating, context, executor
from flowscript_trio.execution.bounds import LATE, bounded
from flowscript_trio.execution.branches import Branches
from flowscript_trio.execution.executor import Executor
from flowscript_trio.execution.frame import Frame, Outcome
from flowscript_trio.execution.walk import Walk
from flowscript_trio.program.compiled import Step
from flowscript_trio.scheduler import workers
from flowscript_trio.scheduler.concurrency import Block
from flowscript_trio.scheduler.policy import Tally
from flowscript_trio.scheduler.signals import Failed
from flowscript_trio.scheduler.tokens import Tokens
from flowscript_trio.testing import Report, prove
from flowscript_trio.types.results import Cancellation

from planting import plant_attempt
from stubs import Stubs

pytestmark = [pytest.mark.breaks_the_engine, pytest.mark.slow]

DOCUMENT = """
<source:stub id="start" gives="start" takes="1s">
  <compensate><sink:stub id="undo" takes="1s"/></compensate>
</source:stub>
<source:stub id="more" gives="more" after="start" takes="1s">
  <compensate><sink:stub id="undo-more" takes="1s"/></compensate>
</source:stub>
<parallel id="p" maxConcurrency="2" after="more">
  <branch>
    <source:stub id="a" gives="a" takes="1s"/>
    <finally><sink:stub id="tidy" takes="1s"/></finally>
  </branch>
  <branch>
    <source:stub id="b" gives="b" takes="1s" timeout="5s">
      <on-error><retry max="2" base="1s"/></on-error>
    </source:stub>
    <source:stub id="c" gives="c" takes="1s"/>
  </branch>
  <branch>
    <foreach id="each" collection="[1, 2, 3]" maxConcurrency="2">
      <source:stub id="d" gives="d" takes="1s"/>
    </foreach>
  </branch>
</parallel>
<source:stub id="beside" gives="beside" after="more" takes="2500ms"/>
<source:stub id="last" gives="last" after="beside" takes="1s"/>
<source:stub id="end" after="p" takes="1s"/>
"""


def promises(pairs: int = 0, **options: Any) -> set[str]:
    """The promises that do not hold with what is planted."""
    return {violation.promise for violation in proved(pairs, **options).violations}


def staggered() -> set[str]:
    """The same of a block whose branches are fed to it one by one, each with a token of its own."""
    branches = "".join(f'<branch><source:stub id="s{n}" takes="2s"/></branch>' for n in range(4))
    text = f'<parallel id="p" maxConcurrency="2" stagger="100ms">{branches}</parallel>'
    return {violation.promise for violation in prove(Stubs().load(text), pairs=0).violations}


def proved(pairs: int = 0, **options: Any) -> Report:
    return prove(Stubs().load(DOCUMENT), pairs=pairs, **options)


def plant(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, fault: Any) -> None:
    assert hasattr(owner, name)
    monkeypatch.setattr(owner, name, fault)


def test_the_engine_itself_holds() -> None:
    report = proved(pairs=300)
    assert report.holds, report.render()
    assert report.points > 300


def test_siblings_that_are_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, Block, "_cancel_all", lambda self: None)
    assert "everybody is told in time" in promises()


def test_siblings_that_are_said_to_be_cancelled_and_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def request_only(self: Block) -> None:
        by = self.name(self._tally.decisive().index)
        self._on_cancel(Cancellation(by, "failed", trio.current_time()), self.passes.now)

    plant(monkeypatch, Block, "_cancel_all", request_only)
    assert "everybody is told in time" in promises()


def test_a_token_that_is_lost_when_its_branch_is_cancelled_while_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def take(self: Tokens, borrower: object) -> None:
        await self.limiter.acquire_on_behalf_of(borrower)
        await trio.lowlevel.checkpoint()  # the fault: cancelled here, it has the token

    plant(monkeypatch, Tokens, "take", take)
    assert "tokens come back" in staggered()


def test_a_token_that_a_cancelled_branch_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(self: Block, token: object) -> None:
        self.running -= 1
        if trio.current_effective_deadline() > 0:
            self.tokens.give_back(token)

    plant(monkeypatch, Block, "end", forget)
    assert "tokens come back" in promises()


def test_the_group_s_first_exception_as_the_first_error(monkeypatch: pytest.MonkeyPatch) -> None:
    conclude = Tally.conclude

    def first_in_the_group(self: Tally, *args: Any, **options: Any) -> Any:
        verdict = conclude(self, *args, **options)
        if verdict is None or verdict.error is None:
            return verdict
        first = self.failures[0]
        return replace(verdict, error=first.error, failed=first.index)

    branch = '<branch><source:stub id="{0}" takes="1s" fails="{0}"/></branch>'
    text = "".join(branch.format(name) for name in "abc")
    flow = Stubs().load(f'<parallel id="p">{text}</parallel>')
    assert prove(flow, seeds=5, most=1, pairs=0).undisturbed == "failed: ValueError: a"

    plant(monkeypatch, Tally, "conclude", first_in_the_group)
    found = {violation.promise for violation in prove(flow, seeds=5, most=1, pairs=0).violations}
    assert "the first error surfaces" in found


def swallow(outcome: Callable[[BaseException], Outcome]) -> Any:
    """A boundary whose ``except`` is too broad."""
    make_attempt = attempts.make_attempt

    async def broad(walk: Walk, step: Step, frame: Frame, path: str) -> Outcome:
        try:
            return await make_attempt(walk, step, frame, path)
        except BaseException as exc:
            return outcome(exc)

    return broad


def test_cancelled_swallowed_as_success(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_attempt(monkeypatch, swallow(lambda exc: Outcome()))
    assert "cancellation is reported as it is" in promises()


def test_cancelled_swallowed_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_attempt(monkeypatch, swallow(lambda exc: Outcome(signal=Failed(exc))))
    assert "cancellation is reported as it is" in promises()


def test_an_error_that_is_dropped_in_clean_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run_cleanup = cleanup.run_cleanup

    async def drop(*args: Any) -> None:
        await run_cleanup(*args)

    plant(monkeypatch, cleanup, "run_cleanup", drop)
    assert "no error in clean up is dropped" in promises()


def test_clean_up_that_is_skipped_when_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    with_finally = executor.with_finally

    async def only_if_well(walk: Any, body: Any, frame: Frame) -> Any:
        signal = await walk.run_nodes(body, frame)
        return signal or await with_finally(walk, replace(body, steps=()), frame)

    plant(monkeypatch, executor, "with_finally", only_if_well)
    assert "clean up runs" in promises()


def test_compensations_in_the_wrong_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compensating, "reversed", list, raising=False)
    assert "compensations run" in promises()


def undoable(name: str) -> str:
    return f"""<source:stub id="{name}" takes="1s"><compensate><sink:stub id="undo-{name}"/>
      </compensate></source:stub>"""


UNDOING = f"""
<parallel id="p" tolerate="1"><branch>{undoable("a")}<source:stub id="x" takes="1s" fails="x"/></branch>
  <branch>{undoable("b")}</branch></parallel>
<parallel id="q"><branch>{undoable("c")}<source:stub id="y" takes="1s" fails="y"/></branch>
  <on-error><retry max="1" when="true" base="1s"/><fallback node="f"/></on-error></parallel>
<parallel id="r" wait="any"><branch>{undoable("d")}</branch>
  <branch>{undoable("e")}<source:stub id="z" takes="1s"/></branch></parallel>
<foreach id="s" collection="[1, 2]" timeout="1500ms" on-timeout="keep">{undoable("g")}</foreach>
<timeout id="t" duration="1500ms" on-timeout="f">{undoable("h")}<source:stub id="w" takes="1s"/></timeout>
{undoable("f")}
"""
"""Blocks that go on without some of what succeeded in them."""


def undoing() -> set[str]:
    report = prove(Stubs().load(UNDOING), pairs=0)
    return {violation.promise for violation in report.violations}


def test_blocks_that_go_on_without_a_branch_hold() -> None:
    assert not undoing()


def test_a_block_that_goes_on_and_undoes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(walk: Any, place: Any, outcome: Any) -> Any:
        return outcome

    plant(monkeypatch, attempts, "without_losers", forget)
    assert "compensations run" in undoing()


def test_what_is_undone_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    compensate = compensating.compensate

    async def twice(walk: Any, *args: Any) -> Any:
        kept = list(walk.run.compensations)
        errors = await compensate(walk, *args)
        walk.run.compensations[:] = kept
        return errors

    plant(monkeypatch, compensating, "compensate", twice)
    assert "compensations run" in undoing()


def test_results_that_are_published_before_the_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Branches._keep

    def publish(self: Branches, index: int, frame: Frame) -> None:
        keep(self, index, frame)
        self._attempt.frame.state.publish(frame.state, frame.state._results, variables=False)

    plant(monkeypatch, Branches, "_keep", publish)
    assert "only complete blocks are seen" in promises()


def test_results_of_a_failed_block(monkeypatch: pytest.MonkeyPatch) -> None:
    explain = Branches.explain

    def publish(self: Branches, *args: Any) -> None:
        explain(self, *args)
        for state in self.states.values():
            self._attempt.frame.state.publish(state, state._results, variables=False)

    plant(monkeypatch, Branches, "explain", publish)
    tolerant = DOCUMENT.replace(
        '<parallel id="p"', '<source:stub id="other" gives="other"/><parallel id="p"'
    ).replace("</parallel>", '<on-error><fallback node="other"/></on-error></parallel>')
    found = prove(Stubs().load(tolerant), pairs=0).violations
    assert "only complete blocks are seen" in {violation.promise for violation in found}


def test_a_background_task(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Block.end

    def spawn(self: Block, token: object) -> None:
        end(self, token)
        trio.lowlevel.spawn_system_task(trio.sleep_forever, name="background")

    plant(monkeypatch, Block, "end", spawn)
    assert "no task is left" in promises(most=5)


def test_a_cancellation_that_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_attempt = attempts.make_attempt

    async def stubborn(walk: Walk, step: Step, frame: Frame, path: str) -> Outcome:
        try:
            return await make_attempt(walk, step, frame, path)
        except trio.Cancelled:
            return await make_attempt(walk, step, frame, path)

    plant_attempt(monkeypatch, stubborn)
    assert {
        "a cancellation is not retried",
        "nothing begins under a cancelled block",
    } <= promises()


def test_a_time_limit_that_is_told_as_a_cancellation_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def from_outside(region: Any, cancelled: trio.Cancelled) -> Cancellation:
        return Cancellation(None, "cancelled from outside", nan)

    plant(monkeypatch, context, "cause_of", from_outside)
    assert "cancellation is reported as it is" in promises()


def test_a_time_limit_that_is_told_as_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lenient(*args: Any, **options: Any) -> Any:
        done = await bounded(*args, **options)
        return Outcome() if done is LATE else done

    plant(monkeypatch, attempts, "bounded", lenient)
    assert "cancellation is reported as it is" in promises()


def test_more_branches_than_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def take(self: Tokens, borrower: object) -> None:
        await trio.lowlevel.checkpoint()
        if not self.take_nowait(borrower):
            self.limiter.total_tokens += 1
            self.limiter.acquire_on_behalf_of_nowait(borrower)

    plant(monkeypatch, Tokens, "take", take)
    assert "no more branches than tokens" in staggered()


def test_more_workers_than_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    add = workers._Workers._add

    def one_more(self: Any, job: Any) -> None:
        self._block.tokens.limiter.total_tokens += 1
        add(self, job)

    plant(monkeypatch, workers._Workers, "_add", one_more)
    assert "no more branches than tokens" in promises(most=5)


def test_time_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    make_attempt = attempts.make_attempt

    async def slow(walk: Walk, *args: Any) -> Outcome:
        await trio.sleep(0.05)
        return await make_attempt(walk, *args)

    plant_attempt(monkeypatch, slow)
    assert "no time passes unasked" in promises(most=5)


def test_nodes_that_begin_although_they_are_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await trio.lowlevel.cancel_shielded_checkpoint()

    plant(monkeypatch, executor, "checkpoint_if_cancelled", never)
    assert "nothing begins under a cancelled block" in promises()


def test_an_order_that_no_seed_fixes(monkeypatch: pytest.MonkeyPatch) -> None:
    make_attempt = attempts.make_attempt
    chance = random.SystemRandom()

    async def moody(walk: Walk, *args: Any) -> Outcome:
        for _ in range(chance.randrange(4)):
            await trio.lowlevel.checkpoint()
        return await make_attempt(walk, *args)

    plant_attempt(monkeypatch, moody)
    assert "the same seed gives the same events" in promises(most=5)


def test_a_branch_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    end = Branches._end

    def only_of_the_well(self: Branches, result: Any) -> None:
        if result.status == "success":
            end(self, result)  # type: ignore[call-arg]

    plant(monkeypatch, Branches, "_end", only_of_the_well)
    assert "every start has one end" in promises()


def test_a_node_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, Executor, "_record_unwinding", lambda self, *args: None)
    assert "every start has one end" in promises()


def test_an_error_that_its_body_ignores(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go_on(self: Executor, body: Any, frame: Frame) -> None:
        for step in body.steps:
            await self.execute_node(step, frame)

    plant(monkeypatch, Executor, "run_nodes", go_on)
    assert "errors are passed on" in promises()


def test_a_run_that_completes_although_it_was_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    run_nodes = Executor.run_nodes

    async def well(self: Executor, body: Any, frame: Frame) -> Any:
        try:
            return await run_nodes(self, body, frame)
        except trio.Cancelled:
            return None

    async def never() -> None:
        await trio.lowlevel.cancel_shielded_checkpoint()

    plant(monkeypatch, Executor, "run_nodes", well)
    monkeypatch.setattr(trio.lowlevel, "checkpoint_if_cancelled", never)
    assert "status fits" in promises()
