"""Owns csv: rows of texts under a header, in the dialect that the settings say. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from ...types.errors import EvaluationError, FlowScriptError, nearest
from ..encoding import to_text, written_text

LONGEST = 64 * 1024 * 1024
"""Characters of one field, and of one record of a file that is read piece by piece."""
csv.field_size_limit(
    max(csv.field_size_limit(), LONGEST)
)  # Python's own is too small for real work

_DELIMITERS = ",;\t|"
"""What separates fields where the settings do not say: the one that the first line has most of."""

Text = Callable[[Any], str]
"""Gives a value as the text of a field."""
NEAR = 1000
"""Columns among which the one is looked for that a wrong name may have meant."""
Ragged = Literal["error", "fit", "skip"]
Duplicates = Literal["error", "number"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a csv file is written.

    ``delimiter`` and ``quote`` are characters; None stands for finding the delimiter out, and for no quoting.
    ``header`` is True where the first line names the columns, False where nothing does (rows are lists
    then), or the names themselves, which are not in the file.
    """

    delimiter: str | None = None
    quote: str | None = '"'
    header: bool | tuple[str, ...] = True
    skip: int = 0
    ragged: Ragged = "error"
    duplicates: Duplicates = "error"

    def rows_of(self, lines: Iterable[str], delimiter: str) -> Any:
        """Python's reader of rows with that delimiter."""
        if self.quote is None:
            return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(lines, delimiter=delimiter, quotechar=self.quote, strict=True)


PLAIN = Dialect()


def find_delimiter(text: str, quote: str | None) -> str:
    """The delimiter that the first line has most of outside of quotes; a comma where it has none."""
    return look_for_delimiter(text, quote)[0]


def look_for_delimiter(text: str, quote: str | None) -> tuple[str, bool]:
    """The delimiter as :func:`find_delimiter` gives it, and whether the text has the whole of the first line."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    is_quoted = is_whole = False
    for char in text:
        if char == quote:
            is_quoted = not is_quoted
        elif not is_quoted:
            if char in "\r\n":
                is_whole = True
                break
            if char in counts:
                counts[char] += 1
    return max(_DELIMITERS, key=lambda char: counts[char]), is_whole


def read_header(file: TextIO, dialect: Dialect = PLAIN) -> tuple[list[str] | None, str]:
    """The columns of a csv file, or None for an empty one, and its delimiter."""
    for _ in range(dialect.skip):
        file.readline()
    first = file.readline()
    delimiter = dialect.delimiter or find_delimiter(first, dialect.quote)
    return next(filter(None, dialect.rows_of(_from(first, file), delimiter)), None), delimiter


def _from(first: str, file: TextIO) -> Iterator[str]:
    if first:
        yield first
    yield from file


def columns_of(rows: Sequence[Any], dialect: Dialect) -> list[str] | None:
    """The columns of mappings, in the order first seen, or those that the dialect gives; None for lists."""
    if isinstance(dialect.header, tuple):
        return list(dialect.header)
    names = {to_text(key): None for row in rows if isinstance(row, Mapping) for key in row}
    return list(names) or None


def encode_csv(
    value: Any,
    columns: list[str] | None = None,
    dialect: Dialect = PLAIN,
    first: int = 0,
    text: Text = written_text,
) -> str:
    """A mapping, or a list of mappings, as rows under a header of all their keys, in the order first seen.

    With ``columns``, those of a file that is added to, there is no header, and a key that is not one of them
    is an error; so it is for the names that the dialect gives. A key that a row lacks gives an empty field.
    Without a header rows may be lists. ``first`` is the number of the first row, for messages; ``text`` gives
    the text of a field.
    """
    rows = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    out = io.StringIO(newline="")
    writer = _Writer(out, dialect)
    try:
        if dialect.header is False and any(isinstance(row, (list, tuple)) for row in rows):
            _write_lists(writer, rows, first, text)
        else:
            _write_mappings(writer, rows, columns, dialect, first, text)
    except csv.Error as exc:
        raise FlowScriptError(
            f"a field has the delimiter or a line break in it ({exc}); expected the setting quote"
        ) from None
    return out.getvalue()


class _Writer:
    """Writes rows. A carriage return must be in quotes too, which Python's writer does not see to; and in the
    first line whatever a reader would take for another delimiter, or for a byte order mark.
    """

    def __init__(self, out: io.StringIO, dialect: Dialect) -> None:
        delimiter = dialect.delimiter or ","
        if dialect.quote is None:
            plain: Any = csv.writer(
                out,
                delimiter=delimiter,
                quoting=csv.QUOTE_NONE,
                quotechar=None,
                lineterminator="\n",
            )
            quoting = None
        else:
            plain = csv.writer(
                out, delimiter=delimiter, quotechar=dialect.quote, lineterminator="\n"
            )
            quoting = csv.writer(
                out,
                delimiter=delimiter,
                quotechar=dialect.quote,
                quoting=csv.QUOTE_ALL,
                lineterminator="\n",
            )
        self._plain = plain
        self._quoting = quoting
        self._others = "" if dialect.delimiter else _DELIMITERS.replace(delimiter, "")
        self._is_first = True

    def write(self, fields: Sequence[str]) -> None:
        is_odd = self._is_first and self._misleads(fields)
        self._is_first = False
        if is_odd or any("\r" in one for one in fields):
            if self._quoting is None:
                raise csv.Error("a carriage return, or what looks like another delimiter")
            self._quoting.writerow(fields)
        else:
            self._plain.writerow(fields)

    def _misleads(self, fields: Sequence[str]) -> bool:
        """Whether the first line would suggest a wrong delimiter, or begin with a byte order mark."""
        return "".join(fields[:1]).startswith("\ufeff") or any(
            sum(one.count(char) for one in fields) >= max(len(fields), 1) for char in self._others
        )


def _write_lists(writer: _Writer, rows: Any, first: int, text: Text) -> None:
    for number, row in enumerate(rows, first):
        if not isinstance(row, (list, tuple)):
            raise FlowScriptError(
                f"row {number} is not a list, and others are; expected only lists"
            )
        if not row:
            raise FlowScriptError(
                f"row {number} is empty, which a csv file cannot tell from no row"
            )
        writer.write([_field(item, text, number, at) for at, item in enumerate(row)])


def _write_mappings(
    writer: Any, rows: Any, columns: list[str] | None, dialect: Dialect, first: int, text: Text
) -> None:
    names: dict[str, None] = {}
    for number, row in enumerate(rows, first):
        if not isinstance(row, Mapping):
            raise FlowScriptError(
                f"row {number} is not an object; a csv file takes a list of objects"
            )
        names.update(dict.fromkeys(map(to_text, row)))
    given = list(dialect.header) if isinstance(dialect.header, tuple) else None
    header = columns or given or list(names)
    if columns is not None or given is not None:
        _check_columns(rows, header, first)
    if columns is None and header and dialect.header is not False:
        writer.write(header)
    for number, row in enumerate(rows, first):
        fields = {to_text(key): _field(item, text, number, key) for key, item in row.items()}
        if len(fields) != len(row):
            raise FlowScriptError(
                f"row {number} has two keys with the same text; expected text keys"
            )
        if not header:
            raise FlowScriptError(f"row {number} has no keys, and there are no columns")
        writer.write([fields.get(column, "") for column in header])


def _field(value: Any, text: Text, row: int, column: Any) -> str:
    """The text of a field; what has none is named by its place."""
    try:
        return text(value)
    except EvaluationError as exc:
        exc.add_note(f"in row {row}, column {column!r}")
        raise


def _check_columns(rows: Any, columns: list[str], first: int) -> None:
    known = set(columns)
    for number, row in enumerate(rows, first):
        for key in map(to_text, row):
            if key not in known:
                near = nearest(key, columns[:NEAR])
                hint = f"; did you mean {near!r}?" if near else ""
                raise FlowScriptError(
                    f"row {number} has the key {key!r}, which is not a column of the file{hint}"
                )
