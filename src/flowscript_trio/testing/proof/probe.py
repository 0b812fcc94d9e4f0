"""Owns the probe: it counts a run's steps, disturbs it at its points, and sees what happens in it."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from types import AsyncGeneratorType
from typing import Any
from warnings import WarningMessage

import trio

from ...expression.scope import Scope
from ...runtimes.placing import Placed
from ...runtimes.types import ExecutionParams, NodeRuntime
from ...types.ast import BaseNode
from ...types.decisions import Action, Answer, Decider
from ...types.events import BlockStarted, Event, NodeEnded, NodeStarted
from ...types.paths import parent_of
from ...types.results import NodeResult
from .calls import RUNNING, Call, Crashed, Moment, Planted, Wait
from .following import Follower, Onlooker
from .generators import Generators
from .leftovers import Leftovers
from .locks import Locks
from .notes import Notes
from .owners import Owners
from .plan import Plan
from .points import CancelAt, DeadlineAt, Fate, PlaceAt, Points, RaiseAt, StallAt
from .sites import site_of
from .stepping import is_handed_cancelled, shields_around, step_through
from .streaming import Streamed
from .variables import changed_since

REASON = "the proof cancels the run"
FOREVER = 100 * 365.25 * 86400
"""Virtual seconds after which a run counts as one that never ends."""

is_beside: ContextVar[bool] = ContextVar("flowscript_trio.is_beside", default=False)
"""Whether a task belongs to a run that goes on beside the one that is disturbed."""

MOST_STEPS = 50_000
LATE = 5
"""Passes of the scheduler that a late reply comes after the end of what it tells of."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock went from one time to another (since the run began) while calls and deciders waited, until
    which deadlines."""

    since: float
    until: float
    order: int
    asked: frozenset[float]
    foreign: bool
    """Whether a task that a runtime started itself may have asked for it, or a resource on its way in or out."""


@dataclass(eq=False)
class Probe(trio.abc.Instrument):
    """Watches one run. ``points`` are where it is disturbed."""

    plan: Plan
    points: Points = ()
    limiters: list[trio.CapacityLimiter] = field(default_factory=list)
    locks: Locks = field(default_factory=lambda: Locks(()))
    most_steps: int = MOST_STEPS
    """Steps of the scheduler after which a run counts as one that never ends."""

    def __post_init__(self) -> None:
        self.steps: int = 0
        self.passes: int = 0
        self.is_hopeless: bool = False
        """Whether it goes on, although it was cancelled since it never ends, for as long as before."""
        self.calls: list[Call] = []
        self.moments: list[tuple[Event, Moment]] = []
        self.times: set[float] = set()
        self.jumps: list[Jump] = []
        self.notes: Notes = Notes(self.plan)
        self.cancelled: Moment | None = None
        """When the cancellation from outside was requested, or the deadline from outside passed."""
        self.crowded: set[str] = set()
        self.owners: Owners = Owners(self.limiters, self.locks)
        self.leftovers: Leftovers = Leftovers(RUNNING.get)
        self.generators: Generators = Generators(RUNNING)
        self.planted: list[Planted] = []
        self.entries: Counter[str] = Counter()
        """How often each control node's runtime was called."""
        self.placed: Counter[str] = Counter()
        """How often each thing that is placed went to its place."""
        self.out_of_reach: set[str] = set()
        """The paths of what was called at a place from where no cancellation reaches it."""
        self._shields: dict[str, int] = {}
        self.lost: set[str] = set()
        """The paths of the bodies that were lost with their workers."""
        self._fates = {(p.label, p.call): p.fate for p in self.points if isinstance(p, PlaceAt)}
        self._scope: trio.CancelScope | None = None
        self._looks = False
        self._began = self._time = 0.0
        self._order = 0
        self._paths: defaultdict[trio.lowlevel.Task, list[str]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._waiting: dict[object, Wait] = {}
        self._followers: dict[Call, Follower] = {}
        self._cancel = {p.step for p in self.points if isinstance(p, CancelAt)}
        self._raise = {(p.label, p.call): p.wait for p in self.points if isinstance(p, RaiseAt)}
        self._lasting = {
            p.label: p.call for p in self.points if isinstance(p, RaiseAt) if p.lasting
        }
        self._stall = {(p.label, p.call) for p in self.points if isinstance(p, StallAt)}
        self._opening = 0
        """How many are opening resources of the run, or closing them."""
        self._most_branches: dict[str, float] = {}
        self._branches: Counter[str] = Counter()
        self._limiter: trio.CapacityLimiter | None = None

    def begin(self, scope: trio.CancelScope, limiter: trio.CapacityLimiter | None) -> None:
        """The run is about to begin, inside ``scope``, with that limiter over all of it."""
        self._scope = scope
        self._limiter = limiter
        self.owners.begin(limiter)
        self._began = self._time = trio.current_time()
        scope.deadline = self._began + FOREVER
        for point in self.points:
            if isinstance(point, DeadlineAt):
                scope.deadline = min(scope.deadline, self._began + point.time)
        self.notes.begin_run(self.now())

    def end(self) -> None:
        """The run is over: what follows is not part of it."""
        self._scope = None
        self.owners.settle()

    def now(self) -> Moment:
        """This moment, after all that happened before."""
        self._order += 1
        return Moment(self.passes, self._order, trio.current_time() - self._began)

    def note(self, event: Event) -> None:
        """Observe the run."""
        self.moments.append((event, self.now()))
        match event:
            case NodeStarted():
                task = trio.lowlevel.current_task()
                self._paths[task].append(event.path)
                self._shields[event.path] = shields_around(task)
            case NodeEnded():
                paths = self._paths[trio.lowlevel.current_task()]
                if paths:
                    paths.pop()
            case BlockStarted():
                self._most_branches[event.path] = event.limit

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
        elif self._scope.cancel_called and self.cancelled is None and self._is_late():
            self.cancelled = self.now()
        owner = self.owners.starter_of(task)
        if owner in self._followers and is_handed_cancelled(task):
            self._followers[owner].at_child(task)
        if owner is not None:
            self.leftovers.enter(owner, partial(_has_waited_for_thread, task))

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._scope is None:
            return
        owner = self.owners.starter_of(task)
        if owner is not None:
            self.leftovers.leave(owner)
        self.generators.look(self.calls, task)

    def _is_late(self) -> bool:
        """Whether a deadline from outside has passed."""
        return any(
            isinstance(p, DeadlineAt) and p.time <= self._time - self._began for p in self.points
        )

    def _note_time(self) -> None:
        now = trio.current_time()
        if now != self._time:
            asked = frozenset(wait.deadline - self._began for wait in self._waiting.values())
            foreign = self._opening > 0 or any(
                call.started_tasks for call in self._waiting if isinstance(call, Call)
            )
            since, until = self._time - self._began, now - self._began
            self._time = now
            self.jumps.append(Jump(since, until, self.now().order, asked, foreign))
            self.times.add(until)

    def before_io_wait(self, timeout: float) -> None:
        self.passes += 1
        self.is_hopeless = self._scope is not None and self.steps > 2 * self.most_steps

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        if self._scope is None or task.context.get(is_beside):
            return
        if self.owners.note_task(task):
            self._count_branch(task, 1)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        if self.owners.forget_task(task):
            self._count_branch(task, -1)

    def _count_branch(self, task: trio.lowlevel.Task, change: int) -> None:
        block = parent_of(task.name)
        limit = self._most_branches.get(block)
        if limit is not None:
            self._branches[block] += change
            if self._branches[block] > limit:
                self.crowded.add(f"{block} had more branches as tasks than its limit, {limit:g}")

    # ---- the hooks of a trial ----

    def note_deadline(self, deadline: float) -> None:
        call = self.owners.current()
        follower = None if call is None else self._followers.get(call)
        if call is not None and follower is not None and not self._looks:
            self._looks = True  # what follows asks, too
            if deadline == follower.deadline:
                call.polled.append(deadline - self._began)
            self._looks = False

    def note_stray(self, task: trio.lowlevel.Task | None) -> None:
        call = self.owners.current() if task is None else self.owners.starter_of(task)
        if call is not None:
            call.stray = True

    def note_taken(self, semaphore: trio.Semaphore, change: int) -> None:
        self.locks.note_taken(semaphore, self.owners.current(), change)

    def note_resource(self, resource: object) -> None:
        self.locks.watch(resource)

    def note_opening(self, change: int) -> None:
        self._opening += change

    def note_thread(self, thread: threading.Thread) -> None:
        self.leftovers.note_thread(thread)

    def in_thread(self, work: Callable[[], Any]) -> Callable[[], Any]:
        return self.leftovers.in_thread(work)

    def note_temporary(self, path: str) -> None:
        self.leftovers.note_temporary(path)

    def note_warning(self, warning: WarningMessage) -> None:
        self.leftovers.note_warning(warning)

    # ---- the nodes ----

    async def control(
        self, node: BaseNode, scope: Scope, work: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Call a control node's runtime, note what it asks for, or raise what is planted before it."""
        self.entries[node.label] += 1
        path = self._path_of(node)
        self.notes.begin_attempt(path, node, scope, self.now())
        error = self._plant(node.label, self.entries[node.label], 0)
        if error is not None:
            self.planted.append(error)
            raise error
        asked = await work()
        self.notes.take(path, node, asked, self.now())
        return asked

    def _path_of(self, node: BaseNode) -> str:
        """The path of the execution that this task is in."""
        paths = self._paths[trio.lowlevel.current_task()]
        return paths[-1] if paths else node.label

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Run a leaf node step by step, and raise in it what is planted there."""
        node, scope = params.node, params.scope
        path = self._path_of(node)
        self.notes.begin_attempt(path, node, scope, self.now())
        self._counts[node.label] += 1
        call = Call(
            node.label,
            path,
            self._counts[node.label],
            runtime.type,
            self.now(),
            self._sights(scope),
            dict(scope.value("$context") or {}),
            trio.current_effective_deadline() - self._began,
        )
        self.calls.append(call)
        token = RUNNING.set(call)
        variables = copy_context()
        follower = self._followers[call] = Follower(self, call, trio.lowlevel.current_task())
        self._count_calls(call)
        work = runtime.execute(params)
        stalls = (call.label, call.number) in self._stall
        placed = isinstance(self.plan.step(node).runtime, Placed)
        fate = self.fate_of(call.label) if placed else None
        task = trio.lowlevel.current_task()
        if placed and shields_around(task) > self._shields.get(path, math.inf):
            self.out_of_reach.add(path)
        try:
            follower.raise_here()
            if fate == "crash":
                raise self.lose(call.label)
            output = await step_through(
                follower.follow(_stall() if stalls else _await(work)), follower
            )
            follower.raise_here()
            if fate == "loss":
                raise self.lose(call.label)
        except BaseException as exc:
            call.raised = exc
            raise
        finally:
            close = getattr(work, "close", None)
            if close is not None:
                close()  # what never began is nobody's mistake
            self._waiting.pop(call, None)
            self.owners.leave(call)
            self.leftovers.leave(call)
            call.variables_left = changed_since(variables)
            RUNNING.reset(token)
            call.ended = self.now()
            follower.at_end()
            del self._followers[call]
        call.give(output)
        return Streamed(output, call) if isinstance(output, AsyncGeneratorType) else output

    def _sights(self, scope: Scope) -> dict[str, NodeResult]:
        found = ((name, scope.node(name)) for name in self.plan.ids)
        return {name: result for name, result in found if isinstance(result, NodeResult)}

    def _count_calls(self, call: Call) -> None:
        limiter, running = self._limiter, len(self._followers)
        if limiter is not None and running > limiter.total_tokens:
            self.crowded.add(
                f"{call.path} was called while {running - 1} others were under way, and the run's limiter has "
                f"{limiter.total_tokens:g} tokens"
            )

    async def decide(
        self, decider: Decider, prompt: str, actions: Sequence[Action]
    ) -> str | Answer:
        """Ask the application's decider, and see what it waits for."""
        answer: str | Answer = await step_through(_await(decider(prompt, actions)), Onlooker(self))
        return answer

    def fate_of(self, label: str) -> Fate | None:
        """What is to become of something that goes to its place now; None: nothing happens to it."""
        self.placed[label] += 1
        return self._fates.get((label, self.placed[label]))

    def is_late(self, label: str) -> bool:
        """Whether the reply of what goes to its place next comes late."""
        return self._fates.get((label, self.placed[label] + 1)) == "late"

    def lose(self, label: str) -> Crashed:
        """The error of what is lost with its worker."""
        error = Crashed(f"the worker of {label!r} has died", "a worker")
        self.note_raised(error)
        return error

    # ---- what follows a call reports here ----

    def error_in(self, call: Call, place: int) -> Planted | None:
        # An error there is raised at once, and no step ends before.
        self.generators.look(self.calls, trio.lowlevel.current_task())
        return self._plant(call.label, call.number, place)

    def note_raised(self, error: Planted) -> None:
        self.planted.append(error)

    def note_wait(self, waiting: object, wait: Wait | None) -> None:
        if wait is None:
            del self._waiting[waiting]
        else:
            self._waiting[waiting] = wait

    def _plant(self, label: str, call: int, wait: int) -> Planted | None:
        here = self._raise.get((label, call)) == wait
        again = not wait and self._lasting.get(label, call) < call
        return Planted(f"planted in {label!r}") if here or again else None


def _has_waited_for_thread(task: trio.lowlevel.Task) -> bool:
    place = site_of(task.iter_await_frames())
    return place is not None and place.called == "to_thread_run_sync"


async def _await(work: Awaitable[Any]) -> Any:
    return await work


async def come_late() -> None:
    """Let some passes of the scheduler go by between the end of what is placed and its reply."""
    for _ in range(LATE):
        await trio.lowlevel.cancel_shielded_checkpoint()


async def _stall() -> None:
    await trio.sleep_forever()
