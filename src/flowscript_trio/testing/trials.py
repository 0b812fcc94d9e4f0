"""Owns one trial: a workflow run once in virtual time, disturbed at some points, and all that is known of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import MockClock

from ..execution.failures import failure_of
from ..execution.loading import Flow
from ..execution.record import Record
from ..execution.run import run
from ..types.events import Event
from ..types.results import RunStatus
from .points import Point
from .probe import Probe, ProbedRegistry
from .stepping import order_of, watching_limiters

FOREVER = 100 * 365.25 * 86400
"""Virtual seconds after which a run counts as one that never ends."""

Options = Callable[[], Mapping[str, Any]]
"""Makes the arguments of a run anew for each trial: what was given to one must not be changed for the next."""


@dataclass(eq=False)
class Trial:
    """What one run came to. ``status`` is what its caller saw."""

    points: tuple[Point, ...]
    seed: int
    probe: Probe
    events: list[Event] = field(default_factory=list)
    passed: list[tuple[Event, int]] = field(default_factory=list)
    """The events, each with the pass of the scheduler in which it was."""
    status: RunStatus = "completed"
    error: BaseException | None = None
    output: Any = None
    record: Record | None = None
    left_tasks: list[str] = field(default_factory=list)
    left_threads: int = 0
    crashed: BaseException | None = None
    duration: float = 0.0
    endless: bool = False

    def note(self, event: Event) -> None:
        self.events.append(event)
        self.probe.note(event)
        self.passed.append((event, self.probe.passes))


def try_once(
    flow: Flow,
    registry: ProbedRegistry,
    options: Options,
    points: tuple[Point, ...],
    seed: int,
    limiters: Sequence[trio.CapacityLimiter] = (),
) -> Trial:
    """Run a workflow, disturbed at ``points``, in the order of tasks that ``seed`` fixes.

    ``limiters`` are watched beside those that are made by the run.
    """
    registry.probe = probe = Probe(points, limiters=list(limiters))
    trial = Trial(points, seed, probe)
    try:
        with order_of(seed):
            clock = MockClock(autojump_threshold=0)
            trio.run(_observe, flow, options, trial, clock=clock, instruments=[probe])
    except BaseException as exc:
        if isinstance(exc, (KeyboardInterrupt, SystemExit)):
            raise
        trial.crashed = exc
    return trial


async def _observe(flow: Flow, options: Options, trial: Trial) -> None:
    probe = trial.probe
    with watching_limiters(probe.limiters.append), trio.CancelScope() as scope:
        started = trio.current_time()
        scope.deadline = started + FOREVER
        probe.begin(scope)
        threads = threading.active_count()
        try:
            done = await run(flow, observers=[trial.note], **options())
        except trio.Cancelled:
            trial.status = "cancelled"
            trial.endless = trio.current_time() >= started + FOREVER
            raise
        except Exception as exc:
            trial.status, trial.error = "failed", exc
            failure = failure_of(exc)
            trial.record = None if failure is None else failure.record
        else:
            trial.status = done.status or "completed"
            trial.output, trial.record = done.output, done.record
        finally:
            trial.duration = trio.current_time() - started
            trial.left_tasks = [task.name for task in probe.tasks]
            trial.left_threads = threading.active_count() - threads
            probe.end()
