"""Owns what must hold of every run, however it was disturbed: each promise is one function of a trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from ..types.ast import BaseNode
from ..types.events import BlockStarted, BranchEnded, NodeEnded, NodeStarted, RunEnded
from .points import CancelAt, DeadlineAt
from .probe import Planted
from .trials import Trial

Check = Callable[[Trial], Iterator[str]]
"""Gives what is wrong with a trial, in sentences that say what to do."""


def every_run_ends(trial: Trial) -> Iterator[str]:
    if trial.endless:
        waiting = {event.path for event in trial.events if isinstance(event, NodeStarted)}
        yield f"the run waits without end for what nobody gives it; started were {', '.join(sorted(waiting))}"


def no_task_is_left(trial: Trial) -> Iterator[str]:
    for name in trial.left_tasks:
        yield (
            f"the task {name!r} outlived the run; start tasks in a nursery that the runtime itself opens "
            "and waits for"
        )
    if trial.crashed is not None:
        yield f"the run brought trio down: {type(trial.crashed).__name__}: {trial.crashed}"


def tokens_come_back(trial: Trial) -> Iterator[str]:
    for limiter in trial.probe.limiters:
        statistics = limiter.statistics()
        if statistics.borrowed_tokens or statistics.tasks_waiting:
            yield (
                f"a limiter has {statistics.borrowed_tokens} tokens out and {statistics.tasks_waiting} tasks "
                "waiting after the run; take tokens with `async with limiter`"
            )
    for crowd in trial.probe.crowded:
        yield f"more tokens were out than the limit: {crowd}"


def every_start_has_one_end(trial: Trial) -> Iterator[str]:
    started = Counter(event.path for event in trial.events if isinstance(event, NodeStarted))
    ended = Counter(event.path for event in trial.events if isinstance(event, NodeEnded))
    for path in started | ended:
        if started[path] != ended[path]:
            yield f"{path} started {started[path]} times and ended {ended[path]} times"
    runs = [event for event in trial.events if isinstance(event, RunEnded)]
    if trial.events and (len(runs) != 1 or trial.events[-1] is not runs[0]):
        yield "the run did not end with one event of its end"
    elif runs and runs[0].status != trial.status:
        yield f"the run said {runs[0].status}, and its caller saw {trial.status}"


def no_error_is_lost(trial: Trial) -> Iterator[str]:
    planted = [call.planted for call in trial.probe.calls if call.planted is not None]
    known = list(_errors_on_record(trial))
    for error in planted:
        if not any(found is error for found in known):
            yield f"the error {error} is nowhere on the record; do not catch errors that you did not expect"


def cancellation_is_told_as_it_is(trial: Trial) -> Iterator[str]:
    outside = [point for point in trial.points if isinstance(point, (CancelAt, DeadlineAt))]
    if trial.status == "cancelled" and not outside and not trial.endless:
        yield "the run was cancelled, and nobody cancelled it"
    if trial.status == "failed" and not list(_failures(trial)):
        yield f"the run failed with {trial.error!r}, and no node did"
    if trial.probe.cancelled_at is None or trial.status != "completed":
        return
    step, asked = trial.probe.cancelled_at
    if any(isinstance(event, NodeStarted) and passed > asked for event, passed in trial.passed):
        yield f"the run was cancelled at step {step}, began further nodes, and completed all the same"


def nobody_swallows_cancelled(trial: Trial) -> Iterator[str]:
    for call in trial.probe.calls:
        if call.swallowed:
            yield (
                f"{call.type} ({call.label!r}) was handed Cancelled and went on; let it pass: catch Exception, "
                "not BaseException, and raise again after cleaning up"
            )


def outputs_stay_as_given(trial: Trial) -> Iterator[str]:
    for call in trial.probe.calls:
        if call.before != call.output:
            yield f"the output of {call.label!r} was changed after {call.type} gave it away"


def the_first_error_surfaces(trial: Trial) -> Iterator[str]:
    """Of a block: the error of its first pass with errors, of those the first in document order."""
    failed: dict[str, list[tuple[int, int, BaseException]]] = {}
    for event, passed in trial.passed:
        if isinstance(event, BlockStarted):
            failed[event.path] = []
        elif isinstance(event, BranchEnded) and event.status == "failed":
            block = _block_of(event.path)
            if event.error is not None and block in failed:
                failed[block].append((passed, event.index, event.error))
        elif isinstance(event, NodeEnded) and event.path in failed:
            surfaced = event.result.error
            of_branches = failed.pop(event.path)
            if event.result.status != "failed" or all(e is not surfaced for *_, e in of_branches):
                continue
            first = min(of_branches, key=lambda found: found[:2])[2]
            if first is not surfaced:
                yield f"{event.path} failed with {surfaced!r}, and its first error was {first!r}"


def everybody_is_told_in_time(trial: Trial) -> Iterator[str]:
    """What waits under a block that fails is told within two passes of its first error."""
    first: dict[str, tuple[int, str]] = {}
    for event, passed in trial.passed:
        if isinstance(event, BranchEnded) and event.status == "failed":
            first.setdefault(_block_of(event.path), (passed, event.path))
        elif isinstance(event, NodeEnded) and event.path in first:
            failed_at, branch = first.pop(event.path)
            if event.result.status != "failed" or not _fails_fast(event.node):
                continue
            for call in trial.probe.calls:
                beside = call.path.startswith(event.path) and not call.path.startswith(branch)
                waited = call.began <= failed_at and (call.ended or passed) > failed_at + 2
                late = call.told is None or call.told > failed_at + 2
                if beside and waited and late and call.planted is None:
                    yield f"{call.path} was not told within two passes that {branch} had failed"


CHECKS: tuple[Check, ...] = (
    every_run_ends,
    no_task_is_left,
    tokens_come_back,
    every_start_has_one_end,
    the_first_error_surfaces,
    everybody_is_told_in_time,
    no_error_is_lost,
    cancellation_is_told_as_it_is,
    nobody_swallows_cancelled,
    outputs_stay_as_given,
)


def _failures(trial: Trial) -> Iterator[NodeEnded]:
    for event in trial.events:
        if isinstance(event, NodeEnded) and event.result.error is not None:
            yield event


def _errors_on_record(trial: Trial) -> Iterator[BaseException]:
    for event in trial.events:
        if isinstance(event, NodeEnded):
            result = event.result
            yield from result.earlier
            yield from result.possibly_masked
            pending = [] if result.error is None else [result.error]
            while pending:
                error = pending.pop()
                yield error
                if isinstance(error, BaseExceptionGroup):
                    pending += error.exceptions
                pending += [
                    e for e in (error.__cause__, error.__context__) if isinstance(e, Planted)
                ]


def _block_of(branch: str) -> str:
    """The path of the block that a branch (``fetch/1``) or an iteration (``each[3]``) belongs to."""
    return branch[: branch.rindex("[")] if branch.endswith("]") else branch.rpartition("/")[0]


def _fails_fast(node: BaseNode) -> bool:
    """Whether a block's first error cancels its siblings, whatever its other settings."""
    return not {"fail_fast", "wait", "tolerate", "merge"} & node.settings.keys()
