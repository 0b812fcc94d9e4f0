"""Owns limits with names over several processes: they are taken again, and no rate starts again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from ...types.describing import describe_safely
from ...types.limits import CircuitOpen
from ...types.paths import bound_path
from ..frame import Attempt, Outcome
from ..named_limits import RunLimits, Taken
from ..taking import Got, wait_for, with_limits
from ..walk import Walk
from .ends import note_over
from .entries import AttemptFailed, Passed
from .past import Past
from .recorder import Recorder

Perform = Callable[[Walk, Attempt], Awaitable[Outcome]]

CLOCK_ERROR = 2e-6
"""Seconds by which two readings of the wall clock may be off, which has microseconds."""


def limited(perform: Perform) -> Perform:
    """``perform``, while the attempt has the limits that it names."""

    async def perform_limited(walk: Walk, attempt: Attempt) -> Outcome:
        recorder, limits = walk.run.recorder, walk.run.limits
        assert recorder is not None
        assert limits is not None
        if attempt.step.is_control:
            return await _hold_block(walk, recorder, attempt, perform)

        def work(walk: Walk, attempt: Attempt) -> Awaitable[Outcome]:
            _note_passed(recorder, limits, attempt)
            return perform(walk, attempt)

        return await with_limits(walk, attempt, work)

    return perform_limited


async def _hold_block(
    walk: Walk, recorder: Recorder, attempt: Attempt, perform: Perform
) -> Outcome:
    """A block with its limits, unless an earlier process saw it give them back.

    One that had begun waits for them although it is cancelled meanwhile: its clean-up is owed, and holds them.
    Raises CircuitOpen.
    """
    path, number = attempt.path, attempt.number
    refused = recorder.past.outcomes.get((path, number))
    if isinstance(refused, AttemptFailed):
        raise recorder.outcomes.error_of(refused)
    key = bound_path(attempt.inner, "limits")
    if key in recorder.past.bodies:
        return await perform(walk, attempt)
    wait = wait_for
    if recorder.past.had_begun(path, number):

        async def wait(walk: Walk, attempt: Attempt, taken: Taken, token: object) -> Got:
            return await recorder.leaving.shielded(wait_for(walk, attempt, taken, token))

    try:
        return await with_limits(walk, attempt, perform, wait)
    except CircuitOpen as exc:
        recorder.outcomes.failed(path, number, exc, describe_safely(exc, None))
        raise
    finally:
        note_over(recorder, key, raised=False)


def _note_passed(recorder: Recorder, limits: RunLimits, attempt: Attempt) -> None:
    """Write of each rate among the limits that were taken when it has forgotten all that passed until now."""
    since = recorder.clock.time - trio.current_time()
    for name, meter in limits.rates_of(attempt.step.limits):
        key = bound_path(attempt.path, "limits")
        recorder.journal.passed(Passed(key, attempt.number, name, meter.full_at + since))


def restore_rates(limits: RunLimits, past: Past, time: float) -> None:
    """Let the rates of a run go on, by what its earlier processes let pass. ``time`` is that of the wall clock."""
    since = trio.current_time() - time
    for name, full_at in past.rates.items():
        limits.resume_rate(name, full_at + since + CLOCK_ERROR)
