"""Owns the runs that go on beside the one that a proof disturbs: they share its limits, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import trio

from ...execution.options import RunOptions
from ...execution.run import run_with
from ...program.loading import Flow
from ..places import PlayedPlace, played
from .probe import FOREVER, is_beside


@dataclass(frozen=True, slots=True)
class Others:
    """This many runs of a workflow whose runtimes no probe is around."""

    flow: Flow
    count: int

    @staticmethod
    @contextmanager
    def marked() -> Iterator[None]:
        """Tasks that are started in the block, and those in them, are not of the run that is disturbed."""
        token = is_beside.set(True)
        try:
            yield
        finally:
            is_beside.reset(token)

    async def run(self, options: RunOptions) -> bool:
        """One of them; whether it never ends. What it comes to is its own affair."""
        given = replace(
            options,
            registry=None,
            observers=(),
            places=played(self.flow.program, PlayedPlace()),
        )
        with trio.move_on_at(trio.current_time() + FOREVER) as scope:
            try:
                await run_with(self.flow, given)
            except Exception:
                return False
        return scope.cancelled_caught
