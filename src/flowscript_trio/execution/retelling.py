"""Owns how what happened in a run is told again, as events in their time, by its journal alone: nothing acts."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ..journal.rows import Row, RunState
from ..journal.store import Store
from ..program.loading import Flow
from ..program.placing import programs_of
from ..runtimes.placing import Place
from ..runtimes.registry import Registry
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.limits.limit import Limit
from ..scheduler.passes import counting_passes
from ..types.errors import InputError
from ..types.events import Event, NodeStarted, Observer, RunEnded
from ..types.looking import summary_of
from ..types.masking import MASK
from .durable.coding import Coding
from .durable.entries import Entry
from .durable.entry_rows import entry_of
from .durable.given import read_document
from .durable.given_items import ItemsNeeded
from .durable.moments import Moments, moments_of
from .durable.opening import FindSecrets, Owned, reopened
from .durable.run_entries import RunBegan
from .masking import mask_error
from .options import RunOptions
from .preparing import masker_of, prepare_owned

_MANY = 1_000_000_000


@dataclass(slots=True)
class Told:
    """What was told of a run: its ``state`` in the store, its ``flow``, and when what it did was ``started``.

    ``undrawn`` are the executions on record that it did not come to, ``hidden`` the names of secrets that are not
    known here. ``error`` is that with which it ended. None of a run of which nothing has begun.
    """

    state: RunState
    flow: Flow | None = None
    started: datetime | None = None
    moments: Moments = field(default_factory=Moments)
    undrawn: list[str] = field(default_factory=list)
    hidden: tuple[str, ...] = ()
    error: BaseException | None = None


async def retell(
    store: Store,
    run_id: str,
    observer: Observer,
    find_secrets: FindSecrets,
    registry: Registry | None = None,
) -> Told:
    """Call ``observer``, in another thread, with the events of a run, whoever runs it; the last is not its end.

    What had not ended ends in no event. Secrets that ``find_secrets`` does not give are ``***``. Raises InputError
    where there is no such run, or it cannot be followed with the runtimes here; StoreFailed. A cancellation waits
    for it.
    """
    began, _, numbered = await store.copy(run_id)
    state = await store.show(run_id)
    rows = [row for _, row in numbered]
    if not rows:
        return Told(state)
    names = (await read_document(began, store.is_inline)).names
    known = find_secrets(names)
    hidden = tuple(name for name in names if name not in known)
    secrets = {**known, **dict.fromkeys(hidden, MASK)}
    teller = _Teller(state, store, began, rows, secrets, observer, registry)
    walk = partial(trio.run, teller.tell, clock=MockClock(autojump_threshold=0))
    try:
        told = await trio.to_thread.run_sync(walk)
    except ItemsNeeded as exc:
        raise InputError(
            f"the run {run_id!r} cannot be followed by its journal, since it was given Items as "
            f"{', '.join(exc.paths)}, which are not kept; expected a run that a record was kept of (--record), or "
            "whose Items a runtime gives"
        ) from exc
    except InputError as exc:
        raise InputError(f"the run {run_id!r} cannot be followed by its journal: {exc}") from exc
    told.hidden = hidden
    return told


@dataclass(slots=True, eq=False)
class _Teller:
    """Walks a run in memory by its journal, in virtual time: each attempt that had ended ends when it did."""

    _state: RunState
    _store: Store
    _document: bytes
    _rows: Sequence[Row]
    _secrets: Mapping[str, str]
    _observer: Observer
    _registry: Registry | None
    _begun: set[str] = field(default_factory=set, init=False)
    _is_over: bool = field(default=False, init=False)
    _error: BaseException | None = field(default=None, init=False)
    """That with which the walk has ended."""

    async def tell(self) -> Told:
        """Tell all of it."""
        first = entry_of(self._rows[0], Coding(self._secrets).decode)
        assert isinstance(first, RunBegan)
        began = trio.current_time()

        def now() -> datetime:
            return first.started + timedelta(seconds=trio.current_time() - began)

        store = Store.memory()
        store.seal = self._store.seal
        journal = await store.begin(self._state.run_id, self._document)
        for row in self._rows:
            if row.kind != "run-ended":
                journal.write(row)
        await journal.aclose()
        options = RunOptions(
            secrets=self._secrets, registry=self._registry, observers=[self._note], now=now
        )
        async with reopened(store, self._state.run_id, options) as (flow, given, owned):
            entries = [entry_of(row, owned.coding.decode) for row in self._rows]
            moments = moments_of(entries)
            given = replace(given, **_stand_ins(flow), budget=_without_seconds(given))
            await self._walk(flow, given, owned, moments, began)
            error = None
            if moments.end is not None and moments.end.error is not None:
                error = owned.coding.decode_error(moments.end.error)
                masker = masker_of(flow, given)
                error = error if masker is None else mask_error(error, masker)
                if self._error is not None and summary_of(self._error) == summary_of(error):
                    error = self._error  # which has the notes about where it came from
            undrawn = self._undrawn(entries)
            return Told(self._state, flow, first.started, moments, undrawn, error=error)

    async def _walk(
        self, flow: Flow, given: RunOptions, owned: Owned, moments: Moments, began: float
    ) -> None:
        async def until(path: str, number: int) -> None:
            moment = began + moments.ended.get((path, number), 0.0)
            with trio.CancelScope(shield=True):
                await trio.sleep_until(moment)

        owned = replace(owned, acts=False, changed=frozenset())
        with counting_passes() as passes:
            run = await prepare_owned(flow, passes, given, owned, until)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run.walk)
                # No longer than there is something on record: a time limit may pass behind that.
                await trio.sleep_until(began + moments.last)
                await wait_all_tasks_blocked()
                self._is_over = True
                run.leave()

    def _note(self, event: Event) -> None:
        if self._is_over:
            return
        if isinstance(event, RunEnded):
            self._error = event.error
            return
        if isinstance(event, NodeStarted):
            self._begun.add(event.path)
        self._observer(event)

    def _undrawn(self, entries: Sequence[Entry]) -> list[str]:
        """The nodes that had ended, by the journal, and to which the walk did not come."""
        ended = (entry.key for entry in entries if entry.kind in ("ended", "failed", "opened"))
        return sorted({key for key in ended if key not in self._begun})


def _without_seconds(given: RunOptions) -> Any:
    """The budget but for its seconds, of which those between two processes do not count."""
    return None if given.budget is None else replace(given.budget, seconds=None, cleanup=None)


def _stand_ins(flow: Flow) -> dict[str, Any]:
    """Places and limits in the place of those that the run had: where nothing acts, none of them is needed."""
    places = {
        step.place: _Here() for each in programs_of(flow.program) for step in each.placed.values()
    }
    use = flow.program.limits
    limits = {} if use is None else {name: Limit(max=_MANY, name=name) for name in use.needs}
    return {"places": places, "limits": limits}


class _Here(Place):
    """In the place of any: what only computes is computed here, and nothing else gets there."""

    def check(self, name: str) -> None:
        pass

    def check_secrets(self, name: str, secrets: Mapping[str, str]) -> None:
        pass

    def check_runtime(self, name: str, runtime: NodeRuntime) -> None:
        pass

    def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Awaitable[Any]:
        return runtime.execute(params)

    async def run_body(self, walk: Any, body: Any, frame: Any) -> Any:
        await trio.sleep_forever()

    async def run_document(self, walk: Any, result: Any, attempt: Any) -> Any:
        await trio.sleep_forever()
