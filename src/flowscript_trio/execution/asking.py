"""Owns checkpoints: a person is asked, in time or not at all, and the answer says where to go on."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextvars import copy_context
from math import inf

from ..runtimes.control.results import CheckpointResult
from ..scheduler.signals import Goto
from ..types.decisions import APPROVE, REJECT, Action, Answer, CheckpointRejected, Decider
from ..types.errors import FlowScriptError, nearest
from ..types.paths import bound_path
from .bounds import LATE, bounded
from .contexts import InContext
from .frame import Attempt, Outcome
from .journalled import timer_of
from .regions import Region
from .walk import Walk


async def handle_checkpoint_result(
    walk: Walk, result: CheckpointResult, attempt: Attempt
) -> Outcome:
    """Ask the run's decider; without one, or when the time has passed, the default stands.

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
            f"{attempt.step.label!r} cannot go back to {target!r}: it comes earlier; repeat nodes with a <loop>"
        )
    return Outcome(output, Goto(target))


async def _ask(walk: Walk, result: CheckpointResult, attempt: Attempt) -> tuple[Answer, bool]:
    """The answer, and whether it is the default because the decider's came too late."""
    if result.answer is not None:
        return _check_answer(result.answer, result, attempt), False
    recorder, key = walk.run.recorder, (attempt.path, attempt.number)
    if recorder is not None and (known := recorder.past.answers.get(key)) is not None:
        return Answer(known.action, known.input), known.timed_out
    answer, timed_out = await _ask_decider(walk, result, attempt)
    if recorder is not None:
        recorder.answered(attempt.path, attempt.number, answer, timed_out)
    return answer, timed_out


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
        return InContext(_decide(decider, *_shown(walk, result)), copy_context())

    timer = None
    if patience is not None:
        key = bound_path(attempt.inner, "answer")
        timer = timer_of(walk.run.recorder, key, seconds)
    answer = await bounded(seconds, attempt.region, attempt.path, work, timer=timer)
    if answer is LATE:
        return Answer(result.default), True
    return _check_answer(answer, result, attempt), False


async def _decide(decider: Decider, prompt: str, actions: Sequence[Action]) -> object:
    return await decider(prompt, actions)


def _shown(walk: Walk, result: CheckpointResult) -> tuple[str, Sequence[Action]]:
    """The question as a person may read it: without secrets, wherever the decider puts it."""
    masker = walk.run.masker
    if masker is None:
        return result.prompt, result.actions
    labels = [masker.text(action.label) for action in result.actions]
    actions = [Action(a.id, label) for a, label in zip(result.actions, labels, strict=True)]
    return masker.text(result.prompt), actions


def _check_answer(answer: object, result: CheckpointResult, attempt: Attempt) -> Answer:
    """What the decider answered; raises FlowScriptError for what does not answer this question."""
    known = [*(action.id for action in result.actions), APPROVE, REJECT]
    if isinstance(answer, str):
        answer = Answer(answer)
    if isinstance(answer, Answer) and answer.action in known:
        return answer
    found = answer.action if isinstance(answer, Answer) else answer
    near = nearest(found, known) if isinstance(found, str) else None
    hint = f"; did it mean {near!r}?" if near else ""
    raise FlowScriptError(
        f"the decider answered {found!r} to {attempt.step.label!r}; "
        f"expected one of {', '.join(dict.fromkeys(known))}{hint}"
    )
