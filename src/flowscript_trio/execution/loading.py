"""Owns loading: a document's text becomes a flow that is checked, compiled and ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..parser import Parsed, ReadLimits, parse, read
from ..runtimes import registry as default_registry
from ..runtimes.registry import Registry
from ..types.ast import Document
from ..types.errors import Problem, WorkflowInvalid
from ..validator import Checked, check
from .compile import compile_program
from .program import Program


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A loaded workflow: immutable, and it may run many times at once.

    ``warnings`` are the problems of the document that do not keep it from running.
    """

    document: Document
    program: Program
    warnings: tuple[Problem, ...]
    registry: Registry
    checked: Checked
    """What reading found out about every node: settings, references, order."""

    @property
    def name(self) -> str:
        return self.document.name

    def with_registry(self, registry: Registry) -> Flow:
        """This workflow with other runtimes; raises WorkflowInvalid where they do not fit."""
        if registry is self.registry:
            return self
        return _make_flow(Parsed(self.document, ()), registry)


def load(
    path: str | Path, *, registry: Registry | None = None, limits: ReadLimits | None = None
) -> Flow:
    """Read a workflow from a file (``*.xml`` or ``*.flow.md``).

    Args:
        path: the document's file.
        registry: the runtimes; the default ones unless given.
        limits: how large and how deep a document may be.

    Raises:
        OSError: the file cannot be read.
        WorkflowInvalid: with all problems of the document at once.

    This is synchronous and quick; nothing of it can be cancelled.
    """
    return _make_flow(read(path, limits=limits or ReadLimits()), registry or default_registry)


def loads(
    text: str,
    *,
    name: str = "<text>",
    registry: Registry | None = None,
    limits: ReadLimits | None = None,
) -> Flow:
    """Read a workflow from text; ``name`` stands for the file in places. Raises as :func:`load`."""
    parsed = parse(text, file=name, limits=limits or ReadLimits())
    return _make_flow(parsed, registry or default_registry)


def _make_flow(parsed: Parsed, registry: Registry) -> Flow:
    problems = list(parsed.problems)
    if parsed.document is None:
        raise WorkflowInvalid(problems)
    checked = check(parsed.document, registry)
    problems += checked.problems
    problems.sort(key=lambda problem: problem.location)
    if any(problem.severity == "error" for problem in problems):
        raise WorkflowInvalid(problems)
    return Flow(parsed.document, compile_program(checked), tuple(problems), registry, checked)
