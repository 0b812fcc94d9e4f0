"""Owns the control results whose bodies run in the task of their node: choices, loops, timeouts, assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trio.lowlevel import checkpoint

from ..expression import truthy
from ..program.compiled import CompiledBody
from ..runtimes.control.results import (
    AssignResult,
    BreakResult,
    ChoiceResult,
    LoopResult,
    ReturnResult,
    TimeoutResult,
    WhileResult,
)
from ..scheduler.signals import Break, Failed, Return, Signal
from ..types.errors import FlowScriptError
from ..types.paths import bound_path, iteration_path, prefix_in
from .bounds import LATE, bounded
from .frame import Attempt, Frame, Outcome
from .handlers import be_late
from .journalled import timer_of
from .regions import Region
from .walk import Walk

if TYPE_CHECKING:
    from .durable.loops import Rounds


class TooManyRounds(FlowScriptError):
    """A ``<while>`` reached its ``max`` with its condition still true.

    As any error of a node, it cancels the siblings of its branch where the block fails fast.
    """


def finish(attempt: Attempt, inner: Frame, signal: Signal | None) -> Outcome:
    """End a block whose body ran in ``inner``: publish what it did unless it failed."""
    if isinstance(signal, Failed):
        return Outcome(signal=signal)
    attempt.frame.state.publish(inner.state, attempt.step.inner_ids, variables=True)
    return Outcome(inner.output, signal)


async def handle_choice_result(walk: Walk, result: ChoiceResult, attempt: Attempt) -> Outcome:
    if result.body is None:
        return finish(attempt, attempt.enter(), None)
    body = walk.program.bodies[result.body.key]
    inner = attempt.enter(shared=body.is_graph)
    return finish(attempt, inner, await walk.run_body(body, inner))


async def handle_timeout_result(walk: Walk, result: TimeoutResult, attempt: Attempt) -> Outcome:
    body = walk.program.bodies[result.body.key]

    async def work(region: Region) -> Outcome:
        attempt.region = region
        inner = attempt.enter()
        return finish(attempt, inner, await walk.run_body(body, inner))

    timer = timer_of(walk.run.recorder, bound_path(attempt.inner, "duration"), result.duration)
    outcome = await bounded(result.duration, attempt.region, attempt.path, work, timer=timer)
    if outcome is LATE:
        return await be_late(walk, attempt, result.duration)
    return outcome


async def handle_loop_result(walk: Walk, result: LoopResult, attempt: Attempt) -> Outcome:
    body = walk.program.bodies[result.body.key]
    bound = {"$iteration": 0}
    inner = _enter_loop(attempt, bound, body)
    rounds = await _rounds_of(walk, attempt, inner)
    try:
        for number in range(0 if rounds is None else rounds.first, result.max):
            done, signal = await _run_round(walk, body, inner, attempt, bound, number)
            if done:
                return finish(attempt, inner, signal)
            if result.until is not None and truthy(result.until(inner.state)):
                break
            if rounds is not None and rounds.over(number + 1):
                await rounds.compact(number + 1)
    finally:
        if rounds is not None:
            rounds.close()
    return finish(attempt, inner, None)


async def handle_while_result(walk: Walk, result: WhileResult, attempt: Attempt) -> Outcome:
    body = walk.program.bodies[result.body.key]
    bound = {"$iteration": 0}
    inner = _enter_loop(attempt, bound, body)
    rounds = await _rounds_of(walk, attempt, inner)
    number = bound["$iteration"] = 0 if rounds is None else rounds.first
    try:
        while truthy(result.condition(inner.state)):
            if number == result.max:
                raise TooManyRounds(
                    f"the condition of {attempt.step.label!r} is still true after {number} rounds (its max)"
                )
            done, signal = await _run_round(walk, body, inner, attempt, bound, number)
            if done:
                return finish(attempt, inner, signal)
            number += 1
            bound["$iteration"] = number
            if rounds is not None and rounds.over(number):
                await rounds.compact(number)
    finally:
        if rounds is not None:
            rounds.close()
    return finish(attempt, inner, None)


async def handle_break_result(walk: Walk, result: BreakResult, attempt: Attempt) -> Outcome:
    return Outcome(signal=Break(result.loop) if result.taken else None)


async def handle_return_result(walk: Walk, result: ReturnResult, attempt: Attempt) -> Outcome:
    return Outcome(result.output, Return(result.output))


async def handle_assign_result(walk: Walk, result: AssignResult, attempt: Attempt) -> Outcome:
    for name, value in result.values.items():
        if walk.run.spending is not None:
            walk.run.spending.keep(value, attempt.path)
        attempt.frame.state.assign(name, value)
    return Outcome(result.output)


def _enter_loop(attempt: Attempt, bound: dict[str, int], body: CompiledBody) -> Frame:
    """The layer that all rounds share: in the first one, every node of the body is null."""
    inner = attempt.enter(bound)
    inner.state.forget(body.inner_ids)
    return inner


async def _rounds_of(walk: Walk, attempt: Attempt, inner: Frame) -> Rounds | None:
    """The rounds of a loop in the journal of the run; None where it has none."""
    recorder = walk.run.recorder
    if recorder is None:
        return None
    from .durable.loops import Rounds  # only a run with a store needs it

    rounds = Rounds(recorder, attempt, inner)
    if rounds.first and recorder.retold is not None:
        await recorder.retold(attempt.inner, 0)
    if not walk.is_inner:
        for result in rounds.results.values():
            walk.run.record.recall(result)
    return rounds


async def _run_round(
    walk: Walk,
    body: CompiledBody,
    inner: Frame,
    attempt: Attempt,
    bound: dict[str, int],
    number: int,
) -> tuple[bool, Signal | None]:
    """Run one round: whether the loop is over, and the signal that goes on to what is around it."""
    bound["$iteration"] = number
    path = iteration_path(attempt.inner, number)
    if walk.run.spending is not None:
        walk.run.spending.count_round(path)
    inner.prefix = prefix_in(path)
    recorder = walk.run.recorder
    if recorder is not None and recorder.past.has_later_round(attempt.inner, number):
        from .durable.rounds import run_restored_round  # only a run with a store needs it

        signal = await run_restored_round(walk, recorder, body, inner)
        return signal is not None, signal
    began = walk.run.passes.now
    signal = await walk.run_body(body, inner)
    if signal is None:
        if walk.run.passes.now == began:
            await checkpoint()
        return False, None
    if isinstance(signal, Break) and signal.loop in (None, attempt.step.id):
        return True, None
    return True, signal
