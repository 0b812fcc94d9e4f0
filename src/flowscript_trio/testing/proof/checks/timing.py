"""Owns the promise of time: none passes that no node asked for."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

from ..probe import Jump
from ..story import Execution, Story
from .finding import Finding

_WAIT_BY_THEMSELVES = frozenset({"control:checkpoint", "control:foreach"})
"""Control nodes that may wait for what the application gives: an answer, the next item."""


def no_time_passes_unasked(story: Story) -> Iterator[Finding]:
    if story.trial.real:
        return  # what threads and sockets ask for is not seen
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
    """Whether a node was under way that waits outside of a call: before a further attempt, or for the world."""
    for execution in story.executions:
        if not _lasts(execution, jump):
            continue
        step = story.plan.step(execution.node)
        calls = [call for call in execution.calls if call.began.order < jump.order]
        resting = not calls or (calls[-1].ended is not None and calls[-1].ended.order < jump.order)
        if step.retry is not None and resting:
            return True
        if execution.node.type in _WAIT_BY_THEMSELVES:
            return True
    return False


def _lasts(execution: Execution, jump: Jump) -> bool:
    began = execution.began.order < jump.order
    return began and (execution.ended is None or execution.ended.order > jump.order)
