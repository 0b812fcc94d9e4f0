"""Owns the places of a proof: they run here, and lose workers and messages where the proof says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from ...execution.frame import Attempt, Frame, Outcome
from ...execution.losing import lose_body
from ...execution.relaunching import relaunched
from ...execution.walk import Walk
from ...program.compiled import CompiledBody
from ...runtimes.control.results import DocumentResult
from ...runtimes.types import ExecutionParams, NodeRuntime
from ...scheduler.signals import Signal
from ...types.paths import owner_of
from ..places import PlayedPlace
from .calls import Crashed
from .probe import Probe, come_late

T = TypeVar("T")


class ProvedPlace(PlayedPlace):
    """A place of one run of a proof. A leaf node is lost by the probe, which is around its runtime."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        is_late = self._probe.is_late(params.node.label)
        done = await runtime.execute(params)
        if is_late:
            await come_late()
        return done

    async def run_body(self, walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
        work = super().run_body
        path = owner_of(frame.prefix)
        try:
            carry = partial(self._carry, path, partial(work, walk, body, frame))
            return await relaunched(walk, body, frame, carry)
        except Crashed as exc:
            self._probe.lost.add(path)
            return lose_body(walk, body, frame, exc)

    async def run_document(self, walk: Walk, result: DocumentResult, attempt: Attempt) -> Outcome:
        work = super().run_document
        return await self._carry(attempt.step.label, lambda: work(walk, result, attempt))

    async def _carry(self, label: str, work: Callable[[], Awaitable[T]]) -> T:
        """Bring something to a worker and its reply back, as far as the points of the proof let it."""
        fate = self._probe.fate_of(label)
        if fate == "crash":
            raise self._probe.lose(label)
        done = await work()
        if fate == "loss":
            raise self._probe.lose(label)
        if fate == "late":
            await come_late()
        return done
