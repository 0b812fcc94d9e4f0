"""Owns connecting to PostgreSQL: a server that accepts and then says nothing holds no thread."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Self

import psycopg

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
