"""Owns the writing of a sink: one transaction, in batches. Importing this imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
    or_,
    table,
    update,
)
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import NullType

from ...types.errors import SettingError
from .engines import Database
from .jobs import Job
from .once import Marker, Written
from .reading import begin, commit, connected
from .rows import Rows, alike, batches_of, need, rows_of
from .spelling import Name, read_name
from .streaming import stream_rows, streams
from .tables import Table, look_up
from .types import DatabaseSinkConfig
from .values import to_column, to_driver

FEWEST = 500
"""Rows from which COPY is worth its while."""


def check_rows(config: DatabaseSinkConfig, value: Any, first: int = 0) -> Rows:
    """The rows of a sink's input; raises FlowScriptError that names the one that cannot be written.

    ``first`` is the number of the first one in it.
    """
    rows = rows_of(value, first)
    if config.operation == "upsert":
        need(rows, config.conflict_columns, "conflict-columns", null=True)
    elif config.operation == "update" and isinstance(config.where, list):
        need(rows, config.where, "where", null=False)
        known = set(config.where)
        for index, values in enumerate(rows.values):
            if values.keys() <= known:
                raise SettingError(
                    f"{rows.label(index)} has nothing to update but what where names"
                )
    return rows


def write_rows(
    database: Database,
    config: DatabaseSinkConfig,
    value: Any,
    marker: Marker | None,
    job: Job[Any],
) -> Written:
    """Write the rows of an input in one transaction: all or none. For the job's thread.

    Where the ``marker`` is there already, they were written, and what it keeps of that is given.
    """
    name = read_name(config.table)
    rows = check_rows(config, value)
    batches = -(-len(rows) // config.batch)
    if not len(rows):
        return {"rows": 0, "batches": 0}
    with connected(database, job) as connection:
        begin(database, connection, job)
        if marker is not None and (known := marker.set(database, connection, job)) is not None:
            return known
        written = write_group(database, connection, config, name, rows, job)
        done = {"rows": written, "batches": batches}
        if marker is not None:
            marker.keep(connection, done)
        commit(database, connection, job)
        return done


def write_group(
    database: Database,
    connection: Connection,
    config: DatabaseSinkConfig,
    name: Name,
    rows: Rows,
    job: Job[Any],
) -> int:
    """Write rows, in order, within a transaction; how many that were, as far as the database says."""
    written = 0
    for batch in _parts_of(rows, config, database):
        for group in alike(batch):
            job.check()
            written += _write(database, connection, config, name, group, job)
    return written


def _parts_of(rows: Rows, config: DatabaseSinkConfig, database: Database) -> Iterable[Rows]:
    """The rows in parts of a batch, or all of them where they may go in one stream."""
    if streams(database, config) or (
        database.dialect == "postgresql" and config.operation == "insert" and len(rows) >= FEWEST
    ):
        return [rows]
    return batches_of(rows, config.batch)


def _write(
    database: Database,
    connection: Connection,
    config: DatabaseSinkConfig,
    name: Name,
    rows: Rows,
    job: Job[Any],
) -> int:
    """Write rows that have the same columns; how many that were, as far as the database says."""
    table = _table_of(database, connection, name)
    if table is not None and config.operation == "insert" and len(rows) >= FEWEST:
        from .copying import can_copy, copy_rows, kinds_of

        kinds = kinds_of(rows)
        if can_copy(table, rows, kinds):
            copy_rows(connection, name, table, rows, kinds, job)
            return len(rows)
    columns = rows.columns
    statement, names = _statement(database, config, _clause(name, columns), columns)
    if streams(database, config):
        stream_rows(connection, statement, names, rows, job)
        return len(rows)
    written = 0
    for batch in batches_of(rows, config.batch):
        job.check()
        written += _execute(database, connection, config, statement, names, table, batch)
    return written


@contextmanager
def _naming(rows: Rows) -> Iterator[None]:
    """Let an error say in which rows it is."""
    try:
        yield
    except Exception as exc:
        last = f" to {rows.label(len(rows) - 1)}" if len(rows) > 1 else ""
        exc.add_note(f"in {rows.label(0)}{last}")
        raise


def _execute(
    database: Database,
    connection: Connection,
    config: DatabaseSinkConfig,
    statement: Executable,
    names: dict[str, str],
    table: Table | None,
    rows: Rows,
) -> int:
    values = [
        {
            names[key]: to_driver(value, database.dialect)
            if table is None
            else to_column(value, table, key)
            for key, value in row.items()
        }
        for row in rows.values
    ]
    with _naming(rows):
        result = connection.execute(statement, values)
    if config.operation == "update" and result.rowcount >= 0:
        return int(result.rowcount)
    return len(rows)


def _clause(name: Name, columns: Sequence[str]) -> TableClause:
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


def _table_of(database: Database, connection: Connection, name: Name) -> Table | None:
    """What PostgreSQL says of the table, looked up once; of other databases nothing is needed."""
    if database.dialect != "postgresql":
        return None
    found = database.tables.get(name)
    if found is None:
        found = look_up(connection, *name)
        if found.types:
            database.tables[name] = found
    return found
