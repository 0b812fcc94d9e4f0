"""Owns what must hold between a durable run's journal and what was seen of its processes: passes, times, secrets.

It shares nothing with what it judges: it reads the entries that are on disk in the end, and what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf

from ...execution.durable.entries import (
    AttemptFailed,
    Bounded,
    Ended,
    Entry,
    JobsEnded,
    Retried,
    Waits,
)
from ...types.masking import Masker
from ...types.paths import bounded_by, branch_path, is_cleanup, is_in_handler, iteration_path
from .witness import Seen, Witness

Found = tuple[str, str, str]
"""A promise that does not hold, whom it is about, and what happened."""

SLACK = 0.01
"""Seconds that dates lose where they are rounded."""


def passes_are_those_of_ends(
    numbered: Sequence[tuple[int, Entry]], witnesses: Sequence[Witness]
) -> Iterator[Found]:
    """A node or a branch is on record with the pass in which it ended, not that in which it was written."""
    failed = {
        (entry.key, entry.attempt) for _, entry in numbered if isinstance(entry, AttemptFailed)
    }
    for witness, written in _by_process(numbered, witnesses):
        known: int | None = None
        for entry in written:
            if not isinstance(entry, Ended | JobsEnded):
                continue
            if isinstance(entry, Ended) and (entry.key, entry.attempt) in failed:
                continue  # it was too late, and the node went on
            for seen in _ends_of(entry, witness):
                shift = entry.at - seen.at
                if known is not None and shift != known:
                    said = f"{entry.key!r} ended in pass {seen.at + known}, and is on record with {entry.at}"
                    yield "the pass of an end is on record", entry.key or "the workflow", said
                    return
                known = shift


def decisions_go_before(witnesses: Iterable[Witness]) -> Iterator[Found]:
    """Nobody is cancelled by a decision that is not on disk yet."""
    for witness in witnesses:
        for cut in witness.cuts:
            if cut.reason is not None and cut.reason not in cut.reasons:
                said = f"{cut.path!r} was cancelled ({cut.reason}) before that was on disk"
                yield "a decision is on disk before it cancels", cut.path, said


def time_goes_on(entries: Sequence[Entry], witnesses: Sequence[Witness]) -> Iterator[Found]:
    """Waits and time limits go on by the wall clock, and do not start again with a process."""
    for entry in entries:
        if isinstance(entry, Waits):
            ends = [witness.nodes.get((entry.key, entry.attempt)) for witness in witnesses]
            yield from _late(entry.key, entry.due, witnesses, ends)
        elif isinstance(entry, Retried) and entry.rule is not None:
            begun = [witness.calls.get((entry.key, entry.attempt + 1)) for witness in witnesses]
            yield from _late(entry.key, entry.due, witnesses, begun)
        elif isinstance(entry, Bounded):
            yield from _outlived(entry, witnesses)


def secrets_are_hidden(kept: Iterable[bytes], secrets: Iterable[str]) -> Iterator[Found]:
    """No secret is in the store, in no spelling."""
    masker = Masker(secrets)
    if any(masker.spans(data) for data in kept):
        yield "no secret is in the store", "the run", "what is kept of the run has a secret in it"


def _by_process(
    numbered: Sequence[tuple[int, Entry]], witnesses: Sequence[Witness]
) -> Iterator[tuple[Witness, Sequence[Entry]]]:
    starts = [*(witness.first for witness in witnesses), inf]
    for witness, (start, end) in zip(witnesses, pairwise(starts), strict=True):
        yield witness, [entry for number, entry in numbered if start <= number < end]


def _ends_of(entry: Ended | JobsEnded, witness: Witness) -> list[Seen]:
    """When the ends of a node or of branches were seen in the process that wrote them, as far as they were."""
    if isinstance(entry, Ended):
        found = [witness.nodes.get((entry.key, entry.attempt))]
    else:
        branches, key = witness.branches, entry.key
        found = [branches.get(branch_path(key, index)) for index in entry.indices]
        found += [branches.get(iteration_path(key, index)) for index in entry.indices]
    return [seen for seen in found if seen is not None]


def _late(
    key: str, due: float, witnesses: Iterable[Witness], found: Iterable[Seen | None]
) -> Iterator[Found]:
    for witness, seen in zip(witnesses, found, strict=True):
        if seen is None:
            continue
        # Where its time had passed before the process began, it may be behind clean-up that is owed.
        if witness.began < due - SLACK and seen.time > due + SLACK:
            said = f"{key!r} waited until {seen.time - due:g} s after its time"
            yield "waits and time limits go on", key, said
        return  # what follows the wait has begun, and goes on in later processes


def _outlived(bound: Bounded, witnesses: Iterable[Witness]) -> Iterator[Found]:
    owner = bounded_by(bound.key)
    inside = (f"{owner}/", f"{owner}[") if owner else ("",)
    for witness in witnesses:
        for (path, _), seen in witness.calls.items():
            if not path.startswith(inside) or is_cleanup(path, owner) or is_in_handler(path, owner):
                continue
            if seen.time > max(bound.due, witness.began) + SLACK:
                said = f"{path!r} was begun {seen.time - bound.due:g} s after the time of {owner!r}"
                yield "waits and time limits go on", owner or "the workflow", said
                return
