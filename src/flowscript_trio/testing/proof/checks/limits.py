"""Owns the promises of time limits: each is around what it bounds, and is reported once it has passed."""

from __future__ import annotations

from collections.abc import Iterator

import trio

from ....types.exceptions import is_a
from ....types.looking import summary_of
from ....types.paths import depth_of, is_cleanup, is_in_handler, is_within
from ..story import Execution, Story
from ..terms import Limit
from .finding import Finding

ROUNDING = 1e-6
"""Seconds by which sums of times may differ."""


def time_limits_are_kept(story: Story) -> Iterator[Finding]:
    """A call is under every limit around it, and what took longer than its limit has not succeeded."""
    for call in story.trial.probe.calls:
        for limit in _limits_around(story, call.path, call.began.order):
            until = limit.since.time + limit.seconds
            if call.bound > until + ROUNDING:
                yield Finding(
                    limit.path or "the run",
                    f"{limit.path or 'the run'} has {limit.seconds:g} s, and {call.path} was called with "
                    f"{_seconds(call.bound - limit.since.time)}",
                )
    for execution in story.executions:
        if execution.ended is None or not _has_succeeded(execution):
            continue
        for limit in _own_limits(story, execution)[-1:]:
            took = execution.ended.time - limit.since.time
            if took > limit.seconds + ROUNDING and not _was_handled(story, execution, limit):
                yield Finding(
                    execution.path,
                    f"{execution.path} has {limit.seconds:g} s, took {took:g} s, and succeeded",
                )


def a_timeout_is_reported_when_its_time_has_passed(story: Story) -> Iterator[Finding]:
    """``TooSlowError`` of the engine is reported only for what has a limit that had passed."""
    inner = {id(error) for call in story.trial.probe.calls for error in call.errors}
    known: set[int] = set()
    for execution in sorted(story.executions, key=lambda e: depth_of(e.path), reverse=True):
        result = execution.result
        if result is None or execution.ended is None:
            continue
        for error in (result.error, *result.earlier):
            if not is_a(error, trio.TooSlowError) or id(error) in inner | known:
                continue
            known.add(id(error))
            if _has_passed(_own_limits(story, execution), execution.ended.time):
                continue
            unknown = story.plan.step(execution.node).linked and story.plan.has_unknown_limit
            if not unknown and not _was_cut_short(story, execution.path):
                yield Finding(
                    execution.path,
                    f"{execution.path} is reported as {summary_of(error)}, and had no limit that had passed",
                )
    error, ended = story.trial.error, story.trial.duration
    if is_a(error, trio.TooSlowError) and id(error) not in inner | known:
        if story.plan.has_unknown_limit:
            return
        own = [limit for limit in story.trial.probe.notes.limits if not limit.path]
        if not _has_passed(own, ended) and not _was_cut_short(story, ""):
            yield Finding(
                "the run",
                f"the run failed with {summary_of(error)}, and had no limit that had passed",
            )


def _limits_around(story: Story, path: str, order: int) -> Iterator[Limit]:
    """The limits that were around what began at a path at a moment: of each level, the last attempt's."""
    last: dict[str, Limit] = {}
    for limit in story.trial.probe.notes.limits:
        if limit.since.order > order or not is_within(path, limit.path):
            continue
        if is_cleanup(path, limit.path) or is_in_handler(path, limit.path):
            continue
        around = story.execution_around(limit.path, order) if limit.path else None
        if not limit.path or (around is not None and around.began.order < limit.since.order):
            last[limit.path] = limit
    yield from last.values()


def _own_limits(story: Story, execution: Execution) -> list[Limit]:
    """The limits of a node that has ended, one for each of its attempts."""
    assert execution.ended is not None
    began, ended = execution.began.order, execution.ended.order
    return [
        limit
        for limit in story.trial.probe.notes.limits
        if limit.path == execution.path and began < limit.since.order < ended
    ]


def _has_succeeded(execution: Execution) -> bool:
    return execution.result is not None and execution.result.status == "success"


def _was_handled(story: Story, execution: Execution, limit: Limit) -> bool:
    """Whether a handler ran after a limit: what it takes is not bounded."""
    return any(
        is_in_handler(other.path, limit.path) and other.began.order > limit.since.order
        for other in story.executions
    )


def _was_cut_short(story: Story, path: str) -> bool:
    """Whether clean-up below a path was cancelled: it has a time limit of its own, which is reported there."""
    return any(
        is_cleanup(other.path, path)
        for other in story.executions
        if is_within(other.path, path) and other.result and other.result.status == "cancelled"
    )


def _has_passed(limits: list[Limit], time: float) -> bool:
    return any(limit.since.time + limit.seconds <= time + ROUNDING for limit in limits)


def _seconds(time: float) -> str:
    return "no limit" if time > 1e9 else f"{time:g} s left"
