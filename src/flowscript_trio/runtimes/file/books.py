"""Owns xlsx and parquet: files of tables whose values have types, by the libraries of two extras."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, BinaryIO, Literal
from uuid import UUID
from zipfile import ZipFile

from ...expression import to_text, written_text
from ...expression.standing import plainer
from ...types.errors import EvaluationError, FlowScriptError, nearest
from ..database.errors import MissingPackage

_SURROGATE = re.compile("[\ud800-\udfff]")

BookForm = Literal["xlsx", "parquet"]
BOOK_FORMS: tuple[BookForm, ...] = ("xlsx", "parquet")

PART = 1000
"""Rows that are read at once."""
_MOST = 1024 * 1024 * 1024
"""Bytes of what is packed in an xlsx file: a small one may hold more than fits into memory."""
_MOST_ROWS = 1_048_576
"""Rows of a sheet; a file may say that its only one has a number of ten digits."""
_LONGEST = 32_767
"""Characters of a cell."""
_WITHOUT_RESULT = re.compile(
    rb"""<(?:\w+:)?c\b(?=[^>]*\br="([A-Z]{1,3}[0-9]{1,7})")(?![^>]*\bt="str")[^>]*>\s*"""
    rb"""<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"""
)
"""A cell with a formula and no value; that of a text may be empty."""
_SCANNED = 256 * 1024
_FORMULA = 16 * 1024
"""Bytes of a cell with a formula: it has at most 8,192 characters."""
_AS_THEY_ARE = frozenset(
    {type(None), bool, int, float, str, bytes, Decimal, datetime, date, time, timedelta}
)
_FIRST_YEAR = 1901
"""Of moments that every reader of xlsx takes for the same: some say that 1900 had a 29th of February."""
_EXACT = 2**53
"""Numbers of a cell are exact below it."""


def read_parts(
    file: BinaryIO, form: BookForm, name: str, sheet: str | None
) -> Generator[list[dict[str, Any]], None, None]:
    """The rows of a table, in parts, each row an object by its columns; ``name`` is for messages.

    Of xlsx it is the sheet of that name, else the first one; the first row that is not empty names the columns.
    """
    return _read_sheet(file, name, sheet) if form == "xlsx" else _read_parquet(file, name)


def encode_book(value: Any, form: BookForm, sheet: str | None) -> bytes:
    """An object, or a list of them, as a table with the columns of all of them, in the order first seen.

    Raises FlowScriptError that names the row and the column for a value that the format cannot hold.
    """
    rows = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
    columns: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise FlowScriptError(
                f"row {number} is not an object; the format {form} takes a list of objects"
            )
        columns.update(dict.fromkeys(map(to_text, row)))
    table = [{to_text(key): item for key, item in row.items()} for row in rows]
    for number, (row, named) in enumerate(zip(rows, table, strict=True)):
        if len(named) < len(row):
            raise FlowScriptError(
                f"row {number} has two keys with the same text; expected text keys"
            )
    if form == "xlsx":
        return _write_sheet(table, list(columns), sheet)
    return _write_parquet(table, list(columns))


def _read_sheet(
    file: BinaryIO, name: str, sheet: str | None
) -> Generator[list[dict[str, Any]], None, None]:
    openpyxl = _import_openpyxl()
    try:
        with ZipFile(file) as packed:
            size = sum(each.file_size for each in packed.infolist())
        if size > _MOST:
            raise FlowScriptError(f"{name!r} is too large: it unpacks to {size:,} bytes")
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except FlowScriptError:
        raise
    except Exception as exc:  # the library raises what it stumbles over
        raise FlowScriptError(f"{name!r} is not an xlsx file: {exc}") from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            near = nearest(sheet, book.sheetnames)
            hint = f"; did you mean {near!r}?" if near else ""
            raise FlowScriptError(f"{name!r} has no sheet {sheet!r}{hint}")
        page = book[sheet if sheet is not None else book.sheetnames[0]]
        _refuse_without_results(file, page, name)
        page.reset_dimensions()  # what the file says of them may cut rows off, or fill them without end
        rows = _rows_of(page.iter_rows(values_only=True), name)
        while part := list(islice(rows, PART)):
            yield part
    except FlowScriptError:
        raise
    except Exception as exc:
        raise FlowScriptError(f"{name!r} cannot be read as xlsx: {exc}") from None
    finally:
        book.close()


def _refuse_without_results(file: BinaryIO, page: Any, name: str) -> None:
    """Raise for a formula whose result no program has written into the file: it would be read as null."""
    rest = b""
    with ZipFile(file) as packed, packed.open(page._worksheet_path) as sheet:
        while data := sheet.read(_SCANNED):
            data = rest + data
            if found := _WITHOUT_RESULT.search(data):
                raise FlowScriptError(
                    f"{name!r}: the cell {found[1].decode()} has a formula whose result is not in the file; open "
                    "it in a spreadsheet program and save it, or write values in place of formulas"
                )
            rest = data[-_FORMULA:]


def _rows_of(cells: Iterator[Sequence[Any]], name: str) -> Iterator[dict[str, Any]]:
    header: list[str] | None = None
    for number, row in enumerate(cells, 1):
        if number > _MOST_ROWS:
            raise FlowScriptError(f"{name!r} has more rows than a sheet can have, {_MOST_ROWS:,}")
        width = max((at for at, item in enumerate(row, 1) if item is not None), default=0)
        if not width:
            continue
        if header is None:
            header = [to_text(item) for item in row[:width]]
            if len(set(header)) < len(header) or "" in header:
                raise FlowScriptError(
                    f"{name!r}, row {number}: a column has no name, or one of another column"
                )
            continue
        if width > len(header):
            raise FlowScriptError(
                f"{name!r}, row {number}: the row has {width} cells, and the header {len(header)}"
            )
        values = list(row[: len(header)])
        yield dict(zip(header, values + [None] * (len(header) - len(values)), strict=True))


def _write_sheet(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], sheet: str | None
) -> bytes:
    openpyxl = _import_openpyxl()
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    def cell(value: Any, place: str) -> Any:
        value = _cell_value(value, place)
        if isinstance(value, float) and float(f"{value:.16g}") != value:
            found = WriteOnlyCell(page, value)
            found._value = repr(value)  # openpyxl would write 16 digits, and some numbers need 17
            return found
        if not isinstance(value, str):
            return value
        if len(value) > _LONGEST or ILLEGAL_CHARACTERS_RE.search(value) or _SURROGATE.search(value):
            raise FlowScriptError(
                f"{place} is text that a cell cannot hold: it has control characters, half of a "
                f"surrogate pair, or more than {_LONGEST:,} characters"
            )
        found = WriteOnlyCell(page, value)
        found.data_type = "s"  # never a formula, whatever it begins with
        return found

    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet(sheet or "Sheet1")
    # All of it first: what cannot be written leaves no temporary file of the library's.
    table = [[cell(column, "a column") for column in columns]] if columns else []
    for number, row in enumerate(rows):
        table.append([cell(row.get(key), f"row {number}, {key!r},") for key in columns])
    for line in table:
        page.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell_value(value: Any, place: str) -> Any:
    """A value as a cell takes it: numbers, booleans and dates as they are, all else as text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return to_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, timedelta):
        return value if value.microseconds % 1000 == 0 else written_text(value)
    if isinstance(value, (int, float, Decimal)):
        if not math.isfinite(value) or (isinstance(value, int) and abs(value) > _EXACT):
            raise FlowScriptError(
                f"{place} is a number that a cell cannot hold exactly; write it as text"
            )
        if not isinstance(value, Decimal):
            return value
        return float(value) if Decimal(float(value)) == value else str(value)
    if isinstance(value, (datetime, time)) and (value.tzinfo or value.microsecond % 1000):
        return value.isoformat()  # a cell has no time zone, and milliseconds
    if isinstance(value, date) and value.year < _FIRST_YEAR:
        return value.isoformat()
    if isinstance(value, (date, time)):
        return value
    try:
        return written_text(value)
    except EvaluationError as exc:
        raise FlowScriptError(f"{place} cannot be written: {exc}") from None


def _read_parquet(file: BinaryIO, name: str) -> Generator[list[dict[str, Any]], None, None]:
    pyarrow = _import_pyarrow()
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise FlowScriptError(f"{name!r} has two columns named {twice!r}")
            for batch in table.iter_batches(batch_size=PART, use_threads=False):
                yield _values_of(batch, name)
    except FlowScriptError:
        raise
    except (pyarrow.ArrowException, ValueError, OSError) as exc:
        raise FlowScriptError(f"{name!r} cannot be read as parquet: {exc}") from None


def _values_of(batch: Any, name: str) -> list[dict[str, Any]]:
    """The rows of a batch; raises FlowScriptError that names the column of a value that Python has none for."""
    columns: list[list[Any]] = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        try:
            kind = _in_microseconds(field.type)
            columns.append((column if kind == field.type else column.cast(kind)).to_pylist())
        except (ValueError, OverflowError) as exc:
            raise FlowScriptError(
                f"{name!r}: the column {field.name!r} has a {field.type} that Python has no value for, such as "
                f"one of nanoseconds, or beyond the year 9999 ({exc})"
            ) from None
    names = batch.schema.names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _in_microseconds(kind: Any) -> Any:
    """The type in which times are as exact as Python's own.

    What is read of one of nanoseconds is a class of pandas where that is installed, and an error elsewhere.
    """
    from pyarrow import duration, list_, map_, struct, time64, timestamp, types

    if types.is_timestamp(kind) and kind.unit == "ns":
        return timestamp("us", kind.tz)
    if types.is_duration(kind) and kind.unit == "ns":
        return duration("us")
    if types.is_time64(kind):
        return time64("us")
    if types.is_list(kind):
        return list_(kind.value_field.with_type(_in_microseconds(kind.value_type)))
    if types.is_struct(kind):
        return struct([each.with_type(_in_microseconds(each.type)) for each in kind])
    if types.is_map(kind):
        return map_(_in_microseconds(kind.key_type), _in_microseconds(kind.item_type))
    if types.is_dictionary(kind) and _in_microseconds(kind.value_type) != kind.value_type:
        return _in_microseconds(kind.value_type)
    return kind


def _write_parquet(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    pyarrow = _import_pyarrow()
    from pyarrow import parquet

    arrays = []
    for column in columns:
        try:
            arrays.append(pyarrow.array([_parquet_value(row.get(column)) for row in rows]))
        except (pyarrow.ArrowException, ValueError, OverflowError, TypeError) as exc:
            raise FlowScriptError(
                f"the column {column!r} has values that one column of parquet cannot hold: {exc}"
            ) from None
    out = io.BytesIO()
    try:
        parquet.write_table(pyarrow.table(arrays, names=list(columns)), out)
    except (pyarrow.ArrowException, ValueError) as exc:
        raise FlowScriptError(f"the rows cannot be written as parquet: {exc}") from None
    return out.getvalue()


def _parquet_value(value: Any) -> Any:
    """A value as ``pyarrow`` takes it, which knows durations itself; what is inside it, too."""
    kind = value.__class__
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict:
        return {key: _parquet_value(item) for key, item in value.items()}
    if kind in (list, tuple):
        return [_parquet_value(item) for item in value]
    if isinstance(value, UUID):
        return str(value)
    plain = plainer(value)
    return value if plain is value else _parquet_value(plain)


def _import_openpyxl() -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise _missing("xlsx", "openpyxl") from None
    return openpyxl


def _import_pyarrow() -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise _missing("arrow", "pyarrow") from None
    return pyarrow


def _missing(extra: str, package: str) -> MissingPackage:
    return MissingPackage(f"the format needs {package}: pip install 'flowscript-trio[{extra}]'")
