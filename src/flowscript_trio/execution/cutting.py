"""Owns what was cut off while at work and may have acted: a ``<compensate also="begun">`` undoes it, too."""

from __future__ import annotations

from collections.abc import Awaitable

from ..program.compiled import Step
from ..scheduler.raised import error_of
from .context import RunContext
from .frame import Attempt, Outcome


async def noting_a_cut(run: RunContext, attempt: Attempt, work: Awaitable[Outcome]) -> Outcome:
    """Do the work of a node, and remember where it was cancelled in the middle of it, by whomever."""
    if run.recorder is not None and attempt.step.is_control:
        from .durable.ends import note_begun  # only a run with a store needs it

        note_begun(run.recorder, attempt.inner)
    try:
        return await work
    except BaseException as exc:
        if error_of(exc) is None:
            run.cut.add(attempt.path)
        raise


def was_cut(run: RunContext, step: Step, path: str) -> bool:
    """Whether a node that did not succeed was cut off while at work, here or in a process that died."""
    if not step.undoes_begun:
        return False
    return path in run.cut or (run.recorder is not None and run.recorder.past.was_cut(path))
