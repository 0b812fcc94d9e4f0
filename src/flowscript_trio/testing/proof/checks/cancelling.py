"""Owns the promises of cancellation: who hears of it and when, that nobody goes on, and how it is reported."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import trio

from ....scheduler.policy import INTERRUPTS
from ....types.exceptions import is_a, leaves_of
from ....types.looking import summary_of
from ....types.paths import is_below, is_cleanup, is_within
from ..calls import Call, Moment
from ..points import PlaceAt, is_from_outside
from ..story import Branch, Execution, Story
from .finding import Finding

ROUNDING = 1e-9
"""Seconds by which times may differ that are the same."""


@dataclass(frozen=True, slots=True)
class _Cancelled:
    """A region that is cancelled from a moment on: whoever waits in it hears of it within this many passes."""

    path: str
    at: Moment
    passes: int
    until: float
    """The order of the moment at which the region is over, and may start again."""
    beside: str | None = None
    """The branch whose end is the reason."""

    @property
    def order(self) -> int:
        return self.at.order

    @property
    def told_until(self) -> int:
        """The last pass in which to hear of it."""
        return self.at.pass_number + self.passes


def everybody_is_told_in_time(story: Story) -> Iterator[Finding]:
    """Whoever waits under a block that failed hears of it within two passes; under a request, in the next one."""
    for region in cancelled_regions(story):
        for call in story.trial.probe.calls:
            if not is_within(call.path, region.path) or is_cleanup(call.path, region.path):
                continue
            if region.beside is not None and is_within(call.path, region.beside):
                continue
            if _waited(call, region) and not _was_told(call, region):
                yield Finding(
                    call.path,
                    f"{call.path} did not learn in time that {region.path or 'the run'} was cancelled",
                )
        for execution in story.executions:
            under = is_within(execution.path, region.path)
            if not under or is_cleanup(execution.path, region.path) or story.trial.real:
                continue
            if region.beside is not None and is_within(execution.path, region.beside):
                continue
            if _rested(story, execution, region) and not _waits_for_reply(story, execution):
                yield Finding(
                    execution.path,
                    f"{execution.path} was between two attempts, and did not learn in time that "
                    f"{region.path or 'the run'} was cancelled",
                )


def cancelled_regions(story: Story) -> Iterator[_Cancelled]:
    """What was cancelled in a run: on request, where a block was settled, and from outside."""
    yield from _requested(story)
    yield from _settled(story)
    yield from _from_outside(story)


def _rested(story: Story, execution: Execution, region: _Cancelled) -> bool:
    """Whether a leaf node waited for its next attempt when its region was cancelled, and did so too long."""
    step = story.plan.step(execution.node)
    if step.is_control or step.retry is None or execution.began.order > region.order:
        return False
    ended = execution.ended
    if ended is not None and ended.pass_number <= region.told_until + 1:
        return False
    before = [call for call in execution.calls if call.began.order < region.order]
    over = bool(before) and all(call.ended and call.ended.order < region.order for call in before)
    below = any(
        is_below(other.path, execution.path) and other.began.order > execution.began.order
        for other in story.executions
    )
    return over and not below


def _waits_for_reply(story: Story, execution: Execution) -> bool:
    """Whether the proof has the reply of a node come late, so that it has not failed yet when its call has."""
    return any(
        isinstance(point, PlaceAt) and point.fate == "late" and point.label == execution.node.label
        for point in story.trial.points
    )


def _waited(call: Call, region: _Cancelled) -> bool:
    """Whether a call waited, with nothing that kept it from hearing of it, when it had to.

    No time passes before everybody hears of it, so there is no pass in which one could be late.
    """
    if call.began.order > region.order:
        return False
    wait = call.wait_in(region.at.pass_number)
    if wait is not None and wait.until and wait.until.time > region.at.time + ROUNDING:
        return not wait.shielded and not wait.deaf
    if call.ended is not None and call.ended.pass_number <= region.told_until:
        return False
    wait = call.wait_in(region.told_until)
    if wait is None or wait.since >= region.told_until:
        return False  # it has not come to a checkpoint yet
    return not wait.shielded and not wait.deaf


def _was_told(call: Call, region: _Cancelled) -> bool:
    told = call.told
    if told is None or told.pass_number > region.told_until:
        return False
    return told.order < region.order or told.time <= region.at.time + ROUNDING


def nothing_begins_under_a_cancelled_block(story: Story) -> Iterator[Finding]:
    """No node starts, and none is tried again, but in clean-up, which is shielded."""
    begun = [
        (execution.path, execution.began.order, "began")
        for execution in story.executions
        if execution.result is None or execution.result.status != "skipped"
    ]
    begun += [(call.path, call.began.order, "was tried") for call in story.trial.probe.calls]
    for region in (*_requested(story), *_from_outside(story)):
        for path, order, what in begun:
            under = is_within(path, region.path) and not is_cleanup(path, region.path)
            if under and region.order < order < region.until:
                where = region.path or "the run"
                yield Finding(path, f"{path} {what} after {where} had been cancelled")


def _requested(story: Story) -> Iterator[_Cancelled]:
    for request in story.requests:
        at, path = request.at, request.path
        until = _end_of(story, path, at.order)
        yield _Cancelled(path, at, 1, until)


def _end_of(story: Story, path: str, order: int) -> float:
    """The order of the moment at which a region that was cancelled is over.

    That is its end; of a node whose error something follows (a further attempt, its handler) the moment at
    which everything in it has ended that had begun.
    """
    around = story.by_path.get(path, [])
    parts: list[Execution | Branch] = [*story.executions, *story.branches]
    if any(story.plan.is_answered(execution.node) for execution in around):
        begun = [part for part in parts if is_below(part.path, path) and part.began.order < order]
        return max(
            _ends_after([p for p in begun if not is_cleanup(p.path, path)], order), default=order
        )
    own = [part for part in parts if part.path == path]
    return min(_ends_after(own, order), default=math.inf)


def _ends_after(parts: Sequence[Execution | Branch], order: int) -> list[int]:
    """When those of the parts ended that had not at a moment."""
    return [part.ended.order for part in parts if part.ended and part.ended.order > order]


def _settled(story: Story) -> Iterator[_Cancelled]:
    """The blocks that were settled before all had ended, from then on, whether or not they requested it."""
    for block in story.executions:
        for opening in block.opened:
            decisive = story.settling(block, opening)
            if decisive is None:
                continue
            at = decisive.ended
            assert at is not None
            yield _Cancelled(block.path, at, 2, math.inf, decisive.path)


def _from_outside(story: Story) -> Iterator[_Cancelled]:
    at = story.trial.probe.cancelled
    if at is not None:
        yield _Cancelled("", at, 1, math.inf)


def cancellation_is_reported_as_it_is(story: Story) -> Iterator[Finding]:
    """As neither success nor failure, from where it came, and a time limit as one."""
    trial = story.trial
    outside = any(map(is_from_outside, trial.points)) or _is_interrupted(story)
    if trial.status == "cancelled" and not outside and not trial.endless:
        yield Finding("the run", "the run was cancelled, and nobody cancelled it")
    for execution in story.executions:
        result = execution.result
        if result is None:
            continue
        path = execution.path
        for error in (result.error, *result.earlier):
            if _has_cancelled(error):
                yield Finding(
                    path, f"the cancellation of {path} is on the record as an error of it"
                )
        by = result.cancelled_by
        if result.status != "cancelled":
            if result.status == "success" and _was_cancelled(execution.calls[-1:], result.earlier):
                yield Finding(path, f"{path} was cancelled, and ended as {result.status}")
        elif by is None:
            yield Finding(path, f"{path} was cancelled, and the record does not say by whom")
        elif by.by is None and not outside and not trial.endless and not _by_handle(story):
            yield Finding(
                path, f"{path} is said to be cancelled from outside, and nobody did: {by.reason}"
            )
        elif (
            by.by
            and by.by not in trial.probe.lost
            and not any(is_within(known, by.by) for known in story.by_path)
        ):
            yield Finding(path, f"{path} is said to be cancelled by {by.by!r}, which never ran")
    if _has_cancelled(trial.error):
        yield Finding(
            "the run", f"the run's cancellation is reported as an error: {summary_of(trial.error)}"
        )


def _is_interrupted(story: Story) -> bool:
    """Whether code of a node raised what ends programs, and so ended the run: nobody cancels it then."""
    error = story.trial.error
    of_a_call = any(error is each for call in story.trial.probe.calls for each in call.errors)
    return of_a_call and is_a(error, INTERRUPTS)


def _by_handle(story: Story) -> bool:
    return any(not request.path for request in story.requests)


def _was_cancelled(calls: list[Call], earlier: tuple[BaseException, ...]) -> bool:
    """Whether the last call of a node was cancelled, and not for its time limit."""
    if any(is_a(error, trio.TooSlowError) for error in earlier):
        return False
    return any(is_a(call.raised, trio.Cancelled) for call in calls)


def _has_cancelled(error: BaseException | None) -> bool:
    return error is not None and any(is_a(leaf, trio.Cancelled) for leaf in leaves_of(error))


def a_cancellation_is_not_retried(story: Story) -> Iterator[Finding]:
    """Each attempt after the first follows an error that is on the record."""
    for execution in story.executions:
        result = execution.result
        if result is None or story.plan.step(execution.node).is_control:
            continue
        calls, path = execution.calls, execution.path
        if len(calls) > max(result.attempts, 1):
            tried = f"{path} was tried {len(calls)} times, and the record says {result.attempts}"
            yield Finding(path, tried)
        for call, error in zip(calls[:-1], result.earlier, strict=False):
            if call.stray or is_a(error, trio.TooSlowError):
                continue
            if is_a(call.raised, trio.Cancelled):
                yield Finding(path, f"{path} was cancelled, and tried again")


def nobody_swallows_cancelled(story: Story) -> Iterator[Finding]:
    for call in story.trial.probe.calls:
        if call.swallowed:
            yield Finding(
                call.label,
                f"{call.name} was handed Cancelled and went on; let it pass: catch Exception, not "
                "BaseException, and raise again after cleaning up",
            )


def status_fits(story: Story) -> Iterator[Finding]:
    """A run that was cancelled while it had nodes to run has not completed, and one that failed had an error."""
    trial = story.trial
    failed = any(e.result is not None and e.result.error is not None for e in story.executions)
    late = is_a(trial.error, trio.TooSlowError)  # told apart: see the time limits
    if trial.status == "failed" and not failed and not late:
        yield Finding("the run", f"the run failed with {summary_of(trial.error)}, and no node did")
    at = trial.probe.cancelled
    if at is None or trial.status != "completed":
        return
    for call in trial.probe.calls:
        told = call.told is not None and call.told.order > at.order
        if told and not is_cleanup(call.path) and is_a(call.raised, trio.Cancelled):
            yield Finding("the run", f"the run was cancelled in {call.path}, and completed")
