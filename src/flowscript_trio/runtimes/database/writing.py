"""Owns the writing of a sink: one transaction, in batches. Importing this imports SQLAlchemy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    TableClause,
    and_,
    bindparam,
    column,
    false,
    insert,
    inspect,
    or_,
    table,
    update,
)
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import ARRAY, NullType

from ...types.errors import SettingError
from .engines import Database
from .jobs import Job
from .reading import commit, connected, patiently
from .rows import Row, alike, batches_of, need, rows_of
from .types import DatabaseSinkConfig
from .values import to_driver

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')

Name = tuple[str | None, str]


def check_rows(config: DatabaseSinkConfig, value: Any) -> list[Row]:
    """The rows of a sink's input; raises FlowScriptError that names the one that cannot be written."""
    rows = rows_of(value)
    for row in rows:
        if config.operation == "upsert":
            need(row, config.conflict_columns, "conflict-columns", null=True)
        elif config.operation == "update" and isinstance(config.where, list):
            need(row, config.where, "where", null=False)
            if row.values.keys() <= set(config.where):
                raise SettingError(f"{row.label} has nothing to update but what where names")
    return rows


def write_rows(
    database: Database, config: DatabaseSinkConfig, value: Any, job: Job[Any]
) -> dict[str, int]:
    """Write the rows of an input in one transaction: all or none. For the job's thread."""
    name = read_name(config.table)
    batches = list(batches_of(check_rows(config, value), config.batch))
    written = 0
    if batches:
        with connected(database, job) as connection:
            if database.dialect == "sqlite":  # locked at once: no statement inside waits for it
                patiently(
                    database,
                    job,
                    lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"),
                    connection,
                )
            for batch in batches:
                for group in alike(batch):
                    job.check()
                    written += _write(database, connection, config, name, group)
            commit(database, connection, job)
    return {"rows": written, "batches": len(batches)}


def read_name(text: str) -> Name:
    """The schema, or None, and the name of a table; raises SettingError for what is none."""
    parts, done = [], -1  # where the dot before the next part stands
    while done < len(text) and (found := _PART.match(text, done + 1)):
        parts.append(found[2] or found[1].replace('""', '"'))
        done = found.end()
        if text[done : done + 1] not in (".", ""):
            break
    if done != len(text) or not 1 <= len(parts) <= 2:
        raise SettingError(f'{text!r} is no table; expected name, schema.name or "odd.name"')
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _write(
    database: Database,
    connection: Connection,
    config: DatabaseSinkConfig,
    name: Name,
    rows: Sequence[Row],
) -> int:
    """Write rows that have the same columns; how many that were, as far as the database says."""
    columns = list(rows[0].values)
    target = _table(name, columns)
    statement, names = _statement(database, config, target, columns)
    arrays = _arrays(database, connection, name, rows)
    values = [
        {
            names[key]: to_driver(value, database.dialect, is_array=key in arrays)
            for key, value in row.values.items()
        }
        for row in rows
    ]
    try:
        result = connection.execute(statement, values)
    except Exception as exc:
        last = rows[-1].label
        exc.add_note(f"in {rows[0].label}" + (f" to {last}" if len(rows) > 1 else ""))
        raise
    if config.operation == "update" and result.rowcount >= 0:
        return int(result.rowcount)
    return len(rows)


def _table(name: Name, columns: Sequence[str]) -> TableClause:
    schema = None if name[0] is None else quoted_name(name[0], quote=True)
    found = table(
        quoted_name(name[1], quote=True),
        *(column(quoted_name(key, quote=True), NullType()) for key in columns),
        schema=schema,
    )
    assert isinstance(found, TableClause)
    return found


def _statement(
    database: Database, config: DatabaseSinkConfig, target: TableClause, columns: Sequence[str]
) -> tuple[Executable, dict[str, str]]:
    """The statement, and the name under which each column's value is bound."""
    names = {key: f"v{number}" for number, key in enumerate(columns)}
    binds = {key: bindparam(names[key], type_=NullType()) for key in columns}
    if config.operation == "insert":
        return insert(target).values(binds), names
    if config.operation == "upsert":
        return _upsert(database, config.conflict_columns, target, binds), names
    if isinstance(config.where, list):
        keys = config.where
        conditions = [target.c[key] == binds[key] for key in keys]
        changed = {key: bind for key, bind in binds.items() if key not in keys}
    else:
        conditions = [
            _condition(key, value, database.dialect) for key, value in config.where.items()
        ]
        changed = binds
    return update(target).where(and_(*conditions)).values(changed), names


def _condition(key: str, value: Any, dialect: str) -> ColumnElement[bool]:
    found: ColumnElement[Any] = column(quoted_name(key, quote=True), NullType())
    if value is None:
        return found.is_(None)
    if isinstance(value, (list, tuple)):  # each bound: many rows may be updated by one statement
        return or_(false(), *(found == _bind(item, dialect) for item in value))
    return found == _bind(value, dialect)


def _bind(value: Any, dialect: str) -> BindParameter[Any]:
    return bindparam(None, to_driver(value, dialect), type_=NullType())


def _upsert(
    database: Database, keys: Sequence[str], target: TableClause, binds: dict[str, Any]
) -> Executable:
    from sqlalchemy.dialects import postgresql, sqlite

    new: Any
    if database.dialect == "sqlite":
        new = sqlite.insert(target)
    elif database.dialect == "postgresql":
        new = postgresql.insert(target)
    else:
        raise SettingError(
            f"upsert is not known for {database.dialect}; expected SQLite or PostgreSQL"
        )
    new = new.values(binds)
    changed = {key: new.excluded[key] for key in binds if key not in keys}
    elements: list[Any] = [column(quoted_name(key, quote=True)) for key in keys]
    statement: Executable = (
        new.on_conflict_do_update(index_elements=elements, set_=changed)
        if changed
        else new.on_conflict_do_nothing(index_elements=elements)
    )
    return statement


def _arrays(
    database: Database, connection: Connection, name: Name, rows: Sequence[Row]
) -> set[str]:
    """The columns that are arrays: looked up in PostgreSQL where a row has a list, once a table."""
    if database.dialect != "postgresql" or not any(
        isinstance(value, (list, tuple)) for row in rows for value in row.values.values()
    ):
        return set()
    if name not in database.kinds:
        found = inspect(connection).get_columns(name[1], schema=name[0])
        database.kinds[name] = {str(one["name"]): one["type"] for one in found}
    return {key for key, kind in database.kinds[name].items() if isinstance(kind, ARRAY)}
