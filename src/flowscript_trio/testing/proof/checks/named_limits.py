"""Owns the promises of limits with names: never more than ``max`` at once, no rate exceeded, all given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from ....types.ast import BaseNode
from ....types.location import Text
from ....types.paths import COMPENSATE, FALLBACK, is_below, part_path
from ..named_limits import Allowed
from ..story import Execution, Story
from .finding import Finding

Span = tuple[int, int]
"""From when until when something was, as numbers in the order of all that happened."""

_SLACK = 1e-6
"""Of one passage: how much times may be off by rounding."""


def no_more_hold_a_limit_than_its_max(story: Story) -> Iterator[Finding]:
    for name, spans in _held(story).items():
        allowed = story.trial.limits.get(name)
        most = _most_at_once(spans)
        if allowed is not None and most > allowed.max:
            yield Finding(
                name,
                f"the limit {name!r} was held by {most} at once, and its max is {allowed.max:g}",
            )


def no_more_hold_a_limit_over_all_runs(story: Story) -> Iterator[Finding]:
    for name, (allowed, most) in story.trial.overfull.items():
        yield Finding(
            name,
            f"the limit {name!r} was held by {most} at once, in all runs together, and its max is {allowed:g}",
        )


def rates_are_kept(story: Story) -> Iterator[Finding]:
    """When a node that waits for a token of the run passed its limits is not known."""
    if story.trial.has_limiter:
        return
    for name, times in _passages(story).items():
        allowed = story.trial.limits.get(name)
        if allowed is not None and (excess := _excess(allowed, times)):
            yield Finding(name, f"the limit {name!r} has the rate {allowed.rate}, and {excess}")


def limits_are_given_back(story: Story) -> Iterator[Finding]:
    for name, allowed in story.trial.limits.items():
        if allowed.taken or allowed.waiting:
            yield Finding(
                name,
                f"the limit {name!r} has {allowed.taken} out and {allowed.waiting} waiting after the run",
            )


def names_in(node: BaseNode) -> tuple[str, ...]:
    """The limits that a node takes."""
    text = None if node.limit is None else node.limit.value
    return tuple(text.value.replace(",", " ").split()) if isinstance(text, Text) else ()


def _held(story: Story) -> dict[str, list[Span]]:
    """When each limit was held, as far as it is seen: during calls of leaf nodes, and what is inside blocks."""
    held: dict[str, list[Span]] = defaultdict(list)
    for execution in story.executions:
        for name in names_in(execution.node):
            held[name] += _calls(execution) or _insides(execution, story)
    return held


def _calls(execution: Execution) -> list[Span]:
    return [
        (call.began.order, call.ended.order) for call in execution.calls if call.ended is not None
    ]


def _insides(execution: Execution, story: Story) -> list[Span]:
    """Of each attempt of a block from the first beginning in it to the last end."""
    apart = [part_path(execution.path, part) for part in (FALLBACK, COMPENSATE)]
    spans: dict[str, Span] = {}
    for other in story.executions:
        if not is_below(other.path, execution.path) or other.ended is None:
            continue
        if any(is_below(other.path, part) for part in apart) or not _is_during(other, execution):
            continue
        attempt = _attempt_of(other.path, execution.path)
        began, ended = spans.get(attempt, (other.began.order, other.ended.order))
        spans[attempt] = min(began, other.began.order), max(ended, other.ended.order)
    return list(spans.values())


def _is_during(other: Execution, execution: Execution) -> bool:
    last = execution.ended
    return execution.began.order < other.began.order and (
        last is None or other.began.order < last.order
    )


def _attempt_of(path: str, above: str) -> str:
    """The mark of the attempt of ``above`` that a path below it leads through: ``~2``; empty for the first."""
    rest = path[len(above) :]
    return rest[: len(rest) - len(rest.lstrip("~0123456789"))] if rest.startswith("~") else ""


def _most_at_once(spans: list[Span]) -> int:
    changes = [(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans]
    return max(accumulate(change for _, change in sorted(changes)), default=0)


def _passages(story: Story) -> dict[str, list[float]]:
    """When each limit was passed, in order."""
    found: dict[str, list[float]] = defaultdict(list)
    for execution in story.executions:
        for name in names_in(execution.node):
            found[name] += [call.began.time for call in execution.calls]
    return {name: sorted(times) for name, times in found.items()}


def _excess(allowed: Allowed, times: list[float]) -> str | None:
    """In which stretch of time too many passed; None where in none did."""
    rate = allowed.rate
    if rate is None:
        return None
    for last in range(len(times)):
        for first in range(last):
            passed, seconds = last - first + 1, times[last] - times[first]
            if passed > allowed.burst + seconds * rate.count / rate.seconds + _SLACK:
                return f"{passed} passed in {seconds:g} s with a burst of {allowed.burst}"
    return None
