"""Owns the promises of runtimes' conduct under cancellation: what they do with it, and in their clean-up."""

from __future__ import annotations

from collections.abc import Iterator

from ....types.looking import summary_of
from ....types.paths import is_cleanup, is_within
from ..calls import Call
from ..story import Story
from .cancelling import cancelled_regions
from .finding import Finding

LONGEST = 60.0
"""Virtual seconds for which a call may go on after it was cancelled: the time of clean-up six times over."""
ROUNDING = 1e-9


def cancelled_is_not_replaced(story: Story) -> Iterator[Finding]:
    """Whoever is handed ``Cancelled`` raises no error of its own in its place."""
    for call in story.trial.probe.calls:
        if call.replaced is not None:
            yield Finding(
                call.label,
                f"{call.name} was handed Cancelled and raised {summary_of(call.replaced)} in its place; let it "
                "pass: catch Exception, not BaseException, and end with a bare `raise` after cleaning up",
            )


def no_stored_cancelled_is_raised_again(story: Story) -> Iterator[Finding]:
    """``Cancelled`` is raised only where something is cancelled."""
    for call in story.trial.probe.calls:
        if call.stray:
            yield Finding(
                call.label,
                f"{call.name} raised a Cancelled although nothing around it was cancelled: one that was stored "
                "is another task's; store results and errors, and where a task was cancelled let the next one "
                "do the work again",
            )


def clean_up_is_not_cut_short(story: Story) -> Iterator[Finding]:
    """What awaits in clean-up is shielded: without a shield it is cancelled at once."""
    for call in story.trial.probe.calls:
        if call.cut_short:
            yield Finding(
                call.label,
                f"{call.name} awaited without a shield while it cleaned up, in {call.cut_short}, and was cut "
                "short there; put `with trio.move_on_after(5, shield=True)` around it",
            )


def nobody_holds_up_a_cancellation(story: Story) -> Iterator[Finding]:
    """A call that was cancelled ends within a minute, shielded or not."""
    if story.trial.real:
        return  # a thread cannot be interrupted, and no time passes while it works
    for call in story.trial.probe.calls:
        if call.ended is None:
            continue
        for since in _cancelled_at(story, call):
            took = call.ended.time - since
            if took > LONGEST + ROUNDING:
                yield Finding(
                    call.label,
                    f"{call.name} went on for {took:g} s after it was cancelled; bound what is shielded: "
                    "`with trio.move_on_after(5, shield=True)`",
                )


def _cancelled_at(story: Story, call: Call) -> Iterator[float]:
    """The times at which a call was cancelled, by what was around it or a time limit."""
    if call.told is not None:
        yield call.told.time
    for region in cancelled_regions(story):
        if not is_within(call.path, region.path) or is_cleanup(call.path, region.path):
            continue
        beside = region.beside is not None and is_within(call.path, region.beside)
        if not beside and call.ended and call.began.order < region.order < call.ended.order:
            yield region.at.time


def what_comes_too_late_is_no_success(story: Story) -> Iterator[Finding]:
    """A node that asks for its deadline, and sees it pass, does not end as if it had done its work."""
    for call in story.trial.probe.calls:
        if call.raised is not None or call.told is not None or call.ended is None:
            continue
        if any(deadline <= call.ended.time + ROUNDING for deadline in call.polled):
            yield Finding(
                call.label,
                f"{call.name} asked for its deadline, went on until that had passed, and called it success; do "
                "not poll: a wait raises Cancelled by itself (`await trio.lowlevel.checkpoint()` does so at once)",
            )


def nothing_is_held_across_a_yield(story: Story) -> Iterator[Finding]:
    """An async generator gives no item away inside a nursery, a cancel scope or a lock."""
    for held in story.trial.probe.generators.held.values():
        call = held.call
        subject, who = (held.generator, "") if call is None else (call.label, f"{call.name}: ")
        yield Finding(
            subject,
            f"{who}the async generator {held.generator} holds a {held.what} across its yield in line {held.line}; "
            "leave it before each yield, or send the items through a memory channel",
        )
