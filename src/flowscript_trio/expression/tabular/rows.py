"""Owns the reading of csv: texts that come in pieces become rows, each as soon as it is whole. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from ...types.errors import FlowScriptError, nearest
from .columns import Reader
from .tables import LONGEST, NEAR, PLAIN, Dialect, Duplicates, look_for_delimiter


class _Starved(Exception):
    """Python's reader of csv wants a line that has not come yet."""


def _starve() -> Iterator[str]:
    raise _Starved
    yield


class CsvRows:
    """Takes a csv file piece by piece, and gives its rows: dicts by the columns of the header, or lists.

    Values are texts, or what ``types`` reads by column; a text that it cannot read is an error with its line.
    Empty lines are skipped. ``name`` is for messages. What is kept between two pieces is the record that is not
    whole yet, of at most ``LONGEST`` characters. ``spend`` is told of this many fields before they are made.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect = PLAIN,
        types: Mapping[str, Reader] | None = None,
        spend: Callable[[int], None] | None = None,
    ) -> None:
        self._name = name
        self._spend = spend
        self._dialect = dialect
        self._types = types or {}
        self._skip = dialect.skip
        self._delimiter = dialect.delimiter
        self._header: list[str] | None = None
        self._line = 0
        self._rest = ""
        self._enough = 0
        if isinstance(dialect.header, tuple):
            self._begin(list(dialect.header))

    @property
    def pending(self) -> int:
        """The characters of the record that is not whole yet."""
        return len(self._rest)

    def feed(self, text: str, last: bool = False) -> list[Any]:
        """The rows that are whole with the next piece of the file; ``last`` says that none follows.

        Raises FlowScriptError with the line of what is wrong.
        """
        text = self._rest + text
        if not last and len(text) < self._enough:
            self._rest = text
            return []
        if self._skip:
            text = self._skip_lines(text, last)
        # A carriage return at the end may be half of a line end.
        end = len(text) if last else max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        ready, self._rest = text[:end], text[end:]
        rows = self._read(ready, last) if ready else []
        if len(self._rest) > LONGEST:
            raise FlowScriptError(
                f"{self._name}:{self._line + 1}: not valid CSV: a record of more than {LONGEST:,} characters"
            )
        return rows

    def _skip_lines(self, text: str, last: bool) -> str:
        lines = io.StringIO(text, newline="")
        while self._skip and (line := lines.readline()):
            if not last and not line.endswith("\n") and lines.tell() == len(text):
                return line  # it may go on in the next piece
            self._skip -= 1
            self._line += 1
        return lines.read()

    def _read(self, text: str, last: bool) -> list[Any]:
        """The rows of whole lines; those of a record that is not whole go back."""
        lines = io.StringIO(text, newline="")
        source = lines if last else chain(lines, _starve())
        delimiter, is_whole = self._delimiter, True
        if delimiter is None:
            delimiter, is_whole = look_for_delimiter(text, self._dialect.quote)
        if not is_whole and not last:
            self._put_back(text)
            return []
        reader = self._dialect.rows_of(source, delimiter)
        rows: list[Any] = []
        done = 0
        try:
            if self._header is None and self._dialect.header is True:
                self._begin(next(filter(None, reader)), reader.line_num)
                done = reader.line_num
            header = self._header
            is_plain = header is not None and not self._types
            width = 0 if header is None else len(header)
            for row in reader if self._spend is None else self._counted(reader):
                done = reader.line_num
                if is_plain and len(row) == width:
                    rows.append(dict(zip(header, row, strict=False)))  # type: ignore[arg-type]
                elif not row:
                    pass
                elif header is None:
                    rows.append(row)
                elif (found := self._row(header, row, done)) is not None:
                    rows.append(found)
        except _Starved:
            if done < reader.line_num:  # in the middle of a record, which goes on in the next piece
                lines.seek(0)
                for _ in range(done):
                    lines.readline()
                self._put_back(lines.read())
        except StopIteration:  # there is not even a header
            pass
        except csv.Error as exc:
            place = f"{self._name}:{self._line + reader.line_num}"
            raise FlowScriptError(f"{place}: not valid CSV: {exc}") from None
        if done:
            self._delimiter = delimiter
        self._line += done
        return rows

    def _counted(self, reader: Iterable[list[str]]) -> Iterator[list[str]]:
        width = len(self._header or ())
        for row in reader:
            self._spend_fields(max(len(row), width))
            yield row

    def _spend_fields(self, count: int) -> None:
        if self._spend is not None:
            self._spend(count)

    def _put_back(self, begun: str) -> None:
        """Keep the beginning of a record until as much again has come: to try at each piece would take
        quadratic time.
        """
        self._rest = begun + self._rest
        self._enough = 2 * len(begun)

    def _begin(self, header: Sequence[str], line: int = 0) -> None:
        self._spend_fields(len(header) * 8)
        if self._dialect.header is True:
            place = f"{self._name}:{self._line + line}"
            header = _names(header, place, self._dialect.duplicates)
        _refuse_unknown(self._types, header, self._name)
        self._header = list(header)

    def _row(self, header: Sequence[str], row: list[str], line: int) -> dict[str, Any] | None:
        place = f"{self._name}:{self._line + line}"
        if len(row) != len(header):
            if self._dialect.ragged == "skip":
                return None
            if self._dialect.ragged == "error":
                columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
                raise FlowScriptError(
                    f"{place}: the row has {columns}, and the header {len(header)}; "
                    "expected the same, or the setting ragged: fit or skip"
                )
        found: dict[str, Any] = dict(zip(header, row, strict=False))
        for column in header[len(row) :]:
            found[column] = None
        for column, read in self._types.items():
            found[column] = read(found[column], f"{place}: column {column!r}")
        return found


def decode_csv(
    text: str, name: str, dialect: Dialect = PLAIN, types: Mapping[str, Reader] | None = None
) -> list[Any]:
    """The rows of a whole csv text, as :class:`CsvRows` gives them."""
    return CsvRows(name, dialect, types).feed(text, last=True)


def _names(header: Sequence[str], place: str, duplicates: Duplicates) -> list[str]:
    """The names of the columns; those given twice are numbered (``a``, ``a_2``), or an error."""
    seen = set(header) if duplicates == "number" else set()
    if duplicates == "error":
        for column in header:
            if column in seen:
                raise FlowScriptError(
                    f"{place}: the header has the column {column!r} twice; "
                    "expected each once, or the setting duplicates: number"
                )
            seen.add(column)
        return list(header)
    names: list[str] = []
    used: dict[str, int] = {}
    for column in header:
        name, number = column, used.get(column, 0) + 1
        while number > 1 and (name := f"{column}_{number}") in seen:
            number += 1
        used[column] = number
        seen.add(name)
        names.append(name)
    return names


def _refuse_unknown(types: Mapping[str, Reader], header: Sequence[str], name: str) -> None:
    known = set(header)
    for column in types:
        if column not in known:
            near = nearest(column, header[:NEAR])
            hint = f"; did you mean {near!r}?" if near else ""
            raise FlowScriptError(f"{name} has no column {column!r}, which types names{hint}")
