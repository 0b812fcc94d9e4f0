"""Owns a durable run over several processes that die: each a run in virtual time, over one store that forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import trio

from ...execution.durable.coding import Coding
from ...execution.durable.entries import AttemptFailed, Decided, Ended, Entry, Whole
from ...execution.durable.entry_rows import entry_of
from ...execution.durable.run_entries import Cancelling
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
from ...types.exceptions import cause_of, is_a
from ...types.looking import summary_of
from ...types.storing import StoreFailed
from ..places import PlayedPlace, played
from .clock import NeverEnds, VirtualClock, compacting_early, without_pace
from .interrupts import ends_the_proof, status_of_end
from .people import People
from .points import Crash, Point
from .probe import FOREVER
from .stepping import keep_for_ever, order_of
from .witness import Cut, Seen, Witness

MOST_PASSES = 100_000
"""Passes of the scheduler after which a process counts as one that never ends."""
PATIENCE = 1.0
"""Real seconds for which nothing may happen in a process that waits for a thread or a socket."""
MOST_LIVES = 10_000
"""Processes after which a run that is left and taken up again counts as one that never ends."""
RUN = "proof"

Attempt = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Did:
    """The call of a runtime: of which attempt, and in which process (from 0).

    ``after_death``: it began although its process had died. ``at`` is when it began, in seconds since the run did.
    """

    path: str
    attempt: int
    process: int
    label: str
    is_pure: bool
    after_death: bool
    at: float


@dataclass(eq=False)
class Life:
    """What one process came to.

    ``known`` are the attempts whose ends were on disk when it began, ``wholes`` the keys of what had ended
    elsewhere.
    """

    known: frozenset[Attempt]
    wholes: frozenset[str] = frozenset()
    status: str = ""
    output: Any = None
    error: BaseException | None = None
    died: bool = False
    endless: bool = False
    stopped: bool = False
    """It did not end when it was cancelled either."""
    commits: int = 0
    ends: int = 0
    wrote_after_death: bool = False
    waits: bool = False
    """It was left, since it waited for nothing but people and timers."""

    @property
    def outcome(self) -> tuple[str, Any]:
        if self.error is not None:
            return self.status, summary_of(self.error)
        return self.status, self.output


@dataclass(eq=False)
class Lives:
    """A run whose processes die at points, and what its runtimes did in all of them."""

    calls: list[Did] = field(default_factory=list)
    done: set[Attempt] = field(default_factory=set)
    """The attempts that came to their end, in any process."""
    lives: list[Life] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    """What was seen of each of them."""
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
        self._ends = 0  # of this one, and of those whose waiting it goes on with
        self._people = People(self._lives.store, RUN, 1.0)
        self._passes = _Passes()
        self._started = _Started()

    def play(self, points: tuple[Point, ...]) -> Lives:
        """Begin a run, let a process die at each of the points, and let one more bring it to its end."""
        self._lives = Lives(store=Store.memory(watch=self._watch))
        self._elapsed = 0.0
        self._options = self._make_options()
        self._people = People(
            self._lives.store, RUN, max(1.0, 2 * (self._options.suspend_after or 0.0))
        )
        for point in (*points, None):
            self._commits, self._ends = self._lives.store.commits, 0
            self._live(point)
            while self._lives.last.waits:
                self._wait()
                self._live(point)
        return self._lives

    def _wait(self) -> None:
        """Nobody runs it until somebody answers, or it is due."""
        store, options = self._lives.store, self._options
        if options.decider is None and trio.run(self._people.answer):
            self._elapsed += self._people.seconds
            return
        due = trio.run(store.show, RUN).due
        if due is not None:
            self._elapsed += max(due - self._now(options.now).timestamp(), 0.0)

    def entries(self, lives: Lives) -> list[Entry]:
        """The journal, as it is on disk."""
        return [entry for _, entry in self.numbered(lives)]

    def numbered(self, lives: Lives) -> list[tuple[int, Entry]]:
        """The journal with the numbers of its rows, of which some may have been dropped."""
        coding = Coding(self._options.secrets or {})
        rows = lives.store.numbered_rows_of(RUN)
        return [(number, entry_of(row, coding.decode)) for number, row in rows]

    def kept(self, lives: Lives) -> list[bytes]:
        """All that the store has of the run."""
        return lives.store.kept_of(RUN)

    @property
    def secrets(self) -> list[str]:
        return list((self._options.secrets or {}).values())

    def _live(self, point: Point | None) -> None:
        lives = self._lives
        numbered = self.numbered(lives)
        entries = [entry for _, entry in numbered]
        known = frozenset(
            (entry.key, entry.attempt)
            for entry in entries
            if isinstance(entry, Ended | AttemptFailed) and not getattr(entry, "again", False)
        )
        wholes = frozenset(
            entry.key for entry in entries if isinstance(entry, Whole) and not entry.again
        )
        first = numbered[-1][0] + 1 if numbered else 0
        lives.witnesses.append(Witness(self._now(self._options.now).timestamp(), first))
        if lives.lives:  # some of that may have been compacted since
            known |= lives.last.known
            wholes |= lives.last.wholes
        life = Life(known, wholes)
        lives.lives.append(life)
        self._point, self._dead, self._started = point, False, _Started()
        passes = self._passes = _Passes()
        clock = _Clock(PATIENCE, lambda: passes.count, lambda: passes.is_hopeless)
        with order_of(self._seed), without_pace(), compacting_early():
            try:
                main = partial(self._main, life, passes, clock)
                trio.run(main, clock=clock, instruments=[passes])
            except trio.TrioInternalError as exc:
                if not is_a(cause_of(exc), NeverEnds):
                    raise
                keep_for_ever(exc)
                life.endless = life.stopped = True
                passes.is_hopeless = False
        life.died = self._dead
        life.commits = lives.store.commits - self._commits
        life.ends = self._ends
        life.waits = life.status == "suspended" and not life.endless and not life.died
        life.waits = life.waits and life.error is None and len(lives.lives) < MOST_LIVES
        if self._dead:
            life.wrote_after_death = len(lives.store.rows_of(RUN)) != self._rows_at_death
        self._elapsed += clock.current_time()

    async def _main(self, life: Life, passes: _Passes, clock: VirtualClock) -> None:
        options = self._options
        clock.watch()
        with trio.CancelScope(deadline=trio.current_time() + FOREVER) as scope:
            passes.scope = scope
            async with trio.open_nursery() as nursery:
                if options.decider is None:
                    nursery.start_soon(self._people.attend)
                await self._run(life, options)
                nursery.cancel_scope.cancel()
        life.endless = scope.cancelled_caught or passes.count > MOST_PASSES

    async def _run(self, life: Life, options: RunOptions) -> None:
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
                    places=played(self.flow.program, PlayedPlace()),
                    observers=[*options.observers, self._witness.observer(self._seen)],
                ),
                self._started,
            )
            life.status, life.output = done.status or "", done.output
        except StoreFailed as exc:
            life.status, life.error = "suspended", exc
        except BaseException as exc:
            if ends_the_proof(exc):
                raise
            life.status, life.error = status_of_end(exc), exc

    def _now(self, now: Callable[[], datetime] | None) -> datetime:
        assert now is not None, "the options of a proof have a clock"
        return now() + timedelta(seconds=self._elapsed)

    @property
    def _witness(self) -> Witness:
        return self._lives.witnesses[-1]

    def _seen(self) -> Seen:
        return Seen(self._passes.count, self._now(self._options.now).timestamp())

    def _reasons(self) -> frozenset[str]:
        """What is on disk of why the run, or a part of it, is cancelled."""
        coding = Coding(self._options.secrets or {})
        rows = [row for row in self._lives.store.rows_of(RUN) if row.kind in _REASONED]
        found = [entry_of(row, coding.decode) for row in rows]
        return frozenset(e.reason for e in found if isinstance(e, Decided | Cancelling))

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
        if moment == "after":
            self._people.note_commit()

    async def _around(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        inner = innermost(runtime)
        if isinstance(inner, ControlRuntime):
            return await runtime.execute(params)
        execution = params.execution
        path, attempt = ("", 0) if execution is None else (execution.path, execution.number)
        pure = bool(getattr(inner, "pure", False))
        number = len(self._lives.lives) - 1
        if self._dead:  # it was woken as its process died, and would not be there any more
            await trio.lowlevel.checkpoint()
        at = self._elapsed + trio.current_time()
        did = Did(path, attempt, number, params.node.label, pure, self._dead, at)
        self._lives.calls.append(did)
        if not self._dead:
            self._witness.calls[path, attempt] = self._seen()
        try:
            output = await runtime.execute(params)
        except trio.Cancelled as exc:
            if not self._dead and exc.source != "deadline":
                self._witness.cuts.append(Cut(path, exc.reason, self._reasons()))
            raise
        if not pure and not self._dead:  # a dead process does nothing, even where this one unwinds
            self._lives.done.add((path, attempt))
            self._ends += 1
            if self._point == Crash("effect", self._ends):
                self._die()
        return output


_REASONED = (Decided.kind, Cancelling.kind)


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
        self.is_hopeless: bool = False
        """Whether it goes on, although it was cancelled, for as long as before."""

    def before_io_wait(self, timeout: float) -> None:
        self.count += 1
        self.is_hopeless = self.count > 2 * MOST_PASSES
        if self.count == MOST_PASSES and self.scope is not None:
            self.scope.cancel("it never ends")
