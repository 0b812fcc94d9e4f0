"""Owns how a run is followed by its journal up to a node that only computes, which is not on record itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import trio
from trio.testing import wait_all_tasks_blocked

from ..journal.rows import Row
from ..journal.store import Store
from ..runtimes.registry import Registry
from ..scheduler.passes import counting_passes
from ..types.errors import InputError
from ..types.events import Event, NodeEnded, NodeStarted
from ..types.paths import is_within
from .durable.coding import Coding
from .durable.cutting import Numbered, not_reached
from .durable.entry_rows import entry_of
from .durable.opening import reopened
from .durable.run_entries import RunBegan
from .options import RunOptions
from .preparing import prepare_owned


class Follower:
    """Walks a run in memory with the first rows of its journal: what had ended ends again, and nothing acts.

    Args:
        store: the one that the run is in, for the key that it has.
        run_id: the run.
        began: what the run was begun with, as its store has it.
        secrets: values of ``$secrets`` by name.
        registry: the runtimes, as of :func:`~flowscript_trio.resume`.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        began: bytes,
        secrets: Mapping[str, str],
        registry: Registry | None,
    ) -> None:
        self._seal = store.seal
        self._run_id = run_id
        self._began = began
        self._secrets = secrets
        self._registry = registry

    def begun(self, rows: Sequence[Row]) -> set[str]:
        """The paths of all nodes that have begun by the time that these rows were there; it blocks, for a thread.

        Those that were passed over are not among them.
        """
        return trio.run(self._walk, rows)

    async def _walk(self, rows: Sequence[Row]) -> set[str]:
        begun: set[str] = set()

        def note(event: Event) -> None:
            if isinstance(event, NodeStarted):
                begun.add(event.path)
            elif isinstance(event, NodeEnded) and event.result.status == "skipped":
                begun.discard(event.path)

        first = entry_of(rows[0], Coding(self._secrets).decode)
        assert isinstance(first, RunBegan)
        store = Store.memory()
        store.seal = self._seal
        journal = await store.begin(self._run_id, self._began)
        for row in rows:
            journal.write(row)
        await journal.aclose()
        # At the time of its beginning no time limit passes that had not.
        options = RunOptions(
            secrets=self._secrets,
            registry=self._registry,
            observers=[note],
            now=lambda: first.started,
        )
        async with reopened(store, self._run_id, options) as (flow, given, owned):
            with counting_passes() as passes:
                run = await prepare_owned(flow, passes, given, replace(owned, acts=False))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(run.walk)
                    await wait_all_tasks_blocked()
                    run.leave()
        return begun


async def find_reached(
    store: Store,
    run_id: str,
    began: bytes,
    rows: Sequence[Numbered],
    at: str,
    secrets: Mapping[str, str],
    registry: Registry | None,
) -> int:
    """The number of the first row that was not there yet when a run reached the execution ``at``.

    Raises InputError where it never did, or where the run cannot be followed with what is given here. A
    cancellation waits for it.
    """
    follower = Follower(store, run_id, began, secrets, registry)
    walked = [(number, row) for number, row in rows if row.kind != "run-ended"]
    find = partial(_find, follower, [row for _, row in walked], at)
    try:
        count, begun = await trio.to_thread.run_sync(find)
    except InputError as exc:
        raise InputError(
            f"the run {run_id!r} cannot be followed up to {at!r}, of which nothing is on record: {exc}; "
            "expected a node that acts"
        ) from exc
    if count is None:
        raise not_reached(run_id, rows, at, begun)
    return walked[count - 1][0] + 1


def _find(follower: Follower, rows: Sequence[Row], at: str) -> tuple[int | None, set[str]]:
    """How many rows lead to ``at``, the fewest; None where all do not. And what has begun with all of them."""

    def is_reached(begun: set[str]) -> bool:
        return bool(at) and any(is_within(path, at) for path in begun)

    begun = follower.begun(rows)
    if not is_reached(begun):
        return None, begun
    too_few, enough = 0, len(rows)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if is_reached(follower.begun(rows[:middle])):
            enough = middle
        else:
            too_few = middle
    return enough, begun
