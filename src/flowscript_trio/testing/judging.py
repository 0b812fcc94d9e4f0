"""Owns the judgement of a case: what was expected of a run against what came of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ..execution.failures import failure_of
from ..execution.handle import Run
from ..parser.names import canonical
from ..types.describing import describe_safely, type_of
from ..types.exceptions import class_names
from ..types.looking import summary_of, text_of
from .cases import ANYTHING, Case, ExpectedError, pattern_of
from .comparing import compare, show
from .stage import Stage

PRECISION = 1e-6
"""Seconds by which a duration may differ: virtual time is exact, its sums are floats."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run in a case ended. ``run`` is None where what it was given did not fit, so that nothing ran;
    ``stuck`` says why it was given up, with the nodes that waited."""

    run: Run | None
    error: Exception | None
    stuck: str | None


def judge(case: Case, stage: Stage, ended: Ended) -> Iterator[str]:
    """What differs from what was expected, one line each."""
    for name, kind in stage.missing.items():
        yield (
            f"{name} ({kind}) ran and has no stub: give it one under `stubs`, or name it under `real`"
        )
    if ended.stuck is not None:
        yield ended.stuck
    run, expected = ended.run, case.expected
    if expected.is_nothing:
        yield "nothing is expected, so the case could not fail"
    if run is None:
        yield f"the run could not begin: {_said(ended.error)}"
        return
    unstubbed = bool(stage.missing)
    if expected.error is not None:
        yield from _judge_error(expected.error, ended)
    elif ended.error is not None and not unstubbed:
        yield f"the run failed: {_describe(ended.error)}"
    if expected.output is not ANYTHING and ended.error is None and ended.stuck is None:
        yield from compare(expected.output, run.output, "output")
    yield from _judge_time(case, run)
    yield from _judge_nodes(case, run)
    yield from _judge_calls(case, stage)
    for text in expected.warnings:
        if not any(text in warned.message for warned in run.warnings):
            found = "; ".join(warned.message for warned in run.warnings) or "none"
            yield f"warnings: expected {text!r}, found {found}"


def _judge_error(expected: ExpectedError, ended: Ended) -> Iterator[str]:
    error = ended.error
    if error is None:
        if ended.stuck is None:
            yield "error: the run was expected to fail, and it completed"
        return
    failure = failure_of(error)
    node = None if failure is None else failure.node
    status = describe_safely(error, None)["status"]
    if expected.type not in (
        None,
        type_of(error),
        *class_names(error),
    ):
        yield f"error.type: expected {expected.type}, found {summary_of(error)}"
    if expected.message is not None and not _has_message(expected.message, text_of(error)):
        yield f"error.message: expected {expected.message!r}, found {text_of(error)!r}"
    if expected.node not in (None, node):
        yield f"error.node: expected {expected.node}, found {node}"
    if expected.status not in (None, status):
        yield f"error.status: expected {expected.status}, found {status}"


def _has_message(expected: str, message: str) -> bool:
    pattern = pattern_of(expected)
    return expected in message if pattern is None else re.search(pattern, message) is not None


def _judge_time(case: Case, run: Run) -> Iterator[str]:
    expected, found = case.expected.duration, run.duration
    if expected is None or found is None:
        return
    if not math.isclose(expected, found, rel_tol=1e-9, abs_tol=PRECISION):
        yield f"duration: expected {expected:g} s, found {round(found, 6):g} s"


def _judge_nodes(case: Case, run: Run) -> Iterator[str]:
    expected, results = case.expected, run.results
    for name, status in expected.statuses.items():
        result = results.get(name)
        found = "nothing: it never ran" if result is None else result.status
        if found != status:
            why = "" if result is None or result.error is None else f" ({_describe(result.error)})"
            yield f"statuses.{name}: expected {status}, found {found}{why}"
    for name, attempts in expected.attempts.items():
        result = results.get(name)
        if result is None:
            yield f"attempts.{name}: expected {attempts}, but it never ran"
        elif result.attempts != attempts:
            yield f"attempts.{name}: expected {attempts}, found {result.attempts}"
    for name, value in expected.results.items():
        result = results.get(name)
        if result is None:
            yield f"results.{name}: expected {show(value)}, but it never ran"
        else:
            yield from compare(value, result.output, f"results.{name}")


def _judge_calls(case: Case, stage: Stage) -> Iterator[str]:
    expected = case.expected
    for name, count in expected.calls.items():
        found = stage.calls.get(name, 0)
        if found != count:
            yield f"calls.{name}: expected {count}, found {found}"
    for name, value in expected.inputs.items():
        last = stage.last.get(name)
        if last is None:
            yield f"inputs.{name}: expected {show(value)}, but it was not called"
        else:
            yield from compare(value, last[0], f"inputs.{name}")
    for name, settings in expected.settings.items():
        last = stage.last.get(name)
        if last is None:
            yield f"settings.{name}: it was not called"
            continue
        yield from _judge_settings(settings, settings_of(last[1]), f"settings.{name}")


def _judge_settings(expected: Any, found: dict[str, Any], path: str) -> Iterator[str]:
    by_name = {canonical(name): value for name, value in found.items()}
    for name, value in expected.items():
        if canonical(name) in by_name:
            yield from compare(value, by_name[canonical(name)], f"{path}.{name}")
        else:
            yield f"{path}.{name}: there is no such setting; it has {', '.join(sorted(found))}"


def settings_of(config: Any) -> dict[str, Any]:
    """The settings that a runtime was handed, by the names that documents give them."""
    if isinstance(config, BaseModel):
        return {
            field.alias or name: getattr(config, name)
            for name, field in type(config).model_fields.items()
        }
    return config if isinstance(config, dict) else {}


def _said(error: BaseException | None) -> str:
    return "" if error is None else text_of(error)


def _describe(error: BaseException) -> str:
    said = summary_of(error)
    failure = failure_of(error)
    if failure is None or failure.location is None:
        return said
    return f"{said} (node {failure.node} at {failure.location})"
