"""Owns the rows that a sink writes, out of its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...types.errors import FlowScriptError


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the input: what it is called in messages, and its values by column."""

    label: str
    values: dict[str, Any]


def rows_of(value: Any) -> list[Row]:
    """The rows of a mapping or a list of mappings, lists inside flattened, in order.

    Raises FlowScriptError that names the row for anything else.
    """
    return list(_rows(value, "input"))


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


def _rows(value: Any, label: str) -> Iterator[Row]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _rows(item, f"{label}[{index}]")
        return
    if not isinstance(value, dict):
        raise FlowScriptError(f"{label} is no row: it is {_kind(value)}; expected a mapping")
    if not value:
        raise FlowScriptError(f"{label} is no row: it has no columns")
    for name in value:
        if not isinstance(name, str) or not name:
            raise FlowScriptError(f"{label} has a column named {name!r}; expected a text")
    yield Row(label, value)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
