"""Owns a durable run over several processes that die: each a run in virtual time, over one store that forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import trio

from ...execution.durable.coding import Coding
from ...execution.durable.entries import AttemptFailed, Ended, Entry, entry_of
from ...execution.handle import Run
from ...execution.options import RunOptions
from ...execution.run import run_with
from ...journal.memory import Moment
from ...journal.store import MemoryStore, Store
from ...journal.writing import is_writing
from ...program.loading import Flow
from ...runtimes.control.runtime import ControlRuntime
from ...runtimes.registry import Registry
from ...runtimes.types import ExecutionParams, NodeRuntime
from ...runtimes.wrapping import innermost
from ...types.storing import StoreFailed
from .clock import VirtualClock, compacting_early, without_pace
from .points import Crash, Point
from .stepping import order_of

MOST_PASSES = 100_000
"""Passes of the scheduler after which a process counts as one that never ends."""
PATIENCE = 1.0
"""Real seconds for which nothing may happen in a process that waits for a thread or a socket."""
RUN = "proof"

Attempt = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Did:
    """The call of a runtime: of which attempt, and in which process (from 0).

    ``after_death``: it began although its process had died.
    """

    path: str
    attempt: int
    process: int
    label: str
    is_pure: bool
    after_death: bool


@dataclass(eq=False)
class Life:
    """What one process came to. ``known`` are the attempts whose ends were on disk when it began."""

    known: frozenset[Attempt]
    status: str = ""
    output: Any = None
    error: BaseException | None = None
    died: bool = False
    endless: bool = False
    commits: int = 0
    ends: int = 0
    wrote_after_death: bool = False

    @property
    def outcome(self) -> tuple[str, Any]:
        if self.error is not None:
            return self.status, f"{type(self.error).__name__}: {self.error}"
        return self.status, self.output


@dataclass(eq=False)
class Lives:
    """A run whose processes die at points, and what its runtimes did in all of them."""

    calls: list[Did] = field(default_factory=list)
    done: set[Attempt] = field(default_factory=set)
    """The attempts that came to their end, in any process."""
    lives: list[Life] = field(default_factory=list)
    store: MemoryStore = field(default_factory=Store.memory)

    @property
    def last(self) -> Life:
        return self.lives[-1]


class Staging:
    """Runs a workflow in processes that die. ``registry`` has the runtimes that are played, each watched."""

    def __init__(
        self, flow: Flow, registry: Registry, options: Callable[[], RunOptions], seed: int
    ) -> None:
        self.flow: Flow = flow.with_registry(registry.wrapped(self._around))
        self._make_options = options
        self._options = options()
        self._seed = seed
        self._lives = Lives()
        self._point: Point | None = None
        self._dead = False
        self._elapsed = 0.0
        self._rows_at_death = 0
        self._commits = 0  # of the processes before
        self._started = _Started()

    def play(self, points: tuple[Point, ...]) -> Lives:
        """Begin a run, let a process die at each of the points, and let one more bring it to its end."""
        self._lives = Lives(store=Store.memory(watch=self._watch))
        self._elapsed = 0.0
        self._options = self._make_options()
        for point in points:
            self._live(point)
        self._live(None)
        return self._lives

    def entries(self, lives: Lives) -> list[Entry]:
        """The journal, as it is on disk."""
        coding = Coding(self._options.secrets or {})
        return [entry_of(row, coding.decode) for row in lives.store.rows_of(RUN)]

    def _live(self, point: Point | None) -> None:
        lives = self._lives
        known = frozenset(
            (entry.key, entry.attempt)
            for entry in self.entries(lives)
            if isinstance(entry, Ended | AttemptFailed) and not getattr(entry, "again", False)
        )
        if lives.lives:
            known |= lives.last.known  # some of that may have been compacted since
        life = Life(known)
        lives.lives.append(life)
        self._point, self._dead, self._started = point, False, _Started()
        self._commits = before = lives.store.commits
        passes = _Passes()
        clock = _Clock(PATIENCE, lambda: passes.count)
        with order_of(self._seed), without_pace(), compacting_early():
            trio.run(self._main, life, passes, clock=clock, instruments=[passes])
        life.died = self._dead
        life.commits = lives.store.commits - before
        if self._dead:
            life.wrote_after_death = len(lives.store.rows_of(RUN)) != self._rows_at_death
        self._elapsed += clock.current_time()

    async def _main(self, life: Life, passes: _Passes) -> None:
        options = self._options
        with trio.CancelScope() as scope:
            passes.scope = scope
            try:
                done = await run_with(
                    self.flow,
                    replace(
                        options,
                        registry=None,
                        store=self._lives.store,
                        run_id=RUN,
                        now=partial(self._now, options.now),
                        max_crashes=options.max_crashes + 10,
                    ),
                    self._started,
                )
                life.status, life.output = done.status or "", done.output
            except StoreFailed as exc:
                life.status, life.error = "suspended", exc
            except Exception as exc:
                life.status, life.error = "failed", exc
        life.endless = scope.cancelled_caught or passes.count > MOST_PASSES

    def _now(self, now: Callable[[], datetime] | None) -> datetime:
        assert now is not None, "the options of a proof have a clock"
        return now() + timedelta(seconds=self._elapsed)

    def _die(self) -> None:
        if not self._dead:
            self._dead = True
            self._lives.store.crash()
            if self._started.handle is not None:
                self._started.handle.leave()
            self._rows_at_death = len(self._lives.store.rows_of(RUN))

    def _watch(self, moment: Moment, number: int) -> None:
        if self._point == Crash(moment, number - self._commits):
            self._die()

    async def _around(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        inner = innermost(runtime)
        if isinstance(inner, ControlRuntime):
            return await runtime.execute(params)
        life, execution = self._lives.last, params.execution
        path, attempt = ("", 0) if execution is None else (execution.path, execution.number)
        pure = bool(getattr(inner, "pure", False))
        number = len(self._lives.lives) - 1
        if self._dead:  # it was woken as its process died, and would not be there any more
            await trio.lowlevel.checkpoint()
        self._lives.calls.append(Did(path, attempt, number, params.node.label, pure, self._dead))
        output = await runtime.execute(params)
        if not pure:
            self._lives.done.add((path, attempt))
            life.ends += 1
            if self._point == Crash("effect", life.ends):
                self._die()
        return output


class _Clock(VirtualClock):
    """A virtual clock that stands still while a journal is written."""

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return 0.0 if is_writing() else super().deadline_to_sleep_time(deadline)


class _Started:
    """Takes the handle of a run when it has started."""

    def __init__(self) -> None:
        self.handle: Run | None = None

    def started(self, value: Run | None = None) -> None:
        self.handle = value


class _Passes(trio.abc.Instrument):
    """Counts the passes of a process, and ends one that never does."""

    def __init__(self) -> None:
        self.count = 0
        self.scope: trio.CancelScope | None = None

    def before_io_wait(self, timeout: float) -> None:
        self.count += 1
        if self.count == MOST_PASSES and self.scope is not None:
            self.scope.cancel("it never ends")
