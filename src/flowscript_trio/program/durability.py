"""Owns what is said about a document that is to run with a store: which of its sinks write at least once only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..runtimes.database.markers import has_markers
from ..runtimes.database.types import MARKERS
from ..types.ast import BaseNode
from ..types.errors import FlowScriptError, Problem
from ..types.location import Text
from ..types.looking import summary_of
from .compiled import Program
from .loading import Flow
from .placing import programs_of, steps_in

CODE = "at-least-once"


async def sinks_without_markers(flow: Flow, base: Path | None = None) -> list[Problem]:
    """A warning for each database sink whose database has no table of markers, or is known only in the run.

    Args:
        flow: the workflow; documents that it runs count.
        base: the folder that relative paths of SQLite files are taken from; None for the current one.

    Databases whose URL is in the document are asked. One that cannot be is named with what it said.
    Cancellation interrupts the question.
    """
    return [
        Problem(
            code=CODE,
            message=f"{node.label!r} {said}",
            location=node.location,
            severity="warning",
        )
        for node in _sinks(flow.program)
        if (said := await _said(node, base)) is not None
    ]


async def _said(node: BaseNode, base: Path | None) -> str | None:
    url = node.settings["connection"].value
    if not isinstance(url, Text) or "{{" in url.value:
        return (
            f"writes exactly once only where its database has the table {MARKERS}; it is known only in the run, "
            "so make it there once: flowscript markers CONNECTION"
        )
    try:
        if await has_markers(url.value, base):
            return None
    except FlowScriptError as exc:
        return f"writes at least once: {exc}"
    except Exception as exc:  # of SQLAlchemy, or of a driver
        return f"has a database that could not be asked for its table {MARKERS}: {summary_of(exc)}"
    return (
        f"writes at least once, since its database has no table {MARKERS}; make it once: "
        "flowscript markers CONNECTION"
    )


def _sinks(program: Program) -> Iterator[BaseNode]:
    """The database sinks of a program and of those that it runs, each once."""
    for each in programs_of(program):
        nodes = {
            step.node.key: step.node for step in steps_in(each) if step.node.type == "sink:database"
        }
        yield from (nodes[key] for key in sorted(nodes))
