"""Owns the promises of errors: the first one surfaces, and none is lost on the way."""

from __future__ import annotations

from collections.abc import Iterator

import trio

from ....types.events import BranchEnded
from ....types.exceptions import is_a
from ....types.looking import summary_of
from ....types.paths import is_cleanup, is_iteration, owner_of, parent_of, without_attempt
from ....types.results import NodeResult
from ..chains import behind
from ..looks import endless_behind
from ..story import Branch, Execution, Story
from .finding import Finding


def the_first_error_surfaces(story: Story) -> Iterator[Finding]:
    """Of a block: the error of its first pass with errors, of those the first in document order."""
    for block in story.executions:
        result = block.result
        if result is None or result.status != "failed" or not block.opened:
            continue
        failed = [b for b in story.branches_of(block) if b.status == "failed" and b.ended]
        if _ended_from_outside(story, block):
            continue  # what surfaces in the place of Cancelled may come after what was tolerated
        if any(branch.error is result.error for branch in failed):
            yield from _check_first(block.path, result.error, _in_order(failed))
    yield from _check_run(story)


def _ended_from_outside(story: Story, block: Execution) -> bool:
    """Whether a block that may go on after an error was cancelled, and not by itself."""
    cancelled = any(branch.status == "cancelled" for branch in story.branches_of(block))
    asked = any(
        request.path == block.path and request.at.order > block.opened[-1].order
        for request in story.requests
    )
    return cancelled and not asked and not story.is_settled_by_first_error(block)


def _in_order(branches: list[Branch]) -> list[BaseException | None]:
    def key(branch: Branch) -> tuple[int, int]:
        assert branch.ended is not None
        return branch.ended.pass_number, branch.index

    return [branch.error for branch in sorted(branches, key=key)]


def _check_run(story: Story) -> Iterator[Finding]:
    """The run's own nodes: the same rule."""
    trial, steps = story.trial, story.plan.main.steps
    if trial.status != "failed":
        return
    failed: list[tuple[int, int, BaseException | None]] = []
    for index, step in enumerate(steps):
        for execution in story.by_path.get(step.label, ()):
            result = execution.result
            if execution.ended is not None and result is not None and result.status == "failed":
                failed.append((execution.ended.pass_number, index, result.error))
    failed.sort(key=lambda found: found[:2])
    errors = [error for *_, error in failed]
    if any(error is trial.error for error in errors):
        yield from _check_first("the run", trial.error, errors)


def _check_first(
    where: str, surfaced: BaseException | None, errors: list[BaseException | None]
) -> Iterator[Finding]:
    if errors[0] is not surfaced:
        message = f"{where} failed with {summary_of(surfaced)}, and its first error was {summary_of(errors[0])}"
        yield Finding(where, message)


def no_error_is_lost(story: Story) -> Iterator[Finding]:
    """What is raised in a node is on the record: as its error, in its groups, or behind it."""
    known = {id(error) for error in _on_record(story)}
    probe = story.trial.probe
    for call in probe.calls:
        planted = call.planted
        if planted is not None and id(planted) not in known and call.raised is None:
            yield Finding(
                call.label,
                f"{call.name} caught an error that it did not expect, and went on; catch only what is "
                "expected, or accept this of a runtime that is to handle every error",
            )
        for error in call.errors:
            if not is_a(error, trio.Cancelled) and id(error) not in known:
                message = f"{call.name} raised {summary_of(error)}, which is nowhere on the record"
                yield Finding(call.label, message)
    of_calls = {id(call.planted) for call in probe.calls}
    for planted in probe.planted:  # in control nodes
        if id(planted) not in known and id(planted) not in of_calls:
            yield Finding(str(planted), f"the error {planted} is nowhere on the record")


def looks_at_errors_end(story: Story) -> Iterator[Finding]:
    """What an error that a node raises does when it is looked at comes to an end."""
    for call in story.trial.probe.calls:
        for name, why in endless_behind(call.raised):
            yield Finding(
                call.label,
                f"{call.name} raised a {name} that cannot be looked at: {why}; what its class does in `__str__`, "
                "its properties and `add_note` holds up the whole program, so let it end at once",
            )


def _on_record(story: Story) -> Iterator[BaseException]:
    for execution in story.executions:
        result = execution.result
        if result is not None:
            for error in (result.error, *result.earlier, *result.possibly_masked):
                yield from behind(error)
    for event, _ in story.trial.probe.moments:
        if isinstance(event, BranchEnded):  # a branch can fail without a node in it
            yield from behind(event.error)
    yield from behind(story.trial.error)


def errors_are_passed_on(story: Story) -> Iterator[Finding]:
    """A node that fails ends what it is in: its branch, its block, or the run."""
    for execution in story.executions:
        result = execution.result
        if result is None or result.status != "failed" or is_cleanup(execution.path):
            continue
        around = owner_of(execution.prefix)
        status = _status_of(story, around, execution)
        if status in ("completed", "success", "skipped"):
            yield Finding(
                execution.path,
                f"{execution.path} failed with {summary_of(result.error)}, and {around or 'the run'} ended as "
                f"{status}",
            )
    for block in story.executions:
        result = block.result
        if block.opened and result is not None and not result.earlier:
            yield from _check_terms(story, block, result)


def _check_terms(story: Story, block: Execution, result: NodeResult) -> Iterator[Finding]:
    """A block succeeds and fails on the terms that it was asked for: this many successes, this many failures."""
    terms = story.terms_of(block, block.opened[-1])
    if terms is None:
        return
    left = {request.path for request in story.requests}
    branches = [b for b in story.branches_of(block) if b.path not in left]  # not broken out of
    failed = [branch for branch in branches if branch.status == "failed"]
    succeeded = sum(branch.status == "success" for branch in branches)
    lost, won = terms.is_lost(len(failed)), terms.is_won(succeeded)
    if result.status == "success" and lost and not won:
        message = f"{failed[-1].path} failed with {summary_of(failed[-1].error)}, and {block.path} succeeded"
        yield Finding(block.path, message)
    elif result.status == "success" and terms.need is not None and not won:
        yield Finding(
            block.path,
            f"{block.path} waits for {terms.need} of its branches to succeed; {succeeded} did, and it succeeded",
        )


def _status_of(story: Story, around: str, execution: Execution) -> str | None:
    """How what is around a node ended; None where it may end as it likes."""
    if not around:
        return story.trial.status
    order = execution.began.order
    branch = story.branch_around(around, order)
    if branch is not None:
        return branch.status
    if is_iteration(around):  # a round of a loop
        around = parent_of(around)
    found = story.execution_around(without_attempt(around), order)
    if found is None or found.result is None:
        return None
    return None if _has_answer(story, found, found.result) else found.result.status


def _has_answer(story: Story, around: Execution, result: NodeResult) -> bool:
    """Whether an error inside was answered: tried again, or handled."""
    step = story.plan.step(around.node)
    return bool(result.earlier) or step.on_timeout is not None
