"""Owns a worker: the runs of a store that are under way here, and the looking for others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal

import trio
from trio.lowlevel import enable_ki_protection

from ..journal.rows import RunState
from ..journal.store import Store
from ..scheduler.raised import first_of
from ..types.errors import FlowScriptError, WorkflowInvalid
from ..types.events import Observer
from ..types.exceptions import is_a
from ..types.looking import summary_of, text_of
from ..types.printing import one_line
from ..types.storing import RunBusy, StoreFailed, Superseded
from .handle import Run
from .options import RunOptions
from .run import resume_with

MOST = 100
"""This many runs are taken with one look."""
PATIENCE = 30.0
"""Seconds for which a store may be out of reach before a worker gives up; a lease does not last longer either."""
AGAIN = 600.0
"""Seconds after which a run that could not run here is tried again: its id may be that of another by then."""

What = Literal[
    "begun",
    "resumed",
    "completed",
    "failed",
    "cancelled",
    "suspended",
    "left",
    "lost",
    "passed over",
    "unreachable",
]
Observing = Callable[[RunState], AbstractContextManager[Sequence[Observer]]]
"""Gives for a run a context manager around it, whose value is its observers."""


@dataclass(frozen=True, slots=True)
class WorkEvent:
    """What a worker tells of one run: what became of it, after how many seconds here, and why.

    ``left``: this worker ends, and another goes on with the run. ``lost``: another process has taken it over.
    ``passed over``: it cannot run here; ``reason`` says why, which is said once. ``error`` is what the run failed
    with. ``unreachable`` is of no run: the store could not be asked, and will be again.
    Plain data: cancellation means nothing to it.
    """

    what: What
    run_id: str
    workflow: str
    seconds: float | None = None
    reason: str = ""
    error: BaseException | None = None


class Taken:
    """A run that this worker has taken, or tries to: ``started`` is called with it once nothing refuses it."""

    def __init__(self, state: RunState, begun: Callable[[Taken], None]) -> None:
        self.state = state
        self.since: float = trio.current_time()
        self.run: Run | None = None
        """The run, where it runs here."""
        self.is_open: trio.Event = trio.Event()
        """That it is clear whether it does."""
        self.is_passed_over: bool = False
        self.had_ended: bool = False
        """Whether another worker had brought it to its end, in the moment between looking and taking it."""
        self._begun = begun

    def started(self, run: Any = None) -> None:
        self.had_ended = run.status is not None
        if not self.had_ended:
            self.run = run
            self._begun(self)
        self.is_open.set()


class Worker:
    """Takes runs of ``store``, gives them ``options`` and the secrets of ``find_secrets``, and reports them."""

    def __init__(
        self,
        store: Store,
        options: RunOptions,
        find_secrets: Callable[[Sequence[str]], Mapping[str, str]],
        report: Callable[[WorkEvent], None],
        observing: Observing,
    ) -> None:
        self.ended: int = 0
        """How many runs have ended here."""
        self._store = store
        self._options = options
        self._find_secrets = find_secrets
        self._report = report
        self._observing = observing
        self._taken: dict[str, Taken] = {}
        self._passed_over: dict[str, tuple[str, float]] = {}  # why, and when it is tried again
        self._is_leaving = False
        self._reached: float | None = None  # when the store was, last
        self._is_unreachable = False
        self._failed: Exception | None = None  # what ends the worker
        self._stirred = trio.Event()
        self._runs: trio.Nursery
        self._is_held = trio.Event()
        self._is_over = trio.Event()

    @enable_ki_protection
    async def work(self, at_once: float, every: float, until_empty: bool) -> None:
        """Look for runs and run them; however that ends, those that are under way are left first."""
        try:
            async with trio.open_nursery() as nursery:
                try:
                    nursery.start_soon(self._hold)
                    await self._is_held.wait()
                    await self._look(at_once, every, until_empty)
                finally:
                    self._leave()
                    self._is_over.set()
        except BaseExceptionGroup as exc:
            raise first_of(exc) from None

    @enable_ki_protection
    async def _hold(self) -> None:
        """Hold the runs. A cancellation of the worker does not reach them: they are left, not cancelled."""
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as self._runs:
                self._is_held.set()
                await self._is_over.wait()

    def _leave(self) -> None:
        self._is_leaving = True
        for taken in self._taken.values():
            if taken.run is not None:
                taken.run.leave()

    # ---- looking for runs ----

    async def _look(self, at_once: float, every: float, until_empty: bool) -> None:
        while True:
            self._stirred = trio.Event()
            room = int(min(at_once - len(self._taken), MOST))
            may_be_more = room > 0 and await self._take(room)
            if self._failed is not None:
                raise self._failed
            if may_be_more:
                continue
            if until_empty and not self._taken and not self._is_unreachable:
                return
            with trio.move_on_after(every):
                await self._stirred.wait()

    async def _take(self, room: int) -> bool:
        """Take runs that can go on, this many at most; whether there may be more."""
        now = trio.current_time()
        waiting = {run_id for run_id, (_, until) in self._passed_over.items() if until > now}
        try:
            # Other workers look at the same time: some of what is found will be theirs.
            ready = await self._store.ready(limit=2 * room, skip=waiting | self._taken.keys())
        except StoreFailed as exc:
            self._miss(exc)
            return False
        self._reached, self._is_unreachable = trio.current_time(), False
        begun = passed_over = 0
        for state in ready:
            if begun == room or self._failed is not None:
                break
            taken = self._taken[state.run_id] = Taken(state, self._begun)
            self._runs.start_soon(self._go_on, taken, name=f"flowscript {one_line(state.run_id)}")
            await taken.is_open.wait()
            begun += taken.run is not None
            passed_over += taken.is_passed_over
        return begun + passed_over > 0

    def _miss(self, exc: StoreFailed) -> None:
        """The store could not be asked. Raises that, unless it could be a short while ago."""
        if self._reached is None or trio.current_time() - self._reached > PATIENCE:
            raise exc
        if not self._is_unreachable:
            self._is_unreachable = True
            self._say(WorkEvent("unreachable", "", "", reason=one_line(str(exc))))

    # ---- one run ----

    @enable_ki_protection
    async def _go_on(self, taken: Taken) -> None:
        """Go on with a run to its end, and report that; where it cannot begin here, pass it over."""
        state, error = taken.state, None
        try:
            with self._observing(state) as observers:
                options = replace(self._options, observers=observers)
                await resume_with(self._store, state.run_id, options, taken, self._find_secrets)
        except RunBusy:
            pass  # another worker was first
        except Exception as exc:
            error = exc
            if taken.run is None and not taken.had_ended:
                taken.is_passed_over = True
                self._pass_over(state, exc)
        except BaseException:
            self._leave()  # else what ends this program would cancel the other runs
            raise
        finally:
            del self._taken[state.run_id]
            taken.is_open.set()
            self._stirred.set()
        if taken.run is not None:
            self._ended(taken, taken.run, error)

    def _begun(self, taken: Taken) -> None:
        assert taken.run is not None
        self._passed_over.pop(taken.state.run_id, None)
        self._tell(taken, "begun" if taken.state.state == "queued" else "resumed")
        if self._is_leaving:
            taken.run.leave()

    def _ended(self, taken: Taken, run: Run, error: Exception | None) -> None:
        if run.status != "suspended":
            assert run.status is not None
            self.ended += 1
            self._tell(taken, run.status, error=error)
        elif is_a(error, Superseded):
            self._tell(taken, "lost")
        elif is_a(error, StoreFailed):
            self._failed = error
            self._tell(taken, "left")
        elif error is not None:  # it would come to the same at once again
            self._pass_over(taken.state, error)
        else:
            self._tell(taken, "left" if self._is_leaving else "suspended")

    def _pass_over(self, state: RunState, exc: Exception) -> None:
        """Leave a run to others for a while; why is said once."""
        again = PATIENCE if is_a(exc, StoreFailed) else AGAIN
        reason = one_line(_reason(exc))
        said, _ = self._passed_over.get(state.run_id, ("", 0.0))
        self._passed_over[state.run_id] = reason, trio.current_time() + again
        if reason != said:
            self._say(WorkEvent("passed over", state.run_id, state.workflow, reason=reason))

    def _say(self, event: WorkEvent) -> None:
        try:
            self._report(event)
        except Exception as exc:
            # It may be in the middle of a run, which is to be left and not cancelled by that.
            self._failed = exc
            self._stirred.set()

    def _tell(self, taken: Taken, what: What, error: BaseException | None = None) -> None:
        state = taken.state
        seconds = None if what in ("begun", "resumed") else trio.current_time() - taken.since
        reason = "" if error is None else one_line(summary_of(error))
        self._say(WorkEvent(what, state.run_id, state.workflow, seconds, reason, error))


def _reason(exc: Exception) -> str:
    if is_a(exc, WorkflowInvalid):
        return exc.problems[0].message
    return text_of(exc) if is_a(exc, FlowScriptError) else summary_of(exc)
