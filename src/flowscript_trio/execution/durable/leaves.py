"""Owns the attempts of nodes that run no others: restored where they had ended, on disk before they may act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from pydantic import BaseModel
from trio.lowlevel import checkpoint_if_cancelled

from ...journal.blobs import LARGE
from ...journal.values import TooLarge
from ...program.compiled import Step
from ...runtimes.wrapping import innermost
from ...scheduler.policy import INTERRUPTS
from ...scheduler.signals import Failed
from ...types.describing import describe_to_keep
from ...types.durable import Diverged, Interrupted
from ...types.exceptions import is_a, name_of_interrupt
from ..context import RunContext
from ..failures import note_node
from ..frame import Attempt, Outcome
from ..handlers import be_late
from ..walk import Walk
from .budgets import counting_requests, recall_requests
from .entries import AttemptFailed, Late, Started
from .recorder import Recorder
from .streams import name_of_stream, note_opened, open_later, opened_before
from .timers import sleep_durably

Perform = Callable[[Walk, Attempt], Awaitable[Outcome]]


def perform_durably(
    walk: Walk, recorder: Recorder, attempt: Attempt, perform: Perform
) -> Awaitable[Outcome]:
    """Make an attempt of a node by ``perform``, unless an earlier process did, whose outcome stands."""
    if recorder.past.began is None and walk.run.spending is None:
        return perform(walk, attempt)
    return _perform_again(walk, recorder, attempt, perform)


async def _perform_again(
    walk: Walk, recorder: Recorder, attempt: Attempt, perform: Perform
) -> Outcome:
    step, key, past = attempt.step, (attempt.path, attempt.number), recorder.past
    if past.skipped and attempt.path in past.skipped:
        return Outcome(past.skipped[attempt.path])
    if step.is_control:
        known = past.retried.get(key)
        if known is None:
            return await perform(walk, attempt)
        return await recorder.restoring.as_it_was(perform(walk, attempt), known.cancelled)
    spending = walk.run.spending
    if spending is not None:
        recall_requests(recorder, *key)
    outcome = past.outcomes.get(key)
    if recorder.retold is not None and (outcome is not None or key in past.late):
        await recorder.retold(*key)
    if isinstance(outcome, AttemptFailed):
        recorder.outcomes.take_up(*key, attempt.frame.state)
        error = recorder.outcomes.error_of(outcome)
        note_node(error, walk.run.record.number, step.node, attempt.path)
        return Outcome(signal=Failed(error))
    if key in past.late:
        return await be_late(walk, attempt, past.late[key].seconds)
    if outcome is not None and not outcome.again:
        recorder.outcomes.take_up(*key, attempt.frame.state)
        return Outcome(attempt.input if _gives_its_input(step) else outcome.output)
    if spending is not None:
        work = perform(walk, attempt)
        return await counting_requests(recorder, spending, *key, work)
    return await perform(walk, attempt)


def note_late(recorder: Recorder, path: str, number: int, seconds: float) -> None:
    """A node that runs no others, or a clean-up, did not end in its time; what follows it comes next."""
    if (path, number) not in recorder.past.late:
        recorder.journal.write(Late(path, number, seconds))


def note_failure(recorder: Recorder, step: Step, path: str, number: int, outcome: Outcome) -> None:
    """An attempt of a node failed: unless that is a cancellation of the whole program, it stands."""
    assert isinstance(outcome.signal, Failed)
    error = outcome.signal.error
    if is_a(error, INTERRUPTS):
        recorder.restoring.interrupted(f"interrupted by {name_of_interrupt(error)}")
    elif not step.is_control:
        recorder.outcomes.failed(path, number, error, describe_to_keep(error))


async def act_durably(
    run: RunContext,
    recorder: Recorder,
    attempt: Attempt,
    config: Any,
    work: Callable[[], Awaitable[Outcome]],
) -> Outcome:
    """Do a node's work once it is on disk that it begins, and write how it ended, for which nobody waits."""
    step, path, number = attempt.step, attempt.path, attempt.number
    if not recorder.acts and not _only_computes(step):
        known = opened_before(recorder, attempt)
        if known is None:
            await trio.sleep_forever()
        return open_later(known, attempt, trio.sleep_forever)
    if _gives_its_input(step):
        await sleep_durably(recorder, attempt, config.duration)
        recorder.outcomes.ended(path, number, None)
        return Outcome(attempt.input)
    opened = opened_before(recorder, attempt)
    if opened is not None:
        return open_later(opened, attempt, work)
    if _only_computes(step):
        return await work()
    is_noted = step.on_crash == "fail" or step.undoes_begun or not _is_repeatable(step, config)
    if is_noted:
        settings = _settings_of(recorder, step, config)
        if recorder.past.started:
            await look_for_earlier(recorder, path, number, step.label, settings, step.on_crash)
        begin(recorder, path, number, settings)
    # That it has passed a rate counts from now on, too.
    if is_noted or (run.limits is not None and any(run.limits.rates_of(step.limits))):
        await recorder.journal.synced()
        if recorder.decisions.pending:
            await recorder.decisions.hold(attempt.region)
    state = attempt.frame.state
    cookies = state.cookies
    try:
        outcome = await work()
    except BaseException:
        if state.cookies is not cookies:
            recorder.outcomes.set_cookies(path, number, cookies, state.cookies)
        raise
    has_set_some = state.cookies is not cookies
    if has_set_some:
        recorder.outcomes.set_cookies(path, number, cookies, state.cookies)
    stream = name_of_stream(outcome.output)
    if stream is not None:
        note_opened(recorder, attempt, stream, outcome.output, has_set_some)
        return outcome
    try:  # most outputs are small, and cost no coroutine
        recorder.outcomes.ended(path, number, outcome.output, has_set_some, LARGE)
        return outcome
    except TooLarge:
        pass
    await recorder.outcomes.ended_large(path, number, outcome.output, has_set_some)
    return outcome


def _settings_of(recorder: Recorder, step: Step, config: Any) -> str:
    """What stands for the settings of a node in the journal."""
    settings = recorder.digests.of_steps.get(step)
    if settings is None:
        settings = recorder.digests.of(_plain(config))
        if step.is_constant:
            recorder.digests.of_steps[step] = settings
    return settings


def begin(recorder: Recorder, path: str, number: int, settings: str) -> None:
    """Write that an attempt begins, with that hash of its settings.

    It is to be on disk before the attempt acts, and decisions that are on their way there with it.
    """
    recorder.has_begun = True
    recorder.journal.write(Started(path, number, settings))


async def look_for_earlier(
    recorder: Recorder, path: str, number: int, label: str, settings: str, on_crash: str
) -> None:
    """Look whether an earlier process had begun an attempt, and whether it may be done once more.

    Raises Diverged where it began with other settings, Interrupted where it is not to begin again.
    """
    earlier = recorder.past.started.get((path, number))
    if not earlier:
        return
    await checkpoint_if_cancelled()
    if earlier[0].settings != settings:
        said = f"the settings of {label!r} are not those with which it was begun"
        raise Diverged(f"{said} before the crash")
    crashes = recorder.past.crashes(path, number)
    if on_crash == "fail" or crashes >= recorder.max_crashes:
        raise Interrupted(label, crashes)


def _only_computes(step: Step) -> bool:
    """Whether nothing is on record of a node but that it fails.

    One that can be undone is on record as ended: what is owed for it does not hang on its being computed again.
    """
    return step.is_pure and not step.limits and step.compensate is None


def _gives_its_input(step: Step) -> bool:
    """Whether it is a ``<delay>``, which waits by the wall clock."""
    return step.node.kind == "delay"


def _is_repeatable(step: Step, config: Any) -> bool:
    """Whether nobody notices when it is done again, with these settings: it computes, or its runtime says so."""
    if step.is_pure:
        return True
    ask = getattr(innermost(step.runtime), "is_repeatable", None)
    return ask is not None and bool(ask(config))


def _plain(config: Any) -> Any:
    if isinstance(config, BaseModel):
        return {name: getattr(config, name) for name in type(config).model_fields}
    return config
