"""Owns the promises of ends: everything that began has one, and what was entered was left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ....types.events import NodeEnded, NodeStarted, RunEnded
from ....types.looking import summary_of
from ....types.paths import (
    COMPENSATE,
    FINALLY,
    above,
    cleanup_path,
    is_cleanup,
    label_of,
    owner_of,
    parent_of,
    part_path,
    prefix_in,
    prefix_of,
)
from ..story import Story
from .finding import Finding


def every_run_ends(story: Story) -> Iterator[Finding]:
    trial = story.trial
    if trial.crashed is not None:
        yield Finding("the run", f"the run brought trio down: {summary_of(trial.crashed)}")
    if not trial.endless:
        return
    if trial.stopped:
        yield from _goes_on_although_cancelled(story)
        return
    running = [call for call in trial.probe.calls if call.told is not None or call.ended is None]
    spinning = [
        call for call in running if len(call.waits) * len(running) > trial.probe.most_steps / 2
    ]
    for call in spinning or running:
        what = "goes on" if spinning else "waits"
        yield Finding(
            call.path,
            f"{call.name} {what} without end for what nobody gives it; set a `timeout`, or stub the node",
        )
    if not running:
        yield Finding("the run", "the run waits without end, and no node of it does")


def _goes_on_although_cancelled(story: Story) -> Iterator[Finding]:
    running = [call for call in story.trial.probe.calls if call.ended is None]
    for call in running:
        if story.trial.probe.is_hopeless:
            what = (
                "goes on without end although it is cancelled: it swallows `Cancelled` each time; "
                "catch `Exception`, or let `Cancelled` pass"
            )
        else:
            what = (
                "waits without end although it is cancelled: nobody gives it what it waits for under a shield; "
                "bound what is shielded: `with trio.move_on_after(5, shield=True)`"
            )
        yield Finding(call.path, f"{call.name} {what}")
    if not running:
        yield Finding(
            "the run",
            "the run goes on without end although it is cancelled, and no node of it does",
        )


def every_start_has_one_end(story: Story) -> Iterator[Finding]:
    trial = story.trial
    started = Counter(event.path for event in story.events if isinstance(event, NodeStarted))
    ended = Counter(event.path for event in story.events if isinstance(event, NodeEnded))
    for path in started | ended:
        if started[path] != ended[path]:
            message = f"{path} started {started[path]} times and ended {ended[path]} times"
            yield Finding(path, message)
    for branch in story.branches:
        if branch.ended is None:
            yield Finding(branch.path, f"{branch.path} was begun and has no end")
    events = list(story.events)
    ends = [event for event in events if isinstance(event, RunEnded)]
    if events and (len(ends) != 1 or events[-1] is not ends[0]):
        yield Finding("the run", "the run did not end with one event of its end")
    elif ends and ends[0].status != trial.status:
        seen = f"the run said {ends[0].status}, and its caller saw {trial.status}"
        yield Finding("the run", seen)


def clean_up_runs(story: Story) -> Iterator[Finding]:
    """A ``<finally>`` runs once for each time that its body was entered."""
    entered: dict[str, str] = {}
    for execution in story.executions:
        body = story.plan.body_around(execution.node)
        if body is not None and body.cleanup is not None and body.cleanup.steps:
            entered[execution.prefix] = body.cleanup.steps[0].label
    for prefix, first in entered.items():
        if f"{prefix_in(cleanup_path(prefix, FINALLY))}{first}" not in story.by_path:
            yield Finding(
                prefix, f"{prefix or 'the run'} was entered, and its <finally> did not run"
            )


def compensations_run(story: Story) -> Iterator[Finding]:
    """After a run that failed or was cancelled, in reverse order of completion; after no other.

    But what a block has done without is undone before the block goes on. What goes wrong in the run's own
    ``<finally>`` comes too late for them.
    """
    due = []
    for execution in story.executions:
        body = story.plan.compensation_of(execution.node)
        if body is None or not body.steps or execution.ended is None or execution.result is None:
            continue
        if execution.result.status == "success":
            first = f"{prefix_in(part_path(execution.path, COMPENSATE))}{body.steps[0].label}"
            due.append((execution.ended.order, execution.path, first))
    due.sort(reverse=True)
    branches = {branch.path: branch.status for branch in story.branches}
    ran = []
    for _, path, first in due:
        found = story.by_path.get(first, [])
        if len(found) > 1:
            yield Finding(path, f"{path} was compensated {len(found)} times")
        if not found and _went_wrong(story):
            yield Finding(path, f"{path} succeeded, the run did not, and it was not compensated")
        elif not found and _was_done_without(story, branches, path):
            message = f"{path} was not compensated, and its block went on without its branch"
            yield Finding(path, message)
        elif not _may_be_undone(story, branches, path):
            ran += [execution.began.order for execution in found[:1]]
            if story.trial.status == "completed" and found:
                yield Finding(path, f"{path} was compensated, and the run completed")
    if ran != sorted(ran):
        yield Finding("the run", "compensations did not run in reverse order of completion")


def _may_be_undone(story: Story, branches: Mapping[str, str | None], path: str) -> bool:
    """Whether something around a node may have gone on without it: a further attempt, a handler, a block."""
    for around in above(path):
        if branches.get(around, "success") != "success":
            return True
        for execution in story.by_path.get(around, []):
            if execution.node.settings.keys() & {"wait", "on_timeout"}:
                return True
            if execution.result is not None and execution.result.earlier:
                return True
    return False


def _was_done_without(story: Story, branches: Mapping[str, str | None], path: str) -> bool:
    """Whether a branch around a node did not succeed, and its block did, at the first attempt."""
    for around in above(path):
        if branches.get(around, "success") != "success":
            results = [execution.result for execution in story.by_path.get(parent_of(around), [])]
            if any(each and each.status == "success" and not each.earlier for each in results):
                return True
    return False


def _went_wrong(story: Story) -> bool:
    """Whether the run failed or was cancelled before its own clean-up."""
    trial = story.trial
    if trial.status != "failed":
        return trial.status == "cancelled"
    for execution in story.executions:
        result = execution.result
        if result is None or is_cleanup(execution.path):
            continue
        if result.error is trial.error or (result.cancelled_by and result.cancelled_by.by == ""):
            return True
    return False


def no_error_in_clean_up_is_dropped(story: Story) -> Iterator[Finding]:
    """An error of clean-up surfaces where nothing else does."""
    for execution in story.executions:
        result, prefix = execution.result, execution.prefix
        part = label_of(owner_of(prefix))
        owner = owner_of(prefix_of(owner_of(prefix)))
        if result is None or result.status != "failed" or not is_cleanup(part):
            continue
        status = story.trial.status
        order = execution.began.order
        branch = story.branch_around(owner, order)
        around = story.execution_around(owner, order)
        if part == FINALLY and branch is not None:
            status = branch.status or "open"  # type: ignore[assignment]
        elif part == FINALLY and around is not None:
            if around.result is None or around.result.earlier:
                continue
            status = around.result.status  # type: ignore[assignment]
        if status != "failed":
            where = owner or "the run"
            yield Finding(
                execution.path,
                f"{execution.path} failed in clean-up, and {where} ended as {status}",
            )
