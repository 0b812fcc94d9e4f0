"""Owns what a decider is shown of a question, and whether its answer is one."""

from __future__ import annotations

from collections.abc import Sequence

from ..runtimes.control.results import CheckpointResult
from ..types.decisions import APPROVE, REJECT, Action, Answer, Decider
from ..types.errors import FlowScriptError, nearest
from .walk import Walk


async def decide(decider: Decider, prompt: str, actions: Sequence[Action]) -> object:
    """What the decider answers, to be run in a context of its own."""
    return await decider(prompt, actions)


def shown(walk: Walk, result: CheckpointResult) -> tuple[str, Sequence[Action]]:
    """The question as a person may read it: without secrets, wherever the decider puts it."""
    masker = walk.run.masker
    if masker is None:
        return result.prompt, result.actions
    labels = [masker.text(action.label) for action in result.actions]
    actions = [Action(a.id, label) for a, label in zip(result.actions, labels, strict=True)]
    return masker.text(result.prompt), actions


def check_answer(answer: object, result: CheckpointResult, label: str) -> Answer:
    """What was answered; raises FlowScriptError for what does not answer this question."""
    known = [*(action.id for action in result.actions), APPROVE, REJECT]
    if isinstance(answer, str):
        answer = Answer(answer)
    if isinstance(answer, Answer) and answer.action in known:
        return answer
    found = answer.action if isinstance(answer, Answer) else answer
    near = nearest(found, known) if isinstance(found, str) else None
    hint = f"; did it mean {near!r}?" if near else ""
    raise FlowScriptError(
        f"the decider answered {found!r} to {label!r}; "
        f"expected one of {', '.join(dict.fromkeys(known))}{hint}"
    )
