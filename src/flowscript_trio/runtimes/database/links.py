"""Owns how each driver's connection is interrupted."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import suppress
from typing import Any

from .jobs import GRACE, Interruptible, Job

STEPS = 20_000
"""SQLite looks whether it is cancelled after this many steps of a statement: about a millisecond."""


class SqliteLink:
    """``sqlite3``: an interrupt ends the statement, and a handler ends one that began just after it."""

    immediate = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def watch(self, job: Job[Any]) -> None:
        self._connection.set_progress_handler(job.cancelled.is_set, STEPS)

    def forget(self) -> None:
        self._connection.set_progress_handler(None, 0)

    def interrupt(self) -> None:
        self._connection.interrupt()

    def sever(self) -> None:
        pass  # nothing lies between


class PostgresqlLink:
    """``psycopg``: the server is asked to cancel; the socket is shut down where it does not."""

    immediate = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def interrupt(self) -> None:
        from .connecting import cancel

        with suppress(Exception):  # a server that cannot be asked gets its connection severed
            cancel(self._connection, GRACE)

    def sever(self) -> None:
        with suppress(Exception):  # it is closed already
            handle = os.dup(self._connection.pgconn.socket)
            with socket.socket(fileno=handle) as peer:
                peer.shutdown(socket.SHUT_RDWR)


class OtherLink:
    """Another driver: what it has of ``cancel`` and ``interrupt`` is called, else nothing can be done."""

    immediate = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def interrupt(self) -> None:
        for name in ("cancel", "interrupt"):
            if callable(method := getattr(self._connection, name, None)):
                with suppress(Exception):
                    method()
                return

    def sever(self) -> None:
        pass


def link_to(connection: Any) -> Interruptible:
    """How a driver's connection is interrupted."""
    if isinstance(connection, sqlite3.Connection):
        return SqliteLink(connection)
    if callable(getattr(connection, "cancel_safe", None)):
        return PostgresqlLink(connection)
    return OtherLink(connection)
