"""Owns the attempts of nodes that run no others: restored where they had ended, on disk before they may act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any

import trio
from pydantic import BaseModel

from ...program.compiled import Step
from ...runtimes.wrapping import innermost
from ...scheduler.policy import INTERRUPTS
from ...scheduler.signals import Failed
from ...types.durable import Diverged, Interrupted
from ...types.exceptions import class_name, is_a
from ..contexts import InContext
from ..describing import describe_safely
from ..failures import note_node
from ..frame import Attempt, Outcome
from ..handlers import be_late
from ..limiting import hold
from ..walk import Walk
from .entries import AttemptFailed, Late, Started
from .recorder import Recorder
from .timers import sleep_durably

Perform = Callable[[Walk, Attempt], Awaitable[Outcome]]


async def perform_durably(
    walk: Walk, recorder: Recorder, attempt: Attempt, perform: Perform
) -> Outcome:
    """Make an attempt of a node by ``perform``, unless an earlier process did, whose outcome stands."""
    step, key, past = attempt.step, (attempt.path, attempt.number), recorder.past
    if past.skipped and attempt.path in past.skipped:
        return Outcome(past.skipped[attempt.path])
    if step.is_control:
        if key not in past.retried:
            return await perform(walk, attempt)
        with trio.CancelScope(shield=True):  # something followed, so it had ended
            return await perform(walk, attempt)
    known = past.outcomes.get(key)
    if isinstance(known, AttemptFailed):
        error = _restored(recorder, known)
        note_node(error, walk.run.record.number, step.node, attempt.path)
        return Outcome(signal=Failed(error))
    if key in past.late:
        return await be_late(walk, attempt, past.late[key].seconds)
    if known is not None and not known.again:
        return Outcome(attempt.input if _gives_its_input(step) else known.output)
    return await perform(walk, attempt)


def note_late(recorder: Recorder, attempt: Attempt, seconds: float) -> None:
    """A node that runs no others did not end in its time; its handler comes next."""
    if (attempt.path, attempt.number) not in recorder.past.late:
        recorder.write(Late(attempt.path, attempt.number, seconds))


def note_failure(recorder: Recorder, step: Step, path: str, number: int, outcome: Outcome) -> None:
    """An attempt of a node failed: unless that is a cancellation of the whole program, it stands."""
    assert isinstance(outcome.signal, Failed)
    error = outcome.signal.error
    if is_a(error, INTERRUPTS):
        recorder.interrupted(f"interrupted by {class_name(error)}")
    elif not step.is_control:
        view = describe_safely(error, None)
        recorder.failed(path, number, error, view)


async def act_durably(
    limiter: trio.CapacityLimiter | None,
    recorder: Recorder,
    attempt: Attempt,
    config: Any,
    work: Callable[[], Coroutine[Any, Any, Outcome]],
) -> Outcome:
    """Do a node's work once it is on disk that it begins, and write how it ended, for which nobody waits."""
    step, path, number = attempt.step, attempt.path, attempt.number
    if _gives_its_input(step):
        await sleep_durably(recorder, path, number, config.duration)
        recorder.ended(path, number, None, False)
        return Outcome(attempt.input)
    context = copy_context()
    if limiter is not None and attempt.token is not None:
        hold(context, limiter, attempt.token)
    if step.is_pure:
        return await InContext(work(), context)
    if step.on_crash == "fail" or not _is_repeatable(step, config):
        await _begin(recorder, attempt, config)
    cookies = attempt.frame.state.cookies
    outcome = await InContext(work(), context)
    logged_in = attempt.frame.state.cookies is not cookies
    recorder.ended(path, number, outcome.output, logged_in)
    return outcome


async def _begin(recorder: Recorder, attempt: Attempt, config: Any) -> None:
    step, path, number = attempt.step, attempt.path, attempt.number
    settings = recorder.digest(_plain(config))
    earlier = recorder.past.started.get((path, number), [])
    if earlier:
        if earlier[0].settings != settings:
            raise Diverged(step.label)
        if step.on_crash == "fail" or len(earlier) >= recorder.max_crashes:
            raise Interrupted(step.label, len(earlier))
    recorder.write(Started(path, number, settings))
    await recorder.synced()
    await recorder.hold(attempt.region)


def _gives_its_input(step: Step) -> bool:
    """Whether it is a ``<delay>``, which waits by the wall clock."""
    return step.node.kind == "delay"


def _is_repeatable(step: Step, config: Any) -> bool:
    """Whether its runtime says that nobody notices when it is done again, with these settings."""
    ask = getattr(innermost(step.runtime), "is_repeatable", None)
    return ask is not None and bool(ask(config))


def _plain(config: Any) -> Any:
    if isinstance(config, BaseModel):
        return {name: getattr(config, name) for name in type(config).model_fields}
    return config


def _restored(recorder: Recorder, entry: AttemptFailed) -> BaseException:
    """The error of an attempt, of which expressions see what they saw."""
    return recorder.error_of(entry)
