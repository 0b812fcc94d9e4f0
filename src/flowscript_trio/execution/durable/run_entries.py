"""Owns the entries of a journal that say something of the whole run; keys and times are as in ``entries``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...journal.errors import ErrorFacts
from ...types.results import RunStatus
from .entries import Entry


@dataclass(frozen=True, slots=True)
class RunBegan(Entry):
    """The run begins; what it follows from besides its document is drawn once.

    ``seal`` tells whether the key of the store is that which it was begun with; empty where it was begun without.
    ``prints`` tell by the ``salt`` whether the secrets of those names have changed since.
    """

    kind = "began"
    is_open = True
    seed: int
    started: datetime
    salt: bytes
    prints: dict[str, bytes]
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class Cancelling(Entry):
    """A cancellation that the document did not ask for has reached the run."""

    kind = "cancelling"
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Ran(Entry):
    """The run has been at work for this many seconds, over all its processes, at that time of the wall clock."""

    kind = "ran"
    is_bare = True
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Left(Entry):
    """A process has left the run, and all that it did has unwound: it did not die at what had not ended.

    ``since`` is the number of the first row that it may have written.
    """

    kind = "left"
    is_bare = True
    since: int


@dataclass(frozen=True, slots=True)
class Exceeded(Entry):
    """The execution at ``path`` has exceeded that bound of the budget: the run is about to be cancelled."""

    kind = "exceeded"
    bound: str
    path: str


@dataclass(frozen=True, slots=True)
class Forked(Entry):
    """The entries before this one are those of the run ``run`` before the first one of its execution ``before``.

    ``disowned`` are the nodes that ``run`` itself undoes, if anyone; ``skipped`` are the outputs of those that
    are not run, by their keys.
    """

    kind = "forked"
    run: str
    before: str
    disowned: list[str]
    skipped: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunEnded(Entry):
    """The run has ended.

    ``origin`` is the execution that its error left first: its id, label and path, the place in the document, and
    how many attempts it had. None where no node raised the error; earlier releases did not write it.
    """

    kind = "run-ended"
    status: RunStatus
    output: Any
    error: ErrorFacts | None
    origin: list[Any] | None = None
