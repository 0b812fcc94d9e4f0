"""Owns the way to what only a run with a journal needs: it is imported by the first such run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from ..journal.store import Store
    from .context import RunContext
    from .durable.blocks import BlockJournal
    from .durable.leaves import Perform
    from .durable.pacing import PaceJournal
    from .durable.recorder import Recorder
    from .durable.timers import Timer
    from .frame import Attempt, Outcome
    from .regions import Region
    from .walk import Walk


_NEEDED = [
    "opening",
    "recorder",
    "inbox",
    "attending",
    "leaves",
    "blocks",
    "timers",
    "loops",
    "rounds",
    "questions",
    "retries",
    "ends",
    "pacing",
    "whole",
    "budgets",
    "limited",
    "sharing",
]
"""The modules of durable runs that others import where they come to need them."""


async def import_needed(store: Store) -> None:
    """Import what a run with a store needs, in a thread: all of it takes longer than others may be held up."""
    # What is not a store is refused where it is looked at.
    if _is_imported.cache_info().currsize or getattr(store, "is_inline", True):
        return
    await trio.to_thread.run_sync(_is_imported)


@cache
def _is_imported() -> bool:
    for name in _NEEDED:
        import_module(f".durable.{name}", __package__)
    return True


@cache
def performing() -> Callable[[Walk, Recorder, Attempt, Perform], Awaitable[Outcome]]:
    """What makes an attempt of a node; looked up once, since an import takes as long as an entry."""
    from .durable.leaves import perform_durably

    return perform_durably


@cache
def acting() -> Callable[
    [RunContext, Recorder, Attempt, Any, Callable[[], Awaitable[Outcome]]],
    Awaitable[Outcome],
]:
    """What does the work of a node that runs no others; looked up once."""
    from .durable.leaves import act_durably

    return act_durably


def timer_of(recorder: Recorder | None, key: str, seconds: float) -> Timer | None:
    """A time limit of that many seconds which goes on when the process dies; None where the run has no journal."""
    if recorder is None:
        return None
    from .durable.timers import Timer

    return Timer(recorder, key, seconds)


def journal_of(recorder: Recorder | None, key: str, region: Region) -> BlockJournal | None:
    """The journal of a block whose jobs are branches or iterations; None where the run has none."""
    if recorder is None:
        return None
    from .durable.blocks import BlockJournal

    return BlockJournal(recorder, key, region, recorder.past.begun(key))


def journal_of_graph(
    recorder: Recorder | None, key: str, region: Region, name: Callable[[int], str], total: int
) -> BlockJournal | None:
    """The journal of a graph, whose jobs are nodes; None where the run has none."""
    if recorder is None:
        return None
    from .durable.blocks import BlockJournal

    begun = {index for index in range(total) if recorder.past.has(name(index))}
    return BlockJournal(recorder, key, region, begun)


def pace_of(
    recorder: Recorder | None, key: str, pace: str, block: BlockJournal | None, batch: int
) -> PaceJournal | None:
    """The journal of a pace of a block with that many items an iteration; None where the run has none."""
    if recorder is None:
        return None
    from .durable.pacing import PaceJournal

    assert block is not None, "a block has a journal where its run has one"
    return PaceJournal(recorder, key, pace, block, batch)
