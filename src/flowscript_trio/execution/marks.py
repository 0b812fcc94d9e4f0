"""Owns what the engine writes on an error object: notes and the record of its run, whatever the object allows.

An error may refuse: a frozen dataclass has no attribute set, ``__notes__`` may not be a list, ``add_note`` may
raise, and one object may be raised by two nodes, or by two runs. Nothing here fails for that. What could not
be written is on the record instead.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from ..types.deferred import dataclass
from ..types.exceptions import dictionary_of, written_notes
from ..types.looking import add_note

_ATTRIBUTE = "__flowscript__"


@dataclass(slots=True, eq=False)
class _Marks:
    """What one run has to say of an error: its notes in order, and the record of the failure."""

    run: int
    notes: list[str] = field(default_factory=list)
    failure: Any = None


def note(error: BaseException, run: int, text: str) -> None:
    """Say something on an error, once; the notes that an earlier run left on the object are taken back.

    Args:
        error: any exception.
        run: the number of the run.
        text: what to say.
    """
    marks = _marks_of(error, run)
    if text in marks.notes:
        return
    marks.notes.append(text)
    add_note(error, text)  # it may refuse: the record keeps this one


def notes_of(error: BaseException, run: int) -> tuple[str, ...]:
    """All that a run had to say on an error, whether it could be written on it or not."""
    return tuple(_marks_of(error, run).notes)


def set_failure(error: BaseException, run: int, failure: object) -> None:
    """Hang the record of a failure on the error that its run is about to raise."""
    _marks_of(error, run).failure = failure


def get_failure(error: BaseException) -> object:
    """The record of the failure of the last run that raised an error; None if no run did."""
    marks = dictionary_of(error).get(_ATTRIBUTE)
    return marks.failure if isinstance(marks, _Marks) else None


def _marks_of(error: BaseException, run: int) -> _Marks:
    own = dictionary_of(error)
    found = own.get(_ATTRIBUTE)
    if isinstance(found, _Marks):
        if found.run == run:
            return found
        _take_back(error, found.notes)
    marks = own[_ATTRIBUTE] = _Marks(run)
    return marks


def _take_back(error: BaseException, notes: list[str]) -> None:
    """Remove the notes of an earlier run, which would be taken for those of this one."""
    if (written := written_notes(error)) is not None:
        written[:] = [text for text in written if text not in notes]
