"""Owns what a workflow says about its nodes, looked up by the node: steps, bodies, clean-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...execution.context import DEFAULT_MAX_CONCURRENCY
from ...expression.scope import Scope, Services
from ...program.compiled import CompiledBody, Compute, Program, Step
from ...types.ast import BaseNode


class Plan:
    """The steps of a workflow and of the documents that it runs, by their nodes."""

    def __init__(self, program: Program) -> None:
        self.main: CompiledBody = program.main
        self._program = program
        self._steps: dict[int, Step] = {}
        self._programs: dict[int, Program] = {}
        self._bodies: dict[int, CompiledBody] = {}
        self._handlers: set[int] = set()
        self._around: dict[int, Program] = {}
        """The programs of the documents that run others, by the programs of these."""
        self._take(program)

    def step(self, node: BaseNode) -> Step:
        return self._steps[id(node)]

    def body_around(self, node: BaseNode) -> CompiledBody | None:
        """The body that a node is in; None for a handler, which is in none."""
        return self._bodies.get(id(node))

    def compensation_of(self, node: BaseNode) -> CompiledBody | None:
        key = self.step(node).compensate
        return None if key is None else self._programs[id(node)].bodies[key]

    def program_of(self, node: BaseNode) -> Program:
        """The program of the document that a node is in."""
        return self._programs[id(node)]

    @property
    def seconds_of_run(self) -> float | None:
        """The time limit of the run; None where it has none, or where it depends on what a run is given."""
        compute = self._program.timeout
        return None if compute is None else self.constant(compute)

    def seconds_of_document(self, node: BaseNode) -> float | None:
        """The time limit of the document that a node runs, as :attr:`seconds_of_run`."""
        linked = self.step(node).linked
        if linked is None or linked.timeout is None:
            return None
        found: float | None = self.constant(linked.timeout)
        return found

    @property
    def has_unknown_limit(self) -> bool:
        """Whether the run, or a document in it, has a time limit that is not known here."""
        return any(
            program.timeout is not None and self.constant(program.timeout) is None
            for program in (self._program, *self._programs.values())
        )

    def width_of(self, program: Program, given: float | None) -> float | None:
        """How many nodes of a graph body of a document may run at once; None where it is not known.

        ``given`` is what the run was given for the document that it began with.
        """
        if program is self._program and given is not None:
            return given
        if program.max_concurrency is not None:
            found: float | None = self.constant(program.max_concurrency)
            return found
        around = self._around.get(id(program))
        if around is None:
            return float(DEFAULT_MAX_CONCURRENCY)
        return self.width_of(around, given)

    def constant(self, compute: Compute) -> Any:
        """What a setting of a document comes to whatever a run is given; None where it depends on that."""
        try:
            return compute(_Nothing())
        except Exception:
            return None

    @staticmethod
    def look(compute: Compute, scope: Scope) -> Any:
        """What a setting comes to in a scope; what it draws from the run's chance is put back."""
        chance = scope.services.random
        state = chance.getstate()
        try:
            return compute(scope)
        finally:
            chance.setstate(state)

    def is_answered(self, node: BaseNode) -> bool:
        """Whether something may follow an error of a node: a further attempt, or a handler."""
        step = self.step(node)
        return step.recovers or step.on_timeout is not None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all nodes."""
        return tuple(sorted({step.id for step in self._steps.values() if step.id is not None}))

    def _take(self, program: Program) -> None:
        for body in _bodies(program):
            for step in body.steps:
                if id(step.node) not in self._handlers:
                    self._bodies[id(step.node)] = body
                self._take_step(program, step)

    def _take_step(self, program: Program, step: Step) -> None:
        if id(step.node) in self._steps:
            return
        self._steps[id(step.node)] = step
        self._programs[id(step.node)] = program
        for handler in (step.fallback, step.on_timeout):
            if handler is not None:
                self._handlers.add(id(handler.node))
                self._bodies.pop(id(handler.node), None)
                self._take_step(program, handler)
        if step.linked is not None:
            self._around[id(step.linked)] = program
            self._take(step.linked)


class _Nothing:
    """A scope in which nothing can be seen."""

    services = Services()

    def value(self, name: str) -> Any:
        raise KeyError(name)

    def node(self, name: str) -> None:
        raise KeyError(name)


def _bodies(program: Program) -> Iterator[CompiledBody]:
    """Every body of a document, those of clean-up included."""
    left = [program.main, *program.bodies.values()]
    if program.on_error is not None:
        left.append(program.on_error)
    seen: set[int] = set()
    while left:
        body = left.pop()
        if id(body) not in seen:
            seen.add(id(body))
            yield body
            if body.cleanup is not None:
                left.append(body.cleanup)
