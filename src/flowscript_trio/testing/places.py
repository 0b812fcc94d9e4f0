"""Owns the places of tests: what runs elsewhere runs here, in virtual time, with the stand-ins of the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..execution.cleanup import with_finally
from ..execution.documents import run_document
from ..execution.executor import Executor
from ..execution.frame import Attempt, Frame, Outcome
from ..execution.walk import Walk
from ..program.compiled import CompiledBody, Program
from ..program.placing import programs_of
from ..runtimes.control.results import DocumentResult
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..scheduler.signals import Signal


class PlayedPlace:
    """A place whose nodes run in trio's own thread. A cancellation reaches them as it reaches any."""

    def check(self, name: str) -> None:
        """Nothing: it needs no extra."""

    def check_secrets(self, name: str, secrets: Mapping[str, str]) -> None:
        """Nothing: they stay here."""

    def check_runtime(self, name: str, runtime: NodeRuntime) -> None:
        """Nothing: stand-ins do not travel."""

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        return await runtime.execute(params)

    async def run_body(self, walk: Walk, body: CompiledBody, frame: Frame) -> Signal | None:
        walk = _without_journal(walk)
        run = walk.run_nodes if body.cleanup is None else partial(with_finally, walk)
        return await run(body, frame)

    async def run_document(self, walk: Walk, result: DocumentResult, attempt: Attempt) -> Outcome:
        return await run_document(_without_journal(walk), result, attempt)


def _without_journal(walk: Walk) -> Walk:
    """The walk through what runs elsewhere: the journal of its run has the whole of it, and nothing inside."""
    if walk.run.recorder is None:
        return walk
    assert isinstance(walk, Executor)
    return walk.within(replace(walk.run, recorder=None, is_part_of_durable=True))


def played(program: Program, place: PlayedPlace) -> dict[str, PlayedPlace]:
    """That place under every name that a document, and those that it runs, give one."""
    return {step.place: place for each in programs_of(program) for step in each.placed.values()}
