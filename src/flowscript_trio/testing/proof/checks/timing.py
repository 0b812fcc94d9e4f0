"""Owns the promise of time: none passes that no node asked for."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterator
from math import isclose

from ....execution.recovery import delay_of
from ....runtimes.control.results import ParallelResult
from ....runtimes.control.types import RetryConfig
from ....types.events import AttemptFailed, Event, TokenAwaited, TokenTaken
from ....types.exceptions import is_a
from ....types.limits import CircuitOpen
from ....types.paths import is_below
from ..calls import Call, Moment
from ..points import DeadlineAt
from ..probe import Jump
from ..story import Branch, Execution, Story
from .finding import Finding


def no_time_passes_unasked(story: Story) -> Iterator[Finding]:
    if story.trial.real or story.trial.has_others:
        return  # what threads, sockets and other runs ask for is not seen
    for jump in story.trial.probe.jumps:
        if jump.foreign or _is_asked(jump) or _may_wait(story, jump):
            continue
        running = [e.path for e in story.executions if _lasts(e, jump)]
        where = running[-1] if running else "the run"
        yield Finding(
            where,
            f"{jump.until - jump.since:g} s passed in {where} that no node had asked for",
        )


def _is_asked(jump: Jump) -> bool:
    """Whether a call waited until that time; a clock's sums are rounded."""
    return any(isclose(jump.until, asked, rel_tol=1e-9, abs_tol=1e-9) for asked in jump.asked)


def _may_wait(story: Story, jump: Jump) -> bool:
    """Whether a node was under way that waits outside of a call: before a further attempt, for an item, to start
    a branch, or for a rate.
    """
    return any(
        wait(story, execution, jump)
        for wait in (_waits_for_items, _paces, _rests, _waits_for_rate, _waits_for_circuit)
        for execution in story.executions
        if _lasts(execution, jump)
    )


def _waits_for_items(story: Story, execution: Execution, jump: Jump) -> bool:
    """Whether a loop takes its items from an async iterator, which may wait for the world."""
    opened = [moment for moment in execution.opened if moment.order < jump.order]
    terms = story.terms_of(execution, opened[-1]) if opened else None
    if terms is None or isinstance(terms.asked, ParallelResult):
        return False
    return terms.asked.debounce is not None or isinstance(terms.asked.collection, AsyncIterable)


def _paces(story: Story, execution: Execution, jump: Jump) -> bool:
    """Whether a block waited for the time at which its next branch was to start."""
    opened = [moment for moment in execution.opened if moment.order < jump.order]
    terms = story.terms_of(execution, opened[-1]) if opened else None
    if terms is None:
        return False
    asked = terms.asked
    paces = [asked.stagger, None if isinstance(asked, ParallelResult) else asked.throttle]
    starts = [branch.began.time for branch in story.branches_of(execution, opened[-1])]
    return any(
        isclose(jump.until, time + pace, rel_tol=1e-9, abs_tol=1e-9)
        for time in starts
        for pace in paces
        if pace is not None
    )


def _waits_for_rate(story: Story, execution: Execution, jump: Jump) -> bool:
    """Whether a node waited for limits of which one is a rate."""
    last: Event | None = None
    for event, moment in story.trial.probe.moments:
        if moment.order > jump.order:
            break
        told = isinstance(event, TokenAwaited | TokenTaken)
        if told and event.path == execution.path and moment.order > execution.began.order:
            last = event
    if not isinstance(last, TokenAwaited):
        return False
    found = (story.trial.limits.get(name) for name in last.limits)
    return any(limit is not None and limit.rate is not None for limit in found)


def _waits_for_circuit(story: Story, execution: Execution, jump: Jump) -> bool:
    """Whether a node waited for what was left of an open circuit before it was tried again."""
    for event, moment in story.trial.probe.moments:
        if (
            isinstance(event, AttemptFailed)
            and event.path == execution.path
            and moment.order < jump.order
            and is_a(event.error, CircuitOpen)
            and isclose(jump.until, moment.time + event.error.retry_after, rel_tol=1e-9)
        ):
            return True
    return False


def _rests(story: Story, execution: Execution, jump: Jump) -> bool:
    """Whether a node was between two attempts, for no longer than it says."""
    attempts = [
        attempt
        for attempt in story.trial.probe.notes.attempts
        if attempt.path == execution.path and execution.began.order < attempt.at.order < jump.order
    ]
    since = _rest_began(story, execution, attempts[-1].at, jump) if attempts else None
    if since is None:
        return False
    retries = attempts[-1].retries
    # Which of several decided is not known, and each counts its own: the only one has made them all.
    counts = (len(attempts),) if len(retries) == 1 else range(1, len(attempts) + 1)
    return any(
        _is_wait(story, retry, since + delay_of(retry, count, 1.0), jump)
        for retry in retries
        for count in counts
    )


def _is_wait(story: Story, retry: RetryConfig, until: float, jump: Jump) -> bool:
    """Whether a jump is the wait of a retry that may last until then."""
    if jump.until < until and (retry.jitter == "full" or _is_limit(story, jump.until)):
        return True
    return isclose(jump.until, until, rel_tol=1e-9, abs_tol=1e-9)


def _is_limit(story: Story, time: float) -> bool:
    """Whether a time limit, or a deadline from outside, passes at that time."""
    trial = story.trial
    times = [limit.since.time + limit.seconds for limit in trial.probe.notes.limits]
    times += [point.time for point in trial.points if isinstance(point, DeadlineAt)]
    return story.plan.has_unknown_limit or any(
        isclose(time, known, rel_tol=1e-9, abs_tol=1e-9) for known in times
    )


def _rest_began(story: Story, execution: Execution, since: Moment, jump: Jump) -> float | None:
    """When the attempt that began at ``since`` had ended; None if it was under way at the jump."""
    parts: list[Call | Execution | Branch] = [
        *execution.calls,
        *(e for e in story.executions if is_below(e.path, execution.path)),
        *(b for b in story.branches if is_below(b.path, execution.path)),
    ]
    last = since.time
    for part in parts:
        if not since.order - 1 <= part.began.order < jump.order:
            continue
        if part.ended is None or part.ended.order > jump.order:
            return None
        last = max(last, part.ended.time)
    return last


def _lasts(execution: Execution, jump: Jump) -> bool:
    began = execution.began.order < jump.order
    return began and (execution.ended is None or execution.ended.order > jump.order)
