"""Owns the errors of databases: what is missing, and which errors pass if one tries again."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ...types.errors import FlowScriptError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

_PASSING = ("08", "40001", "40P01", "53300", "55P03", "57P01", "57P02", "57P03")
"""SQLSTATEs of what passes: connections, serialization, deadlocks, locks, a server that starts or stops."""
_CANNOT_OPEN = 14  # SQLITE_CANTOPEN
_BUSY = (5, 6)  # SQLITE_BUSY and SQLITE_LOCKED, in the lowest byte of the code


class MissingPackage(FlowScriptError):
    """A package that the node needs is not installed; the message says what to install."""


class NotWritable(FlowScriptError):
    """A value that no column of the database holds; it is in the statement or the rows that a note names."""


UNWRITABLE = (OverflowError, UnicodeEncodeError)
"""What a driver raises for an integer, or a text, that it cannot write."""


def not_writable(error: Exception, database: str) -> NotWritable:
    """What a driver's word on a value means. Its notes, which say in what rows it is, go along."""
    found = NotWritable(
        f"{database} has no integers of more than 64 bits; write a larger one as text, with to_string(…)"
        if isinstance(error, OverflowError)
        else f"{database} cannot write a text that has half of a surrogate pair in it"
    )
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    return found


def name_of(url: URL) -> str:
    """What an error calls a database: where it is, without user, password and options."""
    kind = url.get_backend_name()
    if kind == "sqlite":
        return f"the SQLite database {PurePath(url.database or ':memory:').name}"
    port = f":{url.port}" if url.port else ""
    return f"the {kind} database {url.database or ''} at {url.host or 'this machine'}{port}"


def say_where(error: Exception, url: URL) -> None:
    """Note in an error of SQLAlchemy which database it is of, and what to do where SQLite does not say."""
    error.add_note(f"asked of {name_of(url)}")
    if _code_of(getattr(error, "orig", None)) == _CANNOT_OPEN:
        error.add_note(_why_closed(PurePath(url.database or "")))


def _why_closed(path: PurePath) -> str:
    """Why SQLite could not open a file."""
    if os.path.isdir(path):
        return f"{path.name!r} is a folder; expected the file of a database"
    if not os.path.isdir(path.parent):
        return f"there is no folder {path.parent.name!r} for it; make it first"
    return "look whether it may be read and written, and its folder, too"


def mark_passing(error: Exception, *, connecting: bool = False) -> None:
    """Give an error of SQLAlchemy the attribute ``retryable`` where trying again may help.

    ``connecting`` says that there was no connection yet. The error itself stays the driver's own.
    """
    if _is_passing(error, connecting):
        error.retryable = True  # type: ignore[attr-defined]  # what <retry> looks at


def _is_passing(error: Exception, connecting: bool) -> bool:
    if getattr(error, "connection_invalidated", False) or is_busy(error):
        return True
    driver: Any = getattr(error, "orig", None)
    state = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_PASSING)
    # Where a server answers, it says FATAL (a wrong password, a missing database); else nobody did.
    unanswered = _code_of(driver) is None and "FATAL" not in str(driver)
    return connecting and unanswered and type(error).__name__ == "OperationalError"


def is_busy(error: Exception) -> bool:
    """Whether an error of SQLAlchemy says that another connection holds the lock."""
    return is_lock(getattr(error, "orig", None))


def is_lock(driver: Any) -> bool:
    """Whether an error of SQLite's driver says that another connection holds the lock."""
    code = _code_of(driver)
    return code is not None and code & 0xFF in _BUSY


def _code_of(driver: Any) -> int | None:
    code = getattr(driver, "sqlite_errorcode", None)
    return code if isinstance(code, int) else None


def as_statement_error(
    error: Exception, kind: type[Exception], statement: str, connection: Connection
) -> BaseException:
    """A driver's error as SQLAlchemy shows those of its own statements, where ours went past it.

    ``kind`` is the class of all errors of the driver. A connection that was lost is not used again.
    """
    from sqlalchemy.exc import DBAPIError

    lost = connection.dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]
    wrapped = DBAPIError.instance(
        statement,
        None,
        error,
        kind,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=connection.dialect,
    )
    if lost:
        connection.invalidate(error)
    return wrapped
