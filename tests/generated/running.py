"""Owns running a generated workflow in virtual time, and comparing what came of it with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import trio

import flowscript_trio as fs
from flowscript_trio.testing.proof.stepping import order_of, watching_limiters
from flowscript_trio.types.errors import EvaluationError
from flowscript_trio.types.events import Event, NodeEnded

from .model import Expected, expect
from .runtimes import Leaves
from .shapes import Workflow
from .writing import write


@dataclass
class Happened:
    """What came of a run, told as the model tells it."""

    status: str
    output: Any
    error: str | None
    end: float
    statuses: dict[str, str]


def run(workflow: Workflow, leaves: Leaves) -> Happened:
    """Run a workflow; asserts that it left nothing behind."""
    flow = fs.loads(write(workflow), name="generated.xml", registry=leaves.registry)
    leaves.reset()
    statuses: dict[str, str] = {}
    limiters: list[trio.CapacityLimiter] = []

    def note(event: Event) -> None:
        leaves.observe(event)
        if isinstance(event, NodeEnded):
            statuses[event.path] = event.result.status

    async def main() -> Happened:
        status, output, error = "cancelled", None, None
        tasks = _tasks()
        with trio.CancelScope(deadline=workflow.cancelled):
            try:
                done = await fs.run(flow, observers=[note])
                status, output = "completed", done.output
            except Exception as exc:
                status, error = "failed", _name(exc)
        assert _tasks() == tasks
        return Happened(status, output, error, trio.current_time(), statuses)

    with watching_limiters(limiters.append), order_of(workflow.seed):
        happened = trio.run(main, clock=leaves.clock)
    assert all(not limiter.borrowed_tokens for limiter in limiters)
    assert leaves.entered == leaves.left
    return happened


def _tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


def _name(error: Exception) -> str:
    if isinstance(error, EvaluationError):
        failure = fs.failure_of(error)
        assert failure is not None
        return f"evaluated: {failure.path}"
    if isinstance(error, trio.TooSlowError):
        return "too slow: " + str(error).split("'")[1]
    return error.message if isinstance(error, ExceptionGroup) else str(error)


def compare(workflow: Workflow, leaves: Leaves) -> Expected:
    """Run a workflow and compare it with the model; gives what was right."""
    expected = expect(workflow)
    happened = run(workflow, leaves)
    problems = _differences(expected, happened)
    assert not problems, "\n".join(
        [
            "",
            write(workflow),
            f"cancelled after {workflow.cancelled} s",
            f"model:  {expected}",
            f"engine: {happened}",
            *problems,
        ]
    )
    return expected


def _differences(expected: Expected, happened: Happened) -> list[str]:
    found = []
    for name in ("status", "output", "end", "statuses"):
        right, seen = getattr(expected, name), getattr(happened, name)
        if right != seen:
            found.append(f"{name}: the model has {right}, and the engine {seen}")
    if (happened.error is None) != (not expected.errors) or (
        happened.error is not None and happened.error not in expected.errors
    ):
        found.append(f"error: the model has {set(expected.errors)}, the engine {happened.error}")
    return found
