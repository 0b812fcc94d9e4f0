"""Owns checkpoints: a person is asked, in time or not at all, and the answer says where to go on."""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import copy_context
from math import inf

from ..runtimes.control.results import CheckpointResult
from ..scheduler.signals import Goto
from ..types.decisions import APPROVE, REJECT, Answer, CheckpointRejected
from ..types.errors import FlowScriptError
from .bounds import LATE, bounded
from .contexts import InContext
from .deciding import check_answer, decide, shown
from .frame import Attempt, Outcome
from .regions import Region
from .walk import Walk


async def handle_checkpoint_result(
    walk: Walk, result: CheckpointResult, attempt: Attempt
) -> Outcome:
    """Ask the run's decider; without one, or when the time has passed, the default stands. A durable run waits.

    Cancellation reaches the decider at its next checkpoint and passes on.
    """
    if not result.asked:
        return Outcome({"action": APPROVE})
    answer, timed_out = await _ask(walk, result, attempt)
    if answer.action == REJECT and result.rejectable:
        raise CheckpointRejected(attempt.step.label, result.prompt, timed_out)
    given = attempt.input if answer.input is None else answer.input
    output = {"action": answer.action, "input": given, "timed_out": timed_out}
    target = result.goto.get(answer.action)
    if target is None or answer.action == APPROVE:
        return Outcome(output)
    if target not in attempt.step.targets:
        raise FlowScriptError(
            f"{attempt.step.label!r} cannot go back to {target!r}: it stands before; repeat nodes with a <loop>"
        )
    return Outcome(output, Goto(target))


async def _ask(walk: Walk, result: CheckpointResult, attempt: Attempt) -> tuple[Answer, bool]:
    """The answer, and whether it is the default because the decider's came too late."""
    if result.answer is not None:
        return check_answer(result.answer, result, attempt.step.label), False
    if walk.run.recorder is not None:
        from .durable.questions import ask_durably  # only a run with a store needs it

        return await ask_durably(walk, walk.run.recorder, result, attempt)
    return await _ask_decider(walk, result, attempt)


async def _ask_decider(
    walk: Walk, result: CheckpointResult, attempt: Attempt
) -> tuple[Answer, bool]:
    decider = walk.run.decider
    if decider is None:
        return Answer(result.default), False
    patience = attempt.step.patience
    seconds = inf if patience is None else patience(attempt.scope)

    def work(region: Region) -> Awaitable[object]:
        attempt.region = region
        return InContext(decide(decider, *shown(walk, result)), copy_context())

    answer = await bounded(seconds, attempt.region, attempt.path, work)
    if answer is LATE:
        return Answer(result.default), True
    return check_answer(answer, result, attempt.step.label), False
