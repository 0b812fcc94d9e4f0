"""Owns connecting to PostgreSQL: a server that accepts and then says nothing holds no thread."""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import monotonic
from typing import Any, Self
from weakref import WeakKeyDictionary

import psycopg

from .jobs import Interrupted

Check = Callable[[], None]


def watched(check: Check) -> type[psycopg.Connection[Any]]:
    """A class of connections that call ``check`` about ten times a second while they connect.

    What it raises ends the attempt. It hangs on a method that psycopg does not promise: without it a
    thread that connects is left to ``connect_timeout``, and nothing else changes.
    """

    class Watched(psycopg.Connection[Any]):
        @classmethod
        def _connect_gen(cls, *args: Any, **options: Any) -> Generator[Any, Any, Self]:
            steps = super()._connect_gen(*args, **options)  # type: ignore[misc, unused-ignore]
            try:
                wanted = next(steps)
                while True:
                    ready = yield wanted
                    check()
                    wanted = steps.send(ready)
            except StopIteration as end:
                connection: Self = end.value
                return connection
            finally:
                steps.close()

    return Watched


_dialled: WeakKeyDictionary[psycopg.Connection[Any], tuple[Any, dict[str, Any]]] = (
    WeakKeyDictionary()
)
"""How connections were made, for a second one to the same server."""


def dial(check: Check, arguments: Any, options: dict[str, Any]) -> psycopg.Connection[Any]:
    """A connection that ``check`` ends while it is made; arguments and options are psycopg's."""
    connection = watched(check).connect(*arguments, **options)
    _dialled[connection] = (arguments, options)
    return connection


def cancel(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Ask the server to end what the connection does, and give up after about this many seconds.

    Before version 17 libpq can only ask without a time limit, and holds up every thread meanwhile: then
    the request goes over a connection of its own.
    """
    if psycopg.capabilities.has_cancel_safe():
        connection.cancel_safe(timeout=seconds)
        return
    until = monotonic() + seconds

    def check() -> None:
        if monotonic() > until:
            raise Interrupted

    # As the connection itself was made: what it did not say would be taken from the environment.
    arguments, options = _dialled[connection]
    with dial(check, arguments, {**options, "autocommit": True}) as other:
        other.execute("SELECT pg_cancel_backend(%s)", [connection.info.backend_pid])
