"""Owns values of PostgreSQL that Python has none for: the column and the value are named. Importing this imports
psycopg.
"""

from __future__ import annotations

import re
from typing import Any

from psycopg.adapt import Transformer

from ...expression.tabular.columns import quoted
from ...types.errors import FlowScriptError

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_MOMENTS = frozenset({"date", "timestamp", "timestamptz", "time", "timetz"})


def explain_unheld(context: Any) -> Exception | None:
    """Called by SQLAlchemy with an error before it is raised; gives one that takes its place, or None.

    Where psycopg cannot make a value of what the server sent, it says neither which nor where it is.
    """
    error = context.original_exception
    cursor: Any = getattr(context.execution_context, "cursor", None)
    if getattr(error, "sqlstate", None) is not None:
        return None  # the server's own word
    result = getattr(cursor, "pgresult", None)
    if result is None or not isinstance(error, Exception):
        return None
    return _find(result, cursor.connection)


def _find(result: Any, connection: Any) -> FlowScriptError | None:
    """The error of the first value that cannot be made: by row, and by column in it."""
    transformer = Transformer(connection)
    columns = range(result.nfields)
    loaders = [transformer.get_loader(result.ftype(at), result.fformat(at)) for at in columns]
    for row in range(result.ntuples):
        for at in columns:
            data = result.get_value(row, at)
            if data is None:
                continue
            try:
                loaders[at].load(data)
            except Exception as exc:
                return _unheld(result, at, bytes(data), connection, exc)
    return None


def _unheld(
    result: Any, at: int, data: bytes, connection: Any, error: Exception
) -> FlowScriptError:
    name = (result.fname(at) or b"").decode("utf-8", "replace")
    known = connection.adapters.types.get(result.ftype(at))
    kind = known.name if known is not None else "of its type"
    if isinstance(error, UnicodeDecodeError):
        return FlowScriptError(
            f"the column {name!r} has text that is not in the encoding of the connection; expected the column "
            "as bytes: convert_to(…, 'SQL_ASCII')"
        )
    written = name if _PLAIN_NAME.fullmatch(name) else '"' + name.replace('"', '""') + '"'
    value = quoted(data.decode("utf-8", "replace"))
    why = "which Python has no value for" if kind in _MOMENTS else f"which cannot be read ({error})"
    return FlowScriptError(
        f"the column {name!r} has the {kind} {value}, {why}; expected its text, by {written}::text in the query, "
        "or another value, by CASE or COALESCE"
    )
