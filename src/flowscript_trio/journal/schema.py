"""Owns the tables of a store in SQLite, their version, and the opening of the file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from ..types.storing import StoreFailed
from .owners import owners_of

APPLICATION = 0x464C5754
"""What SQLite keeps of the application that a file belongs to."""

STEPS = [
    """
    create table runs (
        number integer primary key, id text not null unique, workflow text not null,
        document blob not null, state text not null, due real, seen integer not null default 0,
        created real not null, ended real, fence integer not null default 0,
        rows integer not null default 0
    ) strict;
    create index runs_by_state on runs (state, due);
    create table rows (
        run integer not null, number integer not null, kind text not null, key blob not null,
        data blob not null, value blob not null, large integer not null, sum integer not null,
        primary key (run, number)
    ) strict, without rowid;
    create table large (hash blob primary key, packed blob not null) strict;
    create table uses (
        run integer not null, hash blob not null, primary key (run, hash)
    ) strict, without rowid;
    create table inbox (
        number integer primary key, run integer not null, slot text not null, asked blob, due real,
        answer blob, by text, answered real, unique (run, slot)
    ) strict;
    """,
    """
    alter table runs add column dropped integer not null default 0;
    create index rows_with_large on rows (run) where large <> 0;
    create index uses_by_hash on uses (hash);
    """,
    """
    create table wishes (
        place integer primary key, run integer not null, fence integer not null, token text not null,
        facts text not null, granted integer not null, unique (run, token)
    ) strict;
    create table rates (key text primary key, start real not null, passed integer not null) strict;
    """,
]
"""What each version of the schema adds to the one before."""

LOCKED_SECONDS = 10
"""How long a call waits for the lock of another process; only a commit waits on."""


def side_of(path: Path) -> Path:
    """The side file whose bytes are locked."""
    return path.with_name(path.name + "-owners")


def make_file(path: Path) -> None:
    """Make the file where there is none, readable for its owner only, and see to it that its name is on disk."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def connect(path: Path, synchronous: str, seconds: float = LOCKED_SECONDS) -> sqlite3.Connection:
    """A connection to a store, whose tables are made or brought to this version.

    Raises StoreFailed for a file of something else, one of a later version, and one of an earlier version while a
    run of it is owned; sqlite3.Error and OSError otherwise.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute(f"pragma synchronous = {synchronous}")
        if _version(connection, path) < len(STEPS):
            _bring_up(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    # The application comes last: another process may be making the tables, which come in one commit with it.
    tables: int = connection.execute("select count(*) from sqlite_schema").fetchone()[0]
    version: int = connection.execute("pragma user_version").fetchone()[0]
    application: int = connection.execute("pragma application_id").fetchone()[0]
    if application != APPLICATION and (tables or version):
        raise StoreFailed(
            f"{path} is a SQLite file of something else; expected a store of runs, or a new file"
        )
    if version > len(STEPS):
        raise StoreFailed(
            f"{path} was written by a later release (its schema has version {version}, this release knows "
            f"{len(STEPS)}); expected a release at least as new"
        )
    return version


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make what is missing, while no run is owned; another process may do the same at the same time."""
    owners = owners_of(side_of(path))
    with owners.alone(LOCKED_SECONDS):
        version = _version(connection, path)
        if version == len(STEPS):
            return  # another process was first
        with owners.none() as owner:
            if owner is not None:
                raise StoreFailed(
                    f"{path} was written by an earlier release and cannot be brought up to this one, since "
                    f"{owner} owns a run of it; try again once that has ended"
                )
            _add_steps(connection, version)


def _add_steps(connection: sqlite3.Connection, version: int) -> None:
    if version == 0:
        connection.execute("pragma auto_vacuum = incremental")
    connection.execute("pragma journal_mode = wal")
    connection.execute("begin immediate")
    try:
        for step in STEPS[version:]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"pragma application_id = {APPLICATION}")
        connection.execute(f"pragma user_version = {len(STEPS)}")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
