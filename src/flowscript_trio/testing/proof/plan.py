"""Owns what a workflow says about its nodes, looked up by the node: steps, bodies, clean-up."""

from __future__ import annotations

from collections.abc import Iterator

from ...execution.program import CompiledBody, Program, Step
from ...types.ast import BaseNode


class Plan:
    """The steps of a workflow and of the documents that it runs, by their nodes."""

    def __init__(self, program: Program) -> None:
        self.main = program.main
        self._steps: dict[int, Step] = {}
        self._programs: dict[int, Program] = {}
        self._bodies: dict[int, CompiledBody] = {}
        self._handlers: set[int] = set()
        self._take(program)

    def step(self, node: BaseNode) -> Step:
        return self._steps[id(node)]

    def body_around(self, node: BaseNode) -> CompiledBody | None:
        """The body that a node stands in; None for a handler, which stands in none."""
        return self._bodies.get(id(node))

    def compensation_of(self, node: BaseNode) -> CompiledBody | None:
        key = self.step(node).compensate
        return None if key is None else self._programs[id(node)].bodies[key]

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
            self._take(step.linked)


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
