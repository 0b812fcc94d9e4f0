"""Owns the writing of many rows to PostgreSQL by COPY, where that does just what INSERT does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from .jobs import Job
from .rows import Row
from .tables import Table
from .values import PLAIN, to_column

_TEXTS = frozenset({str, dict, list, tuple})  # lists and objects are JSON text
_KINDS: dict[str, frozenset[type]] = {
    **dict.fromkeys(("int2", "int4", "int8"), frozenset({int})),
    **dict.fromkeys(("float4", "float8"), frozenset({int, float})),
    **dict.fromkeys(("text", "varchar"), frozenset({int}) | _TEXTS),
    **dict.fromkeys(
        ("json", "jsonb"), frozenset({int, float, bool, Decimal, date, datetime}) | _TEXTS
    ),
    "numeric": frozenset({int, Decimal}),
    "bool": frozenset({bool}),
    "bytea": frozenset({bytes}),
    "date": frozenset({date}),
    "timestamp": frozenset({datetime}),
    "timestamptz": frozenset({datetime}),
    "time": frozenset({time}),
    "interval": frozenset({timedelta}),
    "uuid": frozenset({UUID}),
}
"""Kinds of values that a column takes from COPY's text as from a parameter; a text and null it always does.

Others are cast by INSERT, and COPY would read them differently: a number in a boolean column, say.
"""
_ALWAYS = frozenset({str, type(None)})
_LINE = re.compile(r"COPY .*, line (\d+)")


def can_copy(table: Table, rows: Sequence[Row]) -> bool:
    """Whether COPY writes the rows, which have the same columns, as INSERT does."""
    if not table.copies:
        return False
    for column in rows[0].values:
        kind = table.types.get(column)
        if kind is None or column in table.arrays or column in table.generated:
            return False
        used = {row.values[column].__class__ for row in rows}
        if not used <= _KINDS.get(kind, frozenset()) | _ALWAYS:
            return False
        if (datetime in used or time in used) and kind in ("timestamp", "timestamptz", "time"):
            aware = kind == "timestamptz"
            if any(_is_aware(row.values[column]) is (not aware) for row in rows):
                return False
    return True


def _is_aware(value: Any) -> bool | None:
    """Whether a moment has a time zone; None for null and text, which either kind of column reads itself."""
    return value.tzinfo is not None if isinstance(value, (datetime, time)) else None


def _all_plain(rows: Sequence[Row], column: str) -> bool:
    return {row.values[column].__class__ for row in rows} <= PLAIN


def copy_rows(
    connection: Connection,
    name: tuple[str | None, str],
    table: Table,
    rows: Sequence[Row],
    job: Job[Any],
    step: int,
) -> None:
    """Write rows that have the same columns in one COPY; the job is looked at every ``step`` rows.

    Errors are SQLAlchemy's, as those of other statements, with a note that says the row.
    """
    if not connection.in_transaction():
        connection.begin()
    raw: Any = connection.connection.dbapi_connection
    columns = list(rows[0].values)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*(part for part in name if part is not None)),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    # In the order of the first row's columns: other rows may have them in another.
    plain = {key for key in columns if not table.is_json(key) and _all_plain(rows, key)}
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for start in range(0, len(rows), step):
                job.check()
                for row in rows[start : start + step]:
                    values = row.values
                    copy.write_row(
                        [
                            values[key] if key in plain else to_column(values[key], table, key)
                            for key in columns
                        ]
                    )
    except psycopg.Error as exc:
        raise _wrap(exc, statement.as_string(raw), connection, rows) from exc


def _wrap(
    error: psycopg.Error, statement: str, connection: Connection, rows: Sequence[Row]
) -> BaseException:
    lost = connection.dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]
    wrapped = DBAPIError.instance(
        statement,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=connection.dialect,
    )
    if lost:
        connection.invalidate(error)
    if (found := _LINE.search(error.diag.context or "")) and int(found[1]) <= len(rows):
        wrapped.add_note(f"in {rows[int(found[1]) - 1].label}")
    return wrapped
