"""Owns the promises of outputs: they stay as they were given, and a block's is made of its branches', in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ....language.elements import element_of
from ....runtimes.control.results import ParallelResult
from ..sameness import is_plain
from ..story import Execution, Story
from .finding import Finding

_UNKNOWN: Any = object()


def outputs_stay_as_given(story: Story) -> Iterator[Finding]:
    for call in story.trial.probe.calls:
        if call.changed_output:
            yield Finding(
                call.label,
                f"{call.name} changed its output after giving it away; give away a copy, or build a new one",
            )


def outputs_are_in_order(story: Story) -> Iterator[Finding]:
    """A block's output is a list of its branches', by index; the run's is that of its last node."""
    for block in story.executions:
        result = block.result
        if not block.opened or result is None or result.status != "success" or result.earlier:
            continue
        expected = _branch_outputs(story, block)
        if _differ(result.output, expected):
            yield Finding(
                block.path,
                f"{block.path} gave {result.output!r}, and its branches gave {expected!r}, by index",
            )
    trial = story.trial
    if trial.status == "completed":
        expected = _output_of_run(story)
        if _differ(trial.output, expected):
            yield Finding(
                "the run", f"the run gave {trial.output!r}, and its last node {expected!r}"
            )


def _differ(given: Any, expected: Any) -> bool:
    known = expected is not _UNKNOWN and is_plain(expected) and is_plain(given)
    return known and bool(given != expected)


def _branch_outputs(story: Story, block: Execution) -> Any:
    """What the branches of a block gave, by index, where all of them succeeded and nothing else is asked for."""
    terms = story.terms_of(block, block.opened[-1])
    if terms is None or not isinstance(terms.asked, ParallelResult):
        return _UNKNOWN
    if terms.need is not None or terms.asked.merge != "array":
        return _UNKNOWN
    branches = sorted(story.branches_of(block), key=lambda branch: branch.index)
    if len(branches) != terms.total or any(branch.status != "success" for branch in branches):
        return _UNKNOWN
    outputs = []
    for branch in branches:
        ran = [e for e in story.executions_in(branch) if e.prefix == f"{branch.path}/"]
        output = _output_of(story, ran)
        if output is _UNKNOWN:
            return _UNKNOWN
        outputs.append(output)
    return outputs


def _output_of_run(story: Story) -> Any:
    """What a ``<return>`` of the run's own document gave, else the output of its body."""
    for execution in story.executions:
        result = execution.result
        if element_of(execution.node).leaves != "document" or result is None:
            continue
        own = story.plan.program_of(execution.node).main is story.plan.main
        if own and result.status == "success":
            return result.output
    return _output_of(story, [each for each in story.executions if not each.prefix])


def _output_of(story: Story, ran: Sequence[Execution]) -> Any:
    """The output of a body: that of the last node in document order that ran and has one."""
    giving = [
        execution
        for execution in ran
        if story.plan.step(execution.node).has_output
        and (execution.result is None or execution.result.status != "skipped")
    ]
    result = max(giving, key=lambda execution: execution.node.key).result if giving else None
    if result is None or result.status != "success":
        return _UNKNOWN
    return result.output
