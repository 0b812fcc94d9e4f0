"""Owns the rows that a sink writes, out of its input: what they hold, and where they are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from ...types.errors import FlowScriptError

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of an input, or a part of them. A row is the input's own mapping: nothing is made for each one.

    ``source`` is the whole input and ``start`` how many of its rows are before these; ``same`` says that all
    of them have the same columns. ``first`` is the number of the first item of the input.
    """

    values: Sequence[Values]
    source: Any
    start: int = 0
    same: bool = True
    first: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, end: int, *, same: bool | None = None) -> Rows:
        """The rows from ``start`` to before ``end``, counted in these."""
        same = self.same if same is None else same
        return Rows(self.values[start:end], self.source, self.start + start, same, self.first)

    def label(self, index: int) -> str:
        """What a row is called in messages: looked for when it is asked for."""
        labels = _labels(self.source, "input", self.first)
        return next(islice(labels, self.start + index, None))

    @property
    def columns(self) -> list[str]:
        """The columns of the first row."""
        return list(self.values[0])


def rows_of(value: Any, first: int = 0) -> Rows:
    """The rows of a mapping or a list of mappings, lists inside flattened, in order; ``first`` is the number of
    the first item.

    Raises FlowScriptError that names the row for anything else.
    """
    is_list = isinstance(value, (list, tuple))
    is_flat = is_list and not any(issubclass(kind, (list, tuple)) for kind in set(map(type, value)))
    values: Sequence[Any] = value if is_flat else list(_flatten(value))
    rows = Rows(values, value, first=first)
    shapes: set[tuple[Any, ...]] = set()
    if all(issubclass(kind, dict) for kind in set(map(type, values))):
        shapes = set(map(tuple, values))
    if not all(map(_are_columns, shapes)) or (values and not shapes):
        for index, each in enumerate(values):
            _check(rows, index, each)
    return Rows(values, value, same=len(set(map(frozenset, shapes))) == 1, first=first)


def batches_of(rows: Rows, size: int) -> Iterator[Rows]:
    """The rows by this many at a time."""
    return (rows.part(start, start + size) for start in range(0, len(rows), size))


def alike(rows: Rows) -> Iterator[Rows]:
    """The rows in order, those next to each other that have the same columns together."""
    if rows.same:
        yield rows
        return
    values, start = rows.values, 0
    for end in range(1, len(values) + 1):
        if end == len(values) or values[end].keys() != values[start].keys():
            yield rows.part(start, end, same=True)
            start = end


def picker(columns: Sequence[str]) -> Callable[[Values], tuple[Any, ...]]:
    """What takes the values of some columns out of a row, in their order."""
    if len(columns) == 1:
        only = columns[0]
        return lambda values: (values[only],)
    return itemgetter(*columns)


def need(rows: Rows, columns: Sequence[str], setting: str, *, null: bool) -> None:
    """Raise FlowScriptError where a row has no value for one of the columns that a setting names."""
    for index, values in enumerate(rows.values):
        for column in columns:
            if column not in values:
                raise FlowScriptError(
                    f"{rows.label(index)} has no {column!r}, which {setting} names"
                )
            if values[column] is None and not null:
                raise FlowScriptError(
                    f"{rows.label(index)} has null in {column!r}, which {setting} names"
                )


def _flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        return chain.from_iterable(map(_flatten, value))
    return iter((value,))


def _labels(value: Any, around: str, first: int = 0) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value, first):
            yield from _labels(item, f"{around}[{index}]")
    else:
        yield around


def _are_columns(names: tuple[Any, ...]) -> bool:
    return bool(names) and all(isinstance(name, str) and name for name in names)


def _check(rows: Rows, index: int, value: Any) -> None:
    if not isinstance(value, dict):
        raise FlowScriptError(
            f"{rows.label(index)} is not a row: it is {_kind(value)}; expected a mapping"
        )
    if not value:
        raise FlowScriptError(f"{rows.label(index)} is not a row: it has no columns")
    for name in value:
        if not isinstance(name, str) or not name:
            raise FlowScriptError(f"{rows.label(index)} has a column named {name!r}; expected text")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "text"
    return "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}"
