"""Owns what the parts of the walk ask of each other: the executor as its handlers see it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from ..program.compiled import CompiledBody, Program, Step
from ..scheduler.signals import Signal
from .context import RunContext
from .frame import Attempt, Frame, Outcome


class Walk(Protocol):
    """One run through a program. Errors of nodes come back as values; only ``Cancelled`` is raised."""

    @property
    def run(self) -> RunContext: ...
    @property
    def program(self) -> Program: ...
    @property
    def is_inner(self) -> bool:
        """Whether it is that of a document which a node of the run's own document runs."""

    @property
    def max_concurrency(self) -> float:
        """How many branches of a block, and nodes of a graph, run at once unless a block says otherwise."""

    def enter(self, program: Program, max_concurrency: float) -> Walk:
        """A walk through a document that a node of this one runs, in the same run."""

    def run_body(
        self, body: CompiledBody, frame: Frame, checked: bool = False
    ) -> Awaitable[Signal | None]:
        """Run the nodes of a body and then its ``<finally>``; ``checked`` as of a node."""

    def run_nodes(
        self, body: CompiledBody, frame: Frame, checked: bool = False
    ) -> Awaitable[Signal | None]:
        """Run the nodes of a body; ``checked`` as of a node."""

    async def execute_node(self, step: Step, frame: Frame, checked: bool = False) -> Signal | None:
        """Run one node through the boundary; ``checked``: a cancellation was looked for just before."""

    def pass_over(self, step: Step, frame: Frame) -> None:
        """Record a node that is skipped on the way to another."""

    def handle(self, asked: Any, attempt: Attempt) -> Awaitable[Outcome]:
        """Do what a control node's runtime asks for."""
