"""Owns one trial: a workflow run once in virtual time, disturbed at some points, and what is known about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from ...execution.failures import failure_of
from ...execution.options import RunOptions
from ...execution.record import Record
from ...execution.run import run_with
from ...program.loading import Flow
from ...scheduler.raised import first_of
from ...types.exceptions import cause_of, is_a
from ...types.results import RunStatus
from ..places import played
from .calls import Call
from .clock import LOOK, NeverEnds, VirtualClock, without_pace
from .hooks import hooked
from .interrupts import ends_the_proof, status_of_end
from .leftovers import Left, is_of_trio, watching_opens
from .locks import Locks, Primitive
from .named_limits import Allowed, limits_after, taken_now
from .others import Others
from .overfull import Overfull
from .owners import LeftTokens, Owned
from .placing import ProvedPlace
from .plan import Plan
from .points import Points
from .probe import FOREVER, MOST_STEPS, Probe
from .probing import Probing
from .stepping import keep_for_ever, order_of, serves_threads, watching_limiters
from .variables import changed_since

Options = Callable[[], RunOptions]
"""Makes the arguments of a run again for each trial: what was given to one must not be changed for the next."""
Around = Callable[[], AbstractAsyncContextManager[Any]]
"""What the application has around a run: opened before each trial, and closed after it."""

PATIENCE = 1.0
"""Real seconds for which nothing may happen in a run that waits for a thread or a socket."""
LAST_LOOKS = 10
"""How often tokens are looked at once no thread is left that could give them back."""
GRACE = 1.0
"""Real seconds in which threads that a run has let go may come to their end."""

Working = tuple[threading.Thread, str]
"""A thread, and the name that it has while it works."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all trials of a proof share."""

    flow: Flow
    probing: Probing
    options: Options
    around: Around | None
    plan: Plan
    limiters: Sequence[trio.CapacityLimiter]
    """Those that there were before any run."""
    locks: Sequence[Primitive]
    """Locks and semaphores, likewise."""
    others: Others | None = None
    """The runs beside each that is disturbed."""


@dataclass(eq=False)
class Trial:
    """What one run came to. ``status`` is what its caller saw; ``left…`` what it left behind."""

    points: Points
    seed: int
    probe: Probe
    status: RunStatus = "completed"
    error: BaseException | None = None
    output: Any = None
    record: Record | None = None
    left_generators: list[str] = field(default_factory=list)
    left_threads: list[Owned] = field(default_factory=list)
    left_tokens: list[LeftTokens] = field(default_factory=list)
    left_locks: list[tuple[str, Call | None]] = field(default_factory=list)
    """The kinds of the locks and semaphores that were not given back, and who took them."""
    surplus: list[Call | None] = field(default_factory=list)
    """Who released a semaphore more often than it had acquired it."""
    left_open: list[Left] = field(default_factory=list)
    left_files: list[Left] = field(default_factory=list)
    left_variables: list[str] = field(default_factory=list)
    """The context variables that are not as they were before the run."""
    crashed: BaseException | None = None
    duration: float = 0.0
    max_concurrency: float | None = None
    """What the run was given."""
    limits: dict[str, Allowed] = field(default_factory=dict)
    """The limits that the run took by name."""
    overfull: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Those that more held at once than they allow, over all runs: the max of each, and how many held it."""
    has_others: bool = False
    """Whether other runs went on beside it."""
    limits_now: Callable[[], dict[str, Allowed]] = dict
    """How they are now, more than before the run."""
    has_limiter: bool = False
    """Whether a limiter over the whole run was given."""
    endless: bool = False
    stopped: bool = False
    """Whether it did not end when it was cancelled either, so that nothing more is known about it."""
    real: bool = False
    """Whether it waited for threads or sockets, so that its order is not the seed's alone."""


def try_once(setting: Setting, points: Points, seed: int, most_steps: int = MOST_STEPS) -> Trial:
    """Run a workflow, disturbed at ``points``, in the order of tasks that ``seed`` fixes.

    After ``most_steps`` steps of the scheduler it counts as one that never ends.
    """
    probe = Probe(setting.plan, points, list(setting.limiters), Locks(setting.locks), most_steps)
    setting.probing.probe = probe
    trial = Trial(points, seed, probe, has_others=setting.others is not None)
    overfull = Overfull()
    clock = VirtualClock(PATIENCE, lambda: probe.steps, lambda: probe.is_hopeless)
    try:
        # What is hooked is let go here, too: tasks that are stopped do not come to their ends.
        with watching_opens(probe.leftovers), order_of(seed), without_pace(), ExitStack() as hooks:
            run = partial(trio.run, clock=clock, instruments=[probe, overfull])
            run(_surround, setting, trial, clock, hooks)
    except BaseException as exc:
        trial.stopped = is_a(cause_of(exc), NeverEnds)
        if trial.stopped:
            keep_for_ever(exc)
            trial.endless, trial.status = True, "cancelled"
        else:
            trial.crashed = first_of(exc)
    finally:
        probe.owners.give_back()
        probe.locks.give_back()
    if is_a(trial.crashed, (KeyboardInterrupt, SystemExit)):
        raise trial.crashed
    trial.overfull = overfull.found
    trial.real = clock.waited
    return trial


async def _surround(setting: Setting, trial: Trial, clock: VirtualClock, hooks: ExitStack) -> None:
    around = setting.around() if setting.around is not None else nullcontext()
    async with around:
        await wait_all_tasks_blocked()
        clock.begin()
        await _observe(setting, trial, hooks)


async def _observe(setting: Setting, trial: Trial, hooks: ExitStack) -> None:
    probe, threads = trial.probe, _threads()
    with hooks:
        hooks.enter_context(hooked(probe))
        hooks.enter_context(watching_limiters(probe.owners.watch))
        if setting.others is None:
            await _run(setting, trial)
        else:
            async with trio.open_nursery() as nursery:
                await _run(setting, trial, partial(_begin_others, nursery, setting.others, trial))
        trial.limits = trial.limits_now()
        await _let_threads_end(threads, probe)
        trial.left_open = probe.leftovers.open()
        trial.left_files = probe.leftovers.temporary()
    starter_of = probe.leftovers.starter_of
    trial.left_threads = [Owned(name, starter_of(each)) for each, name in _threads() - threads]
    trial.left_tokens = probe.owners.left_tokens()
    trial.left_locks = probe.locks.left()
    trial.surplus = probe.locks.surplus()


def _begin_others(nursery: trio.Nursery, others: Others, trial: Trial, options: RunOptions) -> None:
    """Begin the runs beside the one that is disturbed; one that never ends is as if that did not."""

    async def run() -> None:
        trial.endless |= await others.run(options)

    with others.marked():
        for _ in range(others.count):
            nursery.start_soon(run)


async def _run(
    setting: Setting, trial: Trial, begin_others: Callable[[RunOptions], None] | None = None
) -> None:
    probe, variables = trial.probe, copy_context()
    with probe.generators.watching(), trio.CancelScope() as scope:
        options = _watched(setting.options(), probe, setting.flow)
        trial.max_concurrency = options.max_concurrency
        trial.has_limiter = options.limiter is not None
        trial.limits_now = partial(
            limits_after, setting.flow, options, taken_now(setting.flow, options)
        )
        started = trio.current_time()
        probe.begin(scope, options.limiter)
        if begin_others is not None:
            begin_others(options)
        try:
            done = await run_with(setting.flow, options)
        except trio.Cancelled:
            trial.status = "cancelled"
            late = trio.current_time() >= started + FOREVER
            trial.endless = late or probe.steps >= probe.most_steps
            raise
        except BaseException as exc:
            if ends_the_proof(exc):
                raise
            trial.status, trial.error = status_of_end(exc), exc
            failure = failure_of(exc)
            trial.record = None if failure is None else failure.record
        else:
            trial.status = done.status or "completed"
            trial.output, trial.record = done.output, done.record
        finally:
            probe.end()
            trial.duration = trio.current_time() - started
            trial.left_generators = probe.generators.left()
            trial.left_variables = changed_since(variables)


def _watched(given: RunOptions, probe: Probe, flow: Flow) -> RunOptions:
    """The options of a run, so that the probe sees what the application does in it."""
    decider = given.decider
    return replace(
        given,
        registry=None,  # the workflow has been compiled with the probe's
        observers=(*given.observers, probe.note),
        decider=None if decider is None else partial(probe.decide, decider),
        places=played(flow.program, ProvedPlace(probe)),
    )


def _threads() -> set[Working]:
    """The threads at work; those that trio keeps for the next use have names of their own."""
    return {(each, each.name) for each in threading.enumerate() if not is_of_trio(each)}


async def _let_threads_end(before: set[Working], probe: Probe) -> None:
    """Wait, for a while, for the threads that a run has let go: they give their tokens back when they end."""
    until = time.monotonic() + GRACE
    looks = LAST_LOOKS
    while time.monotonic() < until and looks:
        held = [limiter for limiter in probe.limiters if probe.owners.held_since(limiter)]
        if not _threads() - before and not any(map(serves_threads, held)):
            if not held:
                return
            looks -= (
                1  # a thread that has just ended may have left it to trio to give its token back
            )
        time.sleep(LOOK)  # noqa: ASYNC251
        await trio.lowlevel.checkpoint()
