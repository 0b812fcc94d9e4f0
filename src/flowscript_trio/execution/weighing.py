"""Owns the record of a run whose size is bounded: it is weighed as it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..types.looking import text_of
from ..types.masking import Masker
from ..types.results import Cancellation, NodeResult
from .record import Record, Warned

T = TypeVar("T")
Note = Callable[[int, str], None]

RESULT = 500
"""About the bytes of one execution on the record, with its path and the numbers in it."""
ERROR = 4_000
"""About the bytes of an error, with the traceback and the frames that it holds."""
ENTRY = 300
"""About the bytes of a warning or a cancellation."""


class WeighedRecord(Record):
    """A record that says of everything in it how large it is, in bytes.

    ``note`` is called with how many were added, and the path of what it is about.
    """

    __slots__ = ("_note",)

    def __init__(self, keep: int, masker: Masker | None, note: Note) -> None:
        super().__init__(keep=keep, masker=masker)
        self._note = note
        self.warnings: list[Warned] = _Weighed(
            lambda each: note(ENTRY + len(each.message), each.path)
        )
        self.cancellations: list[tuple[str, Cancellation]] = _Weighed(
            lambda each: note(ENTRY + len(each[1].reason), each[0])
        )

    def add(self, key: int, label: str, result: NodeResult, inner: bool) -> None:
        before = len(self)
        super().add(key, label, result, inner)
        if len(self) > before:
            self._note(_weight_of(result), result.path)


class _Weighed(list[T]):
    """A list that says what is appended to it."""

    def __init__(self, note: Callable[[T], None]) -> None:
        super().__init__()
        self._note = note

    def append(self, value: T) -> None:
        super().append(value)
        self._note(value)


def _weight_of(result: NodeResult) -> int:
    errors: list[Any] = [*result.earlier, *result.possibly_masked]
    if result.error is not None and all(each is not result.error for each in errors):
        errors.append(result.error)
    branches = sum(ENTRY for branch in result.branches)
    return RESULT + branches + sum(ERROR + len(text_of(error)) for error in errors)
