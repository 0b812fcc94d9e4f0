"""Owns whether two runs are the same: the same events in the same order, at the same times."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from ...types.events import BranchEnded, CancelRequested, Event, NodeEnded, RunEnded
from .calls import Moment
from .story import Story


def difference_between(one: Story, other: Story) -> str | None:
    """What is different in two runs first, in words for people; None where nothing is.

    What leaf nodes gave is theirs; what the engine made of it is compared where they gave the same.
    """
    for first, second in zip_longest(history(one), history(other)):
        if first != second:
            return f"{_told(first)} in one, {_told(second)} in the other"
    if _outputs(one, leaves=True) != _outputs(other, leaves=True):
        return None
    pairs = zip(_outputs(one, leaves=False), _outputs(other, leaves=False), strict=True)
    for (path, first_output), (_, second_output) in pairs:
        if first_output != second_output:
            return f"{path} gave {first_output!r} in one, {second_output!r} in the other"
    return None


Happened = tuple[str, str, str, float]


def history(story: Story) -> list[Happened]:
    """What happened in a run, in order: events by kind, path, how it ended and when."""
    return [_happened(event, moment) for event, moment in story.trial.probe.moments]


def _happened(event: Event, moment: Moment) -> Happened:
    match event:
        case NodeEnded(result=result):
            how = f"{result.status} {_kind(result.error)} {result.attempts}"
        case BranchEnded(status=status, error=error) | RunEnded(status=status, error=error):
            how = f"{status} {_kind(error)}"
        case CancelRequested(cancellation=cancellation):
            how = f"by {cancellation.by}"
        case _:
            how = ""
    return type(event).__name__, event.path, how.strip(), moment.time


def _kind(error: BaseException | None) -> str:
    return "" if error is None else type(error).__name__


def _told(happened: Happened | None) -> str:
    if happened is None:
        return "nothing further"
    kind, path, how, time = happened
    return " ".join(filter(None, (kind, path, how, f"at {time:g} s")))


def _outputs(story: Story, leaves: bool) -> list[tuple[str, Any]]:
    """The outputs of the nodes that are leaves, or that are not, as far as they can be compared."""
    return [
        (execution.path, execution.result.output)
        for execution in story.executions
        if execution.result is not None
        and bool(execution.calls) == leaves
        and is_plain(execution.result.output)
    ]


def is_plain(value: Any) -> bool:
    """Whether a value is made of lists, objects, texts, numbers, true, false and null alone."""
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, (list, tuple)):
            pending += found
        elif isinstance(found, dict):
            pending += [*found.keys(), *found.values()]
        elif not isinstance(found, (str, bytes, int, float, bool, type(None))) or found != found:
            return False
    return True
