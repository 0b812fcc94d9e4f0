"""Owns how each entry of a run's journal becomes a row, and is read back: there is no other way into a store.

So what must not be kept in the clear is looked for here, whatever kind of entry it is in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from math import inf
from operator import attrgetter
from typing import Any

from ...journal.cookies import may_set_cookies, sets_cookies
from ...journal.rows import Row
from ...journal.values import encode_plain
from ...types.storing import CannotKeep
from .coding import Coding
from .entries import (
    Answered,
    AttemptFailed,
    Begun,
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
from .run_entries import Cancelling, Exceeded, Forked, Left, Ran, RunBegan, RunEnded

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
        Begun,
        BodyEnded,
        Completed,
        Answered,
        Given,
        Opened,
        Whole,
        Passed,
        Ran,
        Left,
        Requested,
        Exceeded,
        Compacted,
        Forked,
        RunEnded,
    )
}
"""Every kind of entry."""

LARGE_PARTS: dict[str, tuple[int, ...]] = {
    "ended": (2,),
    "opened": (3,),
    "whole": (1, 4),
    "run-ended": (1,),
}
"""Which facts of an entry are its value, where they are large: what several entries give is kept once then."""

_PARTS_OF = {
    each: attrgetter("kind", *(field.name for field in fields(each))) for each in ENTRIES.values()
}
"""What gives the kind, the key and the facts of an entry: a run makes three entries a node."""


def facts_of(entry: Entry) -> list[Any]:
    """What an entry says of its execution."""
    _, _, *facts = _PARTS_OF[type(entry)](entry)
    return facts


def row_of(
    entry: Entry, coding: Coding, value: bytes = b"", sealed: bool = False, room: float = inf
) -> tuple[Row, Entry]:
    """An entry as a row with that ``value``, and what it says: the entry, unless it had to be without its cookies.

    One with headers that set cookies is sealed with the key of the store, as is one that is to be ``sealed``.
    Raises CannotKeep for a value that cannot be kept, with the place inside it; TooLarge for one that takes more
    than about ``room`` bytes.
    """
    kind, key, *facts = _PARTS_OF[type(entry)](entry)
    if entry.is_bare and not sealed:
        return Row(kind, key, encode_plain(facts), value), entry
    try:
        data = coding.encode(facts, room)
    except CannotKeep as exc:
        raise _inside(exc) from exc.__cause__
    told = sealed or entry.is_secret
    if told or (may_set_cookies(data) and sets_cookies(facts) and not entry.is_open):
        closed = coding.close(data)
        if closed is None:
            entry = entry.without_cookies()
            closed = coding.encode(facts_of(entry))
        data = closed
    return Row(kind, key, data, value), entry


def _inside(error: CannotKeep) -> CannotKeep:
    """The error with the place inside the value, and not among the facts of its entry."""
    return CannotKeep(error.path.partition("]")[2].removeprefix("."), error.what)


def entry_of(row: Row, decode: Decode) -> Entry:
    """The entry that a row holds; raises KeyError for a kind that this version does not know."""
    facts = decode(row.data)
    if row.value and (places := LARGE_PARTS.get(row.kind)):
        value = decode(row.value)
        for place, part in zip(places, value if len(places) > 1 else [value], strict=True):
            facts[place] = part
    return ENTRIES[row.kind](row.key, *facts)


def large_row_of(entry: Entry, coding: Coding, value: bytes, sealed: bool) -> Row:
    """An entry whose large part was packed before as a row; ``sealed``: with the key of the store."""
    kind, key, *facts = _PARTS_OF[type(entry)](entry)
    for place in LARGE_PARTS[kind]:
        facts[place] = None
    data = coding.encode(facts)
    closed = coding.close(data) if sealed else data
    assert closed is not None, "what is to be sealed was, with the same key"
    return Row(kind, key, closed, value)
