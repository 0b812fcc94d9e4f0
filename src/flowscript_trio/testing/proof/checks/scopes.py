"""Owns the promises of what is seen: nothing of an unfinished or failed block."""

from __future__ import annotations

from collections.abc import Iterator

from ....types.paths import (
    FALLBACK,
    is_below,
    is_within,
    levels_of,
    part_path,
    without_attempt,
)
from ....types.results import NodeResult
from ..calls import Call
from ..sameness import is_plain
from ..story import Execution, Story
from ..terms import Assigned
from .finding import Finding


def only_complete_blocks_are_seen(story: Story) -> Iterator[Finding]:
    """What a node sees of a block that it is not in is what that block published when it had ended."""
    for call in story.trial.probe.calls:
        for name, seen in call.sights.items():
            wrong = _wrong(story, call, seen)
            if wrong is not None:
                yield Finding(name, f"{call.path} saw {name!r} of {seen.path}: {wrong}")


def only_complete_blocks_set_variables(story: Story) -> Iterator[Finding]:
    """A variable that a node sees was set where it is itself, or by a block that had ended."""
    assigned = [(found, _result_of(story, found)) for found in story.trial.probe.notes.assigned]
    names = {name for found, _ in assigned for name in found.values}
    for call in story.trial.probe.calls:
        for name in names & call.variables.keys():
            value = call.variables[name]
            setters = [(a, result) for a, result in assigned if _is_set_by(a, name, value, call)]
            wrong = [_wrong_variable(story, call, found, result) for found, result in setters]
            if wrong and all(wrong):
                message = (
                    f"{call.path} saw the variable {name!r} of {setters[-1][0].path}: {wrong[-1]}"
                )
                yield Finding(name, message)


def _is_set_by(assigned: Assigned, name: str, value: object, call: Call) -> bool:
    if name not in assigned.values or assigned.at.order > call.began.order:
        return False
    given = assigned.values[name]
    return given is value or bool(is_plain(given) and is_plain(value) and given == value)


def _wrong_variable(
    story: Story, call: Call, assigned: Assigned, result: NodeResult | None
) -> str | None:
    """Why a call should not see what was assigned there, or None."""
    if result is None:
        return f"{assigned.path} had not ended"
    for level in levels_of(assigned.path):
        branch = story.branch_around(level, assigned.at.order)
        if branch is not None and not is_within(call.path, level):
            return f"{level} keeps its variables to itself"
    return _wrong(story, call, result)


def _result_of(story: Story, assigned: Assigned) -> NodeResult | None:
    execution = story.execution_around(assigned.path, assigned.at.order)
    return None if execution is None else execution.result


def _wrong(story: Story, call: Call, seen: NodeResult) -> str | None:
    """What is wrong with a result that a call saw when it began, or None."""
    source = _source(story, seen)
    if source is None or source.ended is None or seen.output is None:
        return None  # null is seen of what failed, was cancelled, or never ran
    for level in levels_of(seen.path):
        if is_within(call.path, level):
            continue
        block = _last(story, without_attempt(level), call.began.order)
        if block is None or block is source:
            continue
        if is_below(call.path, block.path) and not block.opened:
            continue
        if is_below(call.path, block.path):
            return f"it is in another branch of {block.path}"
        if block.ended is None or block.ended.order > call.began.order:
            if source.ended.order < block.began.order:
                continue  # of an execution of the block before this one
            return f"{block.path} had not ended"
        if block.result is not None and block.result.status in ("failed", "cancelled"):
            if source.ended.order > block.began.order:
                return f"{block.path} had {block.result.status}"
        elif _was_stood_in_for(story, block, seen):
            return f"{block.path} had failed, and its fallback took its place"
        elif block.opened and block.began.order < source.ended.order < block.opened[-1].order:
            return f"that attempt of {block.path} had failed"
    return _wrong_branch(story, call, seen, source)


def _was_stood_in_for(story: Story, block: Execution, seen: NodeResult) -> bool:
    """Whether every attempt of a block failed, and the result is not of the fallback that followed."""
    result, fallback = block.result, story.plan.step(block.node).fallback
    if result is None or fallback is None or len(result.earlier) < result.attempts:
        return False
    return not is_within(seen.path, part_path(block.path, FALLBACK))


def _wrong_branch(story: Story, call: Call, seen: NodeResult, source: Execution) -> str | None:
    assert source.ended is not None
    for level in levels_of(seen.path):
        for branch in story.branches_by_path.get(level, ()):
            holds = branch.began.order < source.ended.order
            over = branch.ended is not None and source.ended.order < branch.ended.order
            if holds and over and not is_within(call.path, level) and branch.status != "success":
                return f"the branch {level} had {branch.status}"
    return None


def _source(story: Story, seen: NodeResult) -> Execution | None:
    """The execution that a result is of."""
    return next((e for e in story.by_path.get(seen.path, ()) if e.result is seen), None)


def _last(story: Story, path: str, order: int) -> Execution | None:
    """The last execution at a path that had begun at a moment; None where no node has that path."""
    found = [e for e in story.by_path.get(path, ()) if e.began.order < order]
    return found[-1] if found else None
