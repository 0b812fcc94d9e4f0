"""Owns the writing of many rows to PostgreSQL by COPY, where that does just what INSERT does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Connection

from .errors import as_statement_error
from .jobs import Job
from .rows import Rows, picker
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
STEP = 1000
"""Rows between two looks at whether they are still wanted."""
_LINE = re.compile(r"COPY .*, line (\d+)")


def kinds_of(rows: Rows) -> dict[str, frozenset[type]]:
    """The kinds of values that each column of rows with the same columns has."""
    return {
        column: frozenset(map(type, map(itemgetter(column), rows.values)))
        for column in rows.columns
    }


def can_copy(table: Table, rows: Rows, kinds: Mapping[str, frozenset[type]]) -> bool:
    """Whether COPY writes the rows, which have the same columns, as INSERT does."""
    if not table.copies:
        return False
    for column, used in kinds.items():
        kind = table.types.get(column)
        if kind is None or column in table.arrays or column in table.generated:
            return False
        if not used <= _KINDS.get(kind, frozenset()) | _ALWAYS:
            return False
        if (datetime in used or time in used) and kind in ("timestamp", "timestamptz", "time"):
            aware = kind == "timestamptz"
            if any(_is_aware(values[column]) is (not aware) for values in rows.values):
                return False
    return True


def _is_aware(value: Any) -> bool | None:
    """Whether a moment has a time zone; None for null and text, which either kind of column reads itself."""
    return value.tzinfo is not None if isinstance(value, (datetime, time)) else None


def copy_rows(
    connection: Connection,
    name: tuple[str | None, str],
    table: Table,
    rows: Rows,
    kinds: Mapping[str, frozenset[type]],
    job: Job[Any],
) -> None:
    """Write rows that have the same columns in one COPY; the job is looked at every ``STEP`` rows.

    Errors are SQLAlchemy's, as those of other statements, with a note that says the row.
    """
    if not connection.in_transaction():
        connection.begin()
    raw: Any = connection.connection.dbapi_connection
    columns = rows.columns
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*(part for part in name if part is not None)),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    pick = picker(columns)  # in the order of the first row's columns: others may have another
    odd = [
        (index, key)
        for index, key in enumerate(columns)
        if table.is_json(key) or not kinds[key] <= PLAIN
    ]
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            write = copy.write_row
            for start in range(0, len(rows), STEP):
                job.check()
                for values in map(pick, rows.values[start : start + STEP]):
                    if not odd:
                        write(values)
                        continue
                    converted = list(values)
                    for index, key in odd:
                        converted[index] = to_column(values[index], table, key)
                    write(converted)
    except psycopg.Error as exc:
        wrapped = as_statement_error(exc, psycopg.Error, statement.as_string(raw), connection)
        if (found := _LINE.search(exc.diag.context or "")) and int(found[1]) <= len(rows):
            wrapped.add_note(f"in {rows.label(int(found[1]) - 1)}")
        raise wrapped from exc
