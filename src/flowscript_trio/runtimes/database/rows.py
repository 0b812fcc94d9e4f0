"""Owns the rows that a sink writes, out of its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...types.errors import FlowScriptError


@dataclass(slots=True)  # frozen, it would take three times as long to make a hundred thousand
class Row:
    """A row of the input: where it stands, and its values by column."""

    around: str
    index: int | None
    values: dict[str, Any]

    @property
    def label(self) -> str:
        """What it is called in messages."""
        return self.around if self.index is None else f"{self.around}[{self.index}]"


def rows_of(value: Any, first: int = 0) -> list[Row]:
    """The rows of a mapping or a list of mappings, lists inside flattened, in order; ``first`` is the number of
    the first item.

    Raises FlowScriptError that names the row for anything else.
    """
    rows: list[Row] = []
    _collect(value, "input", None, rows, set(), first)
    return rows


def batches_of(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """The rows by so many at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def alike(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows in order, those next to each other that have the same columns together."""
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end].values.keys() != rows[start].values.keys():
            yield rows[start:end]
            start = end


def need(row: Row, columns: Sequence[str], setting: str, *, null: bool) -> None:
    """Raise FlowScriptError where a row has no value for one of the columns that a setting names."""
    for column in columns:
        if column not in row.values:
            raise FlowScriptError(f"{row.label} has no {column!r}, which {setting} names")
        if row.values[column] is None and not null:
            raise FlowScriptError(f"{row.label} has null in {column!r}, which {setting} names")


def _collect(
    value: Any,
    around: str,
    index: int | None,
    rows: list[Row],
    known: set[tuple[Any, ...]],
    first: int = 0,
) -> None:
    """Add the rows of a value; ``known`` are the columns that were looked at, most rows have the same."""
    if isinstance(value, (list, tuple)):
        around = around if index is None else f"{around}[{index}]"
        for number, item in enumerate(value, first):
            _collect(item, around, number, rows, known)
        return
    row = Row(around, index, value)
    if not isinstance(value, dict):
        raise FlowScriptError(f"{row.label} is not a row: it is {_kind(value)}; expected a mapping")
    columns = tuple(value)
    if columns not in known:
        if not columns:
            raise FlowScriptError(f"{row.label} is not a row: it has no columns")
        for name in columns:
            if not isinstance(name, str) or not name:
                raise FlowScriptError(f"{row.label} has a column named {name!r}; expected a text")
        known.add(columns)
    rows.append(row)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
