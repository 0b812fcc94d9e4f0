"""Owns how a run has ended, as its journal keeps it: its output, its error, and where that is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...types.location import Location
from ...types.results import NodeResult
from .coding import Coding
from .run_entries import RunEnded


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run that had ended gives again.

    ``origin`` is the execution that the ``error`` left first, where that is known; ``notes`` are what the run had
    noted on the error, in order.
    """

    output: Any
    error: BaseException | None = None
    origin: NodeResult | None = None
    notes: tuple[str, ...] = ()


def ending_of(ended: RunEnded, coding: Coding) -> Ending:
    """How a run has ended, read back from its journal."""
    if ended.error is None:
        return Ending(ended.output)
    error, notes = coding.decode_noted(ended.error)
    return Ending(ended.output, error, _origin(ended.origin, error), tuple(notes))


def origin_facts(origin: NodeResult | None) -> list[Any] | None:
    """What a journal keeps of the execution that an error left first."""
    if origin is None:
        return None
    place = origin.location
    where = [place.file, place.line, place.column]
    return [origin.id, origin.label, origin.path, *where, origin.attempts]


def _origin(facts: list[Any] | None, error: BaseException) -> NodeResult | None:
    if facts is None:
        return None
    id_, label, path, file, line, column, attempts = facts
    place = Location(file, line, column)
    # When it was by trio's clock means nothing in this process.
    return NodeResult(id_, label, path, "failed", None, 0.0, 0.0, place, error, attempts=attempts)
