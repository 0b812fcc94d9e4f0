"""Owns compensation: what succeeded is undone, by the run, or sooner by a block that goes on without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..scheduler.policy import first_to_surface
from ..scheduler.signals import Failed
from ..types.describing import describe_safely
from ..types.paths import branch_in, is_below
from .context import Compensation
from .frame import Attempt, Outcome
from .walk import Walk


async def compensate(
    walk: Walk, view: Mapping[str, Any], owed: Callable[[Compensation], bool] = lambda _: True
) -> list[BaseException]:
    """Run what is owed of the run's compensations, in reverse order of completion, each once; their errors.

    Args:
        walk: the walk of the run.
        view: names that the bodies see: ``$error`` where there is one.
        owed: which of the compensations are; all of them at the end of a run.

    They are shielded from cancellation, each within its own bound.
    """
    pending = walk.run.compensations
    due: list[Compensation] = []
    rest: list[Compensation] = []
    for each in pending:
        (due if owed(each) else rest).append(each)
    pending[:] = rest  # first: none is ever run twice
    if (recorder := walk.run.recorder) is not None:
        due.sort(
            key=lambda each: recorder.compensations.order_of(each.path)
        )  # what is restored ends in any order
    errors = []
    for done in reversed(due):
        error = await done.undo(view)
        if error is not None:
            errors.append(error)
    return errors


async def compensate_inside(walk: Walk, path: str, error: BaseException) -> list[BaseException]:
    """Undo what succeeded in a block that failed and is tried again or handled; the errors of doing so.

    ``path`` is what stands for the failed attempt in the paths of what ran in it.
    """
    if not walk.run.compensations:
        return []
    source = walk.run.record.source_of(error)
    view = {"$error": describe_safely(error, source)}
    return await compensate(walk, view, lambda each: is_below(each.path, path))


async def without_losers(walk: Walk, attempt: Attempt, outcome: Outcome) -> Outcome:
    """Undo what succeeded in the branches of a block that goes on without them.

    The outcome is the block's, unless that failed and nothing else had.
    """
    is_lost, path = outcome.lost, attempt.inner
    assert is_lost is not None

    def is_owed(each: Compensation) -> bool:
        return is_below(each.path, path) and is_lost(branch_in(each.path, path))

    errors = await compensate(walk, {}, is_owed)
    if not errors:
        return outcome
    return Outcome(signal=failed_undoing(walk, errors), branches=outcome.branches)


def failed_undoing(walk: Walk, errors: Sequence[BaseException]) -> Failed:
    """What surfaces where nothing failed but undoing: its first error, as that of the node that it left."""
    first = first_to_surface(errors)
    return Failed(first, walk.run.record.origin_of(first))
