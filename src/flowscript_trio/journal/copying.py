"""Owns how the journal of a run is read beside whoever runs it: without owning it, and in no long transaction."""

from __future__ import annotations

from ..types.storing import StoreFailed
from .backend import Backend, Owned
from .rows import Row
from .writing import READ_AT_ONCE

TURNS = 20
"""How often it is read again where rows were dropped meanwhile."""


def read_beside(backend: Backend, run_id: str) -> tuple[Owned, list[tuple[int, Row]]]:
    """A run and its rows with their numbers, as they was at one moment.

    Blocks. Raises InputError where there is no such run, StoreFailed.
    """
    for _ in range(TURNS):
        before = backend.seen(run_id)
        rows: list[tuple[int, Row]] = []
        start = 0
        while start < before.rows and (found := backend.rows(before, start, READ_AT_ONCE)):
            rows += (each for each in found if each[0] < before.rows)
            start = found[-1][0] + 1
        if len(rows) == before.rows - before.dropped:
            return before, rows
        if backend.seen(run_id).dropped == before.dropped:
            raise backend.damaged(run_id, "rows are missing")
    raise StoreFailed(
        f"the journal of the run {run_id!r} changes faster than it can be read; try again once it has slowed down"
    )
