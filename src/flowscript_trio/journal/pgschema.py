"""Owns the tables of a store in PostgreSQL, their version, and the making of them."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

from ..types.storing import StoreFailed

STEPS: list[LiteralString] = [
    """
    create table flowscript_runs (
        number bigint generated always as identity primary key, id text not null unique,
        workflow text not null, document bytea not null, state text not null, due float8,
        seen bigint not null default 0, created timestamptz not null default clock_timestamp(), ended timestamptz,
        fence bigint not null default 0, lease timestamptz, rows bigint not null default 0
    );
    create index flowscript_runs_by_state on flowscript_runs (state, due);
    create table flowscript_rows (
        run bigint not null references flowscript_runs on delete cascade, number bigint not null,
        fence bigint not null, kind text not null, key bytea not null, data bytea not null,
        value bytea not null, large int not null, sum bigint not null, primary key (run, number)
    );
    create table flowscript_large (hash bytea primary key, packed bytea not null);
    create table flowscript_uses (
        run bigint not null references flowscript_runs on delete cascade, hash bytea not null,
        primary key (run, hash)
    );
    create index flowscript_uses_by_hash on flowscript_uses (hash);
    create table flowscript_inbox (
        number bigint generated always as identity primary key,
        run bigint not null references flowscript_runs on delete cascade, slot bytea not null,
        asked bytea, due float8, answer bytea, by text, answered timestamptz, unique (run, slot)
    );
    """,
    """
    alter table flowscript_runs add column dropped bigint not null default 0;
    create index flowscript_rows_with_large on flowscript_rows (run) where large <> 0;
    """,
    """
    create table flowscript_wishes (
        place bigint primary key, run bigint not null references flowscript_runs on delete cascade,
        fence bigint not null, token text not null, facts text not null, granted boolean not null,
        unique (run, token)
    );
    create table flowscript_rates (key text primary key, start float8 not null, passed bigint not null);
    """,
]
"""What each version of the schema adds to the one before."""

_LOCK = 0x464C5754
"""The advisory lock of those that make the tables."""


def bring_up(connection: psycopg.Connection[Any]) -> None:
    """Make the tables, or bring them to this version while no run is owned.

    Raises StoreFailed for those of a later release, and of an earlier one while a run is owned.
    """
    if _version(connection) == len(STEPS):
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        version = _version(connection)
        if version == len(STEPS):
            return  # another process was first
        if version > len(STEPS):
            raise StoreFailed(
                f"the store was written by a later release (its schema has version {version}, this release "
                f"knows {len(STEPS)}); expected a release at least as new"
            )
        if version and _is_owned(connection):
            raise StoreFailed(
                "the store was written by an earlier release and cannot be brought up to this one, since a run of "
                "it is owned; try again once that has ended"
            )
        for step in STEPS[version:]:
            connection.execute(step)
        connection.execute("create table if not exists flowscript_version (version int not null)")
        connection.execute("delete from flowscript_version")
        connection.execute("insert into flowscript_version values (%s)", (len(STEPS),))


def _version(connection: psycopg.Connection[Any]) -> int:
    # to_regclass() would remember that there was no such table before the lock was waited for.
    there = connection.execute(
        "select 1 from pg_class where relname = 'flowscript_version' and pg_table_is_visible(oid)"
    ).fetchone()
    if there is None:
        return 0
    (version,) = connection.execute("select max(version) from flowscript_version").fetchone() or (
        0,
    )
    return int(version or 0)


def _is_owned(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "select 1 from flowscript_runs where lease > clock_timestamp() limit 1"
    ).fetchone()
    return found is not None
