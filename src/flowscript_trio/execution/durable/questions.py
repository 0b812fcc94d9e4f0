"""Owns the questions of a durable run: the first answer, or the time-out, fills the one slot of each."""

from __future__ import annotations

from contextvars import copy_context
from math import inf

import trio

from ...journal.questions import Given, encode_question
from ...journal.rows import Question
from ...runtimes.control.results import CheckpointResult
from ...types.decisions import Answer
from ...types.paths import bound_path
from ...types.storing import StoreFailed
from ..bounds import LATE, Late, bounded
from ..contexts import InContext
from ..deciding import check_answer, decide, shown
from ..frame import Attempt
from ..regions import Region
from ..walk import Walk
from .entries import Answered, Waits
from .recorder import Recorder
from .timers import Timer


async def ask_durably(
    walk: Walk, recorder: Recorder, result: CheckpointResult, attempt: Attempt
) -> tuple[Answer, bool]:
    """The answer, and whether it is the default because nobody gave one in time.

    It is asked in the store, and of the run's decider, where it has one. The question is on disk before anyone is
    asked; whoever answers is told what stands. Cancellation ends the wait, and withdraws the question.
    """
    path, number = attempt.path, attempt.number
    known = recorder.past.answers.get((path, number))
    if known is not None:
        if recorder.retold is not None:
            await recorder.retold(path, number)
        return Answer(known.action, known.input), known.timed_out
    given = recorder.inbox.answer_in(attempt.inner)
    if given is None:
        given = await _asked(walk, recorder, result, attempt)
    answer = check_answer(Answer(given.action, given.input), result, attempt.step.label)
    recorder.journal.write(Answered(path, number, answer.action, answer.input, given.timed_out))
    return answer, given.timed_out


async def _asked(
    walk: Walk, recorder: Recorder, result: CheckpointResult, attempt: Attempt
) -> Given:
    slot, label, patience = attempt.inner, attempt.step.label, attempt.step.patience
    seconds = inf if patience is None else patience(attempt.scope)
    timer = None
    if patience is not None:
        timer = Timer(recorder, bound_path(slot, "answer"), seconds)
    due = None if timer is None else timer.due
    prompt, actions = shown(walk, result)
    if (attempt.path, attempt.number) not in recorder.past.waits:
        recorder.journal.write(Waits(attempt.path, attempt.number, inf if due is None else due))
    asked = encode_question(label, prompt, actions, result.default)
    recorder.inbox.ask(Question(slot, asked, due))
    try:
        await recorder.journal.synced()

        async def work(region: Region) -> Given:
            attempt.region = region
            return await _answered(walk, recorder, result, attempt)

        given: Given | Late = await bounded(
            seconds, attempt.region, attempt.path, work, timer=timer
        )
        if given is LATE:
            given = await _settled(recorder, slot, Given(result.default, None, True), "")
    except BaseException:
        if not recorder.leaving.is_left:
            recorder.inbox.ask(Question(slot, asked, due, withdrawn=True))
        raise
    return given


async def _settled(recorder: Recorder, slot: str, given: Given, by: str) -> Given:
    """Answer a question, and give what stands. Where the store fails, the run is left."""
    try:
        return await recorder.inbox.settle(slot, given, by)
    except StoreFailed as exc:
        recorder.leaving.leave(exc)
        await trio.sleep_forever()


async def _answered(
    walk: Walk, recorder: Recorder, result: CheckpointResult, attempt: Attempt
) -> Given:
    """The answer of whoever is first: of the decider, or somebody who leaves it in the store."""
    slot, decider = attempt.inner, walk.run.decider
    with (
        trio.CancelScope() as scope,
        recorder.inbox.expecting(slot, scope),
        recorder.waits.until(),
    ):
        if decider is None:
            await trio.sleep_forever()
        chosen = await InContext(decide(decider, *shown(walk, result)), copy_context())
        answer = check_answer(chosen, result, attempt.step.label)
        said = Given(answer.action, answer.input, False)
        return await _settled(recorder, slot, said, "the decider")
    given = recorder.inbox.answer_in(slot)
    assert given is not None, "nothing else cancels the scope"
    return given
