"""Owns databases of PostgreSQL for tests: one for each process of a session, and in it a schema for each store."""

from __future__ import annotations

from typing import LiteralString
from urllib.parse import quote, urlsplit
from uuid import uuid4

import psycopg


def own_database(url: str, name: str) -> str:
    """The URL of the database with this name on the same server, which is made new.

    Processes that share one would meet each other's tables and see each other's connections.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")  # type: ignore[arg-type,unused-ignore]
        connection.execute(f"create database {name}")  # type: ignore[arg-type,unused-ignore]
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def new_database(url: str) -> str:
    """The URL under which a new, empty schema of the database is used."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create schema {name}")  # type: ignore[arg-type,unused-ignore]
    return f"{url}?options={quote(f'-c search_path={name}')}&application_name={name}"


def cut_connections(url: str, which: LiteralString = "true") -> None:
    """Cut the connections to such a database, as a network does; ``which`` is a condition."""
    with psycopg.connect(url, autocommit=True, application_name="cutter") as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            f"where application_name = current_setting('search_path') and {which}"
        )


def expire_leases(url: str, wait: bool = True) -> None:
    """Let the leases of all runs of a store end now, by the server's clock; without ``wait``, of the unlocked."""
    skip = "" if wait else "skip locked"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "update flowscript_runs set lease = clock_timestamp() - interval '1 s' "
            f"where number in (select number from flowscript_runs for update {skip})"  # type: ignore[arg-type,unused-ignore]
        )
