"""Owns what one layer of a scope holds as plain values that a store keeps, and back."""

from __future__ import annotations

from typing import Any

import trio

from ...journal.errors import ErrorFacts
from ...types.describing import describe_to_keep
from ...types.location import Location
from ...types.results import BranchResult, Cancellation, NodeMark, NodeResult
from ..state import Result, State
from .recorder import Recorder


def take(recorder: Recorder, state: State) -> list[Any]:
    """The results and variables that were written in a layer."""
    results, variables = state.written()
    return [{name: _plain(recorder, each) for name, each in results.items()}, variables]


def name_of_output(state: State, output: Any) -> str | None:
    """The id of the node in a layer that gave this very output, which need not be kept twice; None for none.

    A value in which something occurs twice is not plain JSON, which is written many times faster.
    """
    if type(output) not in (dict, list):
        return None
    for name, result in state.written()[0].items():
        if isinstance(result, NodeResult) and result.output is output:
            return name
    return None


def give_back(recorder: Recorder, state: State, taken: list[Any]) -> dict[str, NodeResult]:
    """Write into a layer what was taken of it; gives the results of nodes by their ids."""
    results = {name: _result(recorder, each) for name, each in taken[0].items()}
    state.rewrite(results, taken[1])
    return {name: each for name, each in results.items() if isinstance(each, NodeResult)}


def _plain(recorder: Recorder, result: Result | None) -> Any:
    if result is None:
        return None
    if isinstance(result, NodeMark):
        return [result.status, _error(recorder, result.error)]
    where, cause = result.location, result.cancelled_by
    return {
        "id": result.id,
        "label": result.label,
        "path": result.path,
        "status": result.status,
        "output": result.output,
        "duration": result.duration,
        "location": [where.file, where.line, where.column],
        "error": _error(recorder, result.error),
        "attempts": result.attempts,
        "earlier": [_error(recorder, each) for each in result.earlier],
        "cancelled": None if cause is None else [cause.by, cause.reason],
        "branches": [_plain_branch(recorder, each) for each in result.branches],
        "worker": result.worker,
    }


def _plain_branch(recorder: Recorder, branch: BranchResult) -> list[Any]:
    cause = branch.cancelled_by
    return [
        branch.index,
        branch.status,
        _error(recorder, branch.error),
        None if cause is None else [cause.by, cause.reason],
        branch.started,
        branch.item,
    ]


def _error(recorder: Recorder, error: BaseException | None) -> ErrorFacts | None:
    return None if error is None else recorder.coding.encode_error(error, describe_to_keep(error))


def _result(recorder: Recorder, made: Any) -> Result | None:
    if made is None:
        return None
    if isinstance(made, list):
        return NodeMark(made[0], _error_of(recorder, made[1]))
    return NodeResult(
        made["id"],
        made["label"],
        made["path"],
        made["status"],
        made["output"],
        trio.current_time(),
        made["duration"],
        Location(*made["location"]),
        _error_of(recorder, made["error"]),
        attempts=made["attempts"],
        earlier=tuple(filter(None, (_error_of(recorder, each) for each in made["earlier"]))),
        cancelled_by=_cause_of(made["cancelled"]),
        branches=tuple(_branch(recorder, each) for each in made["branches"]),
        worker=made["worker"],
    )


def _branch(recorder: Recorder, made: list[Any]) -> BranchResult:
    index, status, error, cause, started, item = made
    return BranchResult(index, status, _error_of(recorder, error), _cause_of(cause), started, item)


def _error_of(recorder: Recorder, kept: ErrorFacts | None) -> BaseException | None:
    return None if kept is None else recorder.coding.decode_error(kept)


def _cause_of(made: list[Any] | None) -> Cancellation | None:
    return None if made is None else Cancellation(made[0], made[1], trio.current_time())
