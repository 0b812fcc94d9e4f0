"""Owns how each entry of a run's journal becomes a row, and is read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from ...journal.rows import Row
from ...types.storing import CannotKeep
from .entries import (
    Answered,
    AttemptFailed,
    BodyEnded,
    Bounded,
    BoundEnded,
    Compacted,
    Completed,
    CookiesSet,
    Decided,
    Ended,
    Entry,
    Given,
    JobsEnded,
    KeptFirst,
    Late,
    Opened,
    Passed,
    Reading,
    Requested,
    Retried,
    Started,
    Waits,
    Whole,
)
from .run_entries import Cancelling, Exceeded, Forked, Ran, RunBegan, RunEnded

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]

ENTRIES: dict[str, type[Entry]] = {
    each.kind: each
    for each in (
        RunBegan,
        Started,
        KeptFirst,
        CookiesSet,
        Ended,
        AttemptFailed,
        Retried,
        Late,
        JobsEnded,
        Decided,
        Bounded,
        BoundEnded,
        Waits,
        Cancelling,
        Reading,
        BodyEnded,
        Completed,
        Answered,
        Given,
        Opened,
        Whole,
        Passed,
        Ran,
        Requested,
        Exceeded,
        Compacted,
        Forked,
        RunEnded,
    )
}
"""Every kind of entry."""

_PARTS_OF = {
    each: attrgetter("kind", *(field.name for field in fields(each))) for each in ENTRIES.values()
}
"""What gives the kind, the key and the facts of an entry: a run makes three entries a node."""


def row_of(entry: Entry, encode: Encode, value: bytes = b"") -> Row:
    """An entry as a row with that ``value``; raises CannotKeep for a value that cannot be kept,
    with the place inside it.
    """
    kind, key, *facts = _PARTS_OF[type(entry)](entry)
    try:
        return Row(kind, key, encode(facts), value)
    except CannotKeep as exc:
        raise CannotKeep(exc.path.partition("]")[2].removeprefix("."), exc.what) from exc.__cause__


def entry_of(row: Row, decode: Decode) -> Entry:
    """The entry that a row holds; raises KeyError for a kind that this version does not know."""
    return ENTRIES[row.kind](row.key, *decode(row.data))
