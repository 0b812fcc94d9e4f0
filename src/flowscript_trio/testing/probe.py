"""Owns the probe: it counts a run's steps, disturbs it at its points, and sees what runtimes do with it."""

from __future__ import annotations

import math
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import trio

from ..runtimes.registry import Registry
from ..runtimes.types import ConfigModel, ExecutionParams, NodeRuntime
from ..types.errors import FlowScriptError
from ..types.events import Event, NodeStarted
from .points import CancelAt, DeadlineAt, Point, RaiseAt
from .stepping import step_through


class Planted(FlowScriptError):
    """The error that a proof raises inside of a node."""

    retryable = False


@dataclass(slots=True)
class Call:
    """One call of a runtime: where, how often it waited, what was planted, and how it ended."""

    label: str
    number: int
    type: str
    path: str = ""
    began: int = 0
    """The pass of the scheduler in which it began; ``told`` that in which it was handed ``Cancelled`` first."""
    told: int | None = None
    ended: int | None = None
    waits: int = 0
    planted: Planted | None = None
    swallowed: bool = False
    output: Any = None
    before: Any = None
    """A copy of the output as it was when it was given away."""


@dataclass(eq=False)
class Probe(trio.abc.Instrument):
    """Watches one run. ``points`` are where it is disturbed."""

    points: tuple[Point, ...] = ()
    steps: int = 0
    passes: int = 0
    calls: list[Call] = field(default_factory=list)
    tasks: dict[trio.lowlevel.Task, None] = field(default_factory=dict)
    limiters: list[trio.CapacityLimiter] = field(default_factory=list)
    crowded: list[str] = field(default_factory=list)
    times: set[float] = field(default_factory=set)
    last_step: int = 0
    cancelled_at: tuple[int, int] | None = None
    """The step and pass of the cancellation from outside."""

    def __post_init__(self) -> None:
        self._scope: trio.CancelScope | None = None
        self._counts: Counter[str] = Counter()
        self._cancel = {p.step for p in self.points if isinstance(p, CancelAt)}
        self._raise = {(p.path, p.call): p.wait for p in self.points if isinstance(p, RaiseAt)}
        self._started = 0.0
        self._paths: dict[trio.lowlevel.Task, str] = {}

    @property
    def is_planted(self) -> bool:
        return any(call.planted is not None for call in self.calls)

    def note(self, event: Event) -> None:
        """Know which path the task of a node that starts is at."""
        if isinstance(event, NodeStarted):
            self._paths[trio.lowlevel.current_task()] = event.path

    def begin(self, scope: trio.CancelScope) -> None:
        """The run is about to begin, inside of ``scope``."""
        self._scope = scope
        self._started = trio.current_time()
        for point in self.points:
            if isinstance(point, DeadlineAt):
                scope.deadline = min(scope.deadline, self._started + point.time)

    def end(self) -> None:
        """The run is over: what follows is none of its."""
        self.last_step = self.steps
        self._scope = None

    # ---- trio's instrument ----

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._scope is None:
            return
        self.steps += 1
        if self.steps in self._cancel and not self._scope.cancel_called:
            self.cancelled_at = (self.steps, self.passes)
            self._scope.cancel(REASON)

    def before_io_wait(self, timeout: float) -> None:
        self.passes += 1
        if self._scope is not None:
            for limiter in self.limiters:
                if limiter.borrowed_tokens > limiter.total_tokens:
                    self.crowded.append(f"{limiter.borrowed_tokens} of {limiter.total_tokens}")

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if self._scope is not None:
            self.tasks[task] = None

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        self.tasks.pop(task, None)

    # ---- the leaf nodes ----

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Run a node step by step, and raise in it what is planted there."""
        path, task = params.node.label, trio.lowlevel.current_task()
        self._counts[path] += 1
        call = Call(
            path, self._counts[path], runtime.type, self._paths.get(task, path), self.passes
        )
        self.calls.append(call)
        stepper = _Stepper(self, call, self._raise.get((path, call.number)))
        error = stepper.at_wait()
        if error is not None:
            raise error
        try:
            output = await step_through(runtime.execute(params), stepper)
        finally:
            call.ended = self.passes
        call.swallowed = stepper.was_cancelled and _is_cancelled()
        call.output, call.before = output, _copy(output)
        return output


REASON = "the proof cancels the run"


class _Stepper:
    def __init__(self, probe: Probe, call: Call, plant: int | None) -> None:
        self._probe = probe
        self._call = call
        self._plant = plant
        self._next = 0
        self.was_cancelled = False

    def at_wait(self) -> BaseException | None:
        number = self._next
        self._next += 1
        self._call.waits = number
        if self._call.planted is None and self._plant == number:
            self._call.planted = Planted(f"planted in {self._call.label!r}")
            return self._call.planted
        return None

    def at_resume(self, handed: BaseException | None) -> None:
        self._probe.times.add(trio.current_time())
        if isinstance(handed, trio.Cancelled):
            self.was_cancelled = True
            if self._call.told is None:
                self._call.told = self._probe.passes


def _is_cancelled() -> bool:
    """Whether what is around the node is cancelled now."""
    return trio.current_effective_deadline() == -math.inf


def _copy(value: Any) -> Any:
    try:
        return deepcopy(value)
    except Exception:  # what cannot be copied cannot be compared
        return value


class ProbedRegistry(Registry):
    """The runtimes of a workflow; ``probe`` steps through every leaf among them.

    A workflow is compiled once with it, and run many times, each with a probe of its own.
    """

    def __init__(self, base: Registry) -> None:
        super().__init__(base)
        self.probe = Probe()

    def _find(self, name: str) -> NodeRuntime | None:
        found = super()._find(name)
        if found is None or name.startswith("control:"):
            return found
        return _Probed(self, found)


class _Probed:
    """A runtime that the probe of its registry steps through."""

    def __init__(self, registry: ProbedRegistry, real: NodeRuntime) -> None:
        self._registry = registry
        self._real = real
        self.type: str = real.type
        self.config: ConfigModel | None = real.config
        self.reads_only: bool = real.reads_only
        self.timeout: float | None = real.timeout

    async def execute(self, params: ExecutionParams) -> Any:
        return await self._registry.probe.execute(self._real, params)
