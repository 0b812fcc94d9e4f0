"""Owns the probe: it counts a run's steps, disturbs it at its points, and sees what happens in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import trio

from ...runtimes.types import ExecutionParams, NodeRuntime
from ...types.events import BlockStarted, Event, NodeStarted
from ...types.results import NodeResult
from .calls import Call, Moment, Planted, Wait
from .owners import Owners
from .paths import parent_of
from .points import CancelAt, DeadlineAt, Points, RaiseAt, StallAt
from .stepping import Surroundings, shields_around, step_through

REASON = "the proof cancels the run"
FOREVER = 100 * 365.25 * 86400
"""Virtual seconds after which a run counts as one that never ends."""

MOST_STEPS = 50_000


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock went from one time to another while these calls waited, until which deadlines."""

    since: float
    until: float
    order: int
    asked: frozenset[float]
    foreign: bool
    """Whether a task that a runtime started itself may have asked for it."""


@dataclass(eq=False)
class Probe(trio.abc.Instrument):
    """Watches one run. ``points`` are where it is disturbed; ``ids`` the nodes whose results calls may see."""

    points: Points = ()
    ids: tuple[str, ...] = ()
    limiters: list[trio.CapacityLimiter] = field(default_factory=list)
    most_steps: int = MOST_STEPS
    """Steps of the scheduler after which a run counts as one that never ends."""

    def __post_init__(self) -> None:
        self.steps = 0
        self.passes = 0
        self.calls: list[Call] = []
        self.moments: list[tuple[Event, Moment]] = []
        self.times: set[float] = set()
        self.jumps: list[Jump] = []
        self.cancelled: Moment | None = None
        """When the cancellation from outside was requested."""
        self.crowded: set[str] = set()
        self.owners = Owners(self.limiters)
        self.planted: list[Planted] = []
        self.entries: Counter[str] = Counter()
        """How often each control node's runtime was called."""
        self._scope: trio.CancelScope | None = None
        self._began = self._time = 0.0
        self._order = 0
        self._paths: dict[trio.lowlevel.Task, str] = {}
        self._counts: Counter[str] = Counter()
        self._waiting: dict[Call, Wait] = {}
        self._cancel = {p.step for p in self.points if isinstance(p, CancelAt)}
        self._raise = {(p.label, p.call): p.wait for p in self.points if isinstance(p, RaiseAt)}
        self._lasting = {
            p.label: p.call for p in self.points if isinstance(p, RaiseAt) if p.lasting
        }
        self._stall = {(p.label, p.call) for p in self.points if isinstance(p, StallAt)}
        self._limits: dict[str, float] = {}
        self._branches: Counter[str] = Counter()

    def begin(self, scope: trio.CancelScope) -> None:
        """The run is about to begin, inside of ``scope``."""
        self._scope = scope
        self.owners.begin()
        self._began = self._time = trio.current_time()
        scope.deadline = self._began + FOREVER
        for point in self.points:
            if isinstance(point, DeadlineAt):
                scope.deadline = min(scope.deadline, self._began + point.time)

    def end(self) -> None:
        """The run is over: what follows is none of its."""
        self._scope = None
        self.owners.settle()

    def now(self) -> Moment:
        """This moment, after all that happened before."""
        self._order += 1
        return Moment(self.passes, self._order)

    def note(self, event: Event) -> None:
        """Observe the run."""
        self.moments.append((event, self.now()))
        if isinstance(event, NodeStarted):
            self._paths[trio.lowlevel.current_task()] = event.path
        elif isinstance(event, BlockStarted):
            self._limits[event.path] = event.limit

    # ---- trio's instrument ----

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._scope is None:
            return
        self._note_time()
        self.steps += 1
        if self.steps == self.most_steps:
            self._scope.cancel("it never ends")
        elif self.steps in self._cancel and not self._scope.cancel_called:
            self.cancelled = self.now()
            self._scope.cancel(REASON)

    def _note_time(self) -> None:
        now = trio.current_time()
        if now != self._time:
            asked = frozenset(wait.deadline for wait in self._waiting.values())
            foreign = any(call.started_tasks for call in self._waiting)
            self.jumps.append(Jump(self._time, now, self.now().order, asked, foreign))
            self._time = now
            self.times.add(now - self._began)

    def before_io_wait(self, timeout: float) -> None:
        self.passes += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if self._scope is not None and self.owners.note_task(task):
            self._count_branch(task, 1)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        if self.owners.forget_task(task):
            self._count_branch(task, -1)

    def _count_branch(self, task: trio.lowlevel.Task, change: int) -> None:
        block = parent_of(task.name)
        limit = self._limits.get(block)
        if limit is not None:
            self._branches[block] += change
            if self._branches[block] > limit:
                self.crowded.add(f"{block} had more branches as tasks than its limit, {limit:g}")

    # ---- the nodes ----

    async def enter(self, label: str) -> None:
        """A control node's runtime is about to be called."""
        self.entries[label] += 1
        error = self._plant(label, self.entries[label], 0)
        if error is not None:
            self.planted.append(error)
            raise error

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Run a leaf node step by step, and raise in it what is planted there."""
        label, task = params.node.label, trio.lowlevel.current_task()
        self._counts[label] += 1
        sights = {
            name: found
            for name in self.ids
            if isinstance(found := params.scope.node(name), NodeResult)
        }
        path = self._paths.get(task, label)
        bound = trio.current_effective_deadline()
        call = Call(label, path, self._counts[label], runtime.type, self.now(), sights, bound)
        self.calls.append(call)
        stepper = _Stepper(self, call, task)
        work = runtime.execute(params)
        stalls = (label, call.number) in self._stall
        try:
            stepper.raise_here()
            output = await step_through(_stall() if stalls else _await(work), stepper)
            stepper.raise_here()
        except BaseException as exc:
            call.raised = exc
            raise
        finally:
            close = getattr(work, "close", None)
            if close is not None:
                close()  # what never began is no mistake of anybody's
            self._waiting.pop(call, None)
            self.owners.leave(call)
            call.ended = self.now()
        call.swallowed = stepper.was_cancelled
        call.give(output)
        return output

    def _plant(self, label: str, call: int, wait: int) -> Planted | None:
        here = self._raise.get((label, call)) == wait
        again = not wait and self._lasting.get(label, call) < call
        return Planted(f"planted in {label!r}") if here or again else None


async def _await(work: Awaitable[Any]) -> Any:
    return await work


async def _stall() -> None:
    await trio.sleep_forever()


class _Stepper:
    """Follows one call."""

    def __init__(self, probe: Probe, call: Call, task: trio.lowlevel.Task) -> None:
        self._probe = probe
        self._call = call
        self._task = task
        self._shields = shields_around(task)
        self._around = Surroundings(task)
        self.was_cancelled = False
        probe.owners.enter(call, task)

    def error_here(self) -> Planted | None:
        number = self._call.places
        self._call.places += 1
        if self._call.planted is not None:
            return None
        return self._probe._plant(self._call.label, self._call.number, number)

    def at_error(self, error: BaseException) -> None:
        assert isinstance(error, Planted)
        self._call.planted = error
        self._probe.planted.append(error)

    def raise_here(self) -> None:
        """Raise what is planted before the first step of the call, or after its last."""
        error = self.error_here()
        if error is not None:
            self.at_error(error)
            raise error

    def at_wait(self) -> None:
        call, probe = self._call, self._probe
        shielded = shields_around(self._task) > self._shields
        wait = Wait(probe.passes, shielded, trio.current_effective_deadline())
        call.waits.append(wait)
        probe._waiting[call] = wait
        probe.owners.leave(call)

    def at_resume(self, handed: BaseException | None) -> None:
        call, probe = self._call, self._probe
        wait = probe._waiting.pop(call)
        probe.owners.enter(call, self._task)
        wait.until = probe.passes
        cancelled = self._around.are_cancelled
        if isinstance(handed, trio.Cancelled) and cancelled and not wait.shielded:
            self.was_cancelled = True
            if call.told is None:
                call.told = probe.passes
        else:
            wait.deaf = cancelled and not wait.shielded
