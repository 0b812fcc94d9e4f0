"""Owns which rows of a run's journal a fork of it begins with. Pure, but for the errors that it raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from ...journal.rows import Journal, Row
from ...journal.values import decode_value
from ...types.errors import InputError, nearest
from ...types.paths import (
    bounded_by,
    is_below,
    is_within,
    iteration_path,
    levels_of,
    owner_of,
    prefix_of,
    undone_in,
)
from ...types.storing import StoreFailed
from .working_time import RAN_APART

Numbered = tuple[int, Row]

_BEGINNINGS = frozenset({"started", "begun", "kept", "waits", "bounded"})
_ENDS = frozenset({"ended", "failed", "late", "answered", "bound-ended", "opened", "whole"})


def places_of(row: Row) -> list[str]:
    """The executions that a row is in: the ends of iterations have the key of their block."""
    if row.kind == "jobs":
        return [iteration_path(row.key, index) for index in decode_value(row.data)[0]]
    return [bounded_by(row.key)]


def _is_of(row: Row, region: str) -> bool:
    """Whether a row tells of that execution, or of one inside it."""
    return any(is_within(place, region) for place in places_of(row))


def first_of(rows: Sequence[Numbered], at: str) -> int | None:
    """The number of the first row of the execution ``at``; None where there is none, as of what only computes."""
    return next((number for number, row in rows if _is_of(row, at)), None)


def cut(run_id: str, rows: Sequence[Numbered], at: str, first: int) -> list[Numbered]:
    """The rows before the one with the number ``first``, to begin with the execution ``at``.

    Raises InputError where what was before it was compacted with what came after.
    """
    for number, row in rows:
        if (
            row.kind == "compacted"
            and number > first
            and since_of(row) < first
            and not is_within(row.key, at)
        ):
            raise InputError(
                f"the run {run_id!r} cannot be forked at {at!r}, since {row.key!r} had begun before it and was "
                "compacted after it; expected what came later"
            )
    return [each for each in rows if each[0] < first]


def since_of(row: Row) -> int:
    """The lowest number of the rows that a compacted entry stands for."""
    return int(row.value)


def not_reached(run_id: str, rows: Sequence[Numbered], at: str, begun: Iterable[str]) -> InputError:
    """The error for a fork at what is not on record; ``begun`` are the paths of all that had begun."""
    compacted = (row.key for _, row in rows if row.kind == "compacted")
    around = next((key for key in compacted if is_below(at, key)), None)
    if around is not None:
        return InputError(
            f"the run {run_id!r} cannot be forked at {at!r}, since what had ended in {around!r} is compacted; "
            f"expected {around!r} itself, or what came after it"
        )
    places = {*begun, *(place for _, row in rows for place in places_of(row))}
    known = {each for place in places for each in (*levels_of(place), place) if each}
    near = nearest(at, sorted(known))
    hint = f"; did you mean {near!r}?" if near else ""
    return InputError(f"the run {run_id!r} never reached {at!r}{hint}")


def undone(rows: Iterable[Numbered], since: int) -> list[str]:
    """The nodes whose compensation has begun in one of the rows from a number on."""
    found = {undone_in(row.key): None for number, row in rows if number >= since}
    return [node for node in found if node is not None]


def without_undone(before: Iterable[Numbered], nodes: Iterable[str]) -> list[Numbered]:
    """The rows but for those of nodes that were undone: they count as not ended.

    Nor does a body around them that was over while it was being cancelled: it would not come to that end again.
    """
    gone = frozenset(nodes)  # there may be as many as there are rows
    around = {"", *(level for node in gone for level in levels_of(node))} if gone else frozenset()
    return [
        each
        for each in before
        if all(gone.isdisjoint(_regions_of(place)) for place in places_of(each[1]))
        and not (_was_cancelled(each[1]) and owner_of(prefix_of(each[1].key)) in around)
    ]


def _was_cancelled(row: Row) -> bool:
    """Whether a row is of a body that was over while a cancellation was pending."""
    return row.kind == "body" and any(decode_value(row.data))


def _regions_of(place: str) -> Iterator[str]:
    """What an execution is within: itself, and whatever it leads through."""
    yield place
    for at, character in enumerate(place):
        if character in "/[~":
            yield place[:at]


def without_begun(before: Sequence[Numbered]) -> list[Numbered]:
    """The rows but for those of what had begun and not ended: the fork begins it again, with its own time.

    A time limit that had passed by then stays: what it bounds was being cancelled, and is too late in the fork.
    """
    ended: set[str] = set()  # what has an end behind the row that is looked at
    kept = []
    latest = _latest_of(before)
    for number, row in reversed(before):
        if row.kind in _ENDS:
            ended.add(row.key)
        if row.kind == "left":
            continue  # it tells of what had not ended
        if row.kind not in _BEGINNINGS or row.key in ended or _has_passed(row, latest):
            kept.append((number, row))
        if (
            row.kind in _BEGINNINGS and row.kind != "kept"
        ):  # which is between a beginning and its end
            ended.discard(row.key)
    return kept[::-1]


def _latest_of(rows: Sequence[Numbered]) -> float:
    """The latest time that the rows may be of, by the wall clock."""
    noted = next((row for _, row in reversed(rows) if row.kind == "ran"), None)
    return -inf if noted is None else decode_value(noted.data)[1] + RAN_APART


def _has_passed(row: Row, now: float) -> bool:
    """Whether a row is of a time limit which had passed."""
    return row.kind == "bounded" and decode_value(row.data)[0] <= now


def completed(before: Iterable[Numbered]) -> Iterator[str]:
    """The nodes that can be undone and had succeeded."""
    return (row.key for _, row in before if row.kind == "completed")


def check_whole(journal: Journal, expected: Sequence[int]) -> None:
    """Raise StoreFailed for a fork whose first entries were not written: its process died meanwhile."""
    if expected and not journal.found:
        raise StoreFailed(
            f"the run {journal.run_id!r} is a fork whose process died before it was written; fork it again, "
            "under another id"
        )
