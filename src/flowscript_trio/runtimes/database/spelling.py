"""Owns what is seen of a database URL without a driver: it is looked at when a document is read. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from ...types.errors import SettingError, nearest

EXPECTED = "expected sqlite:///file.db or postgresql://user@host/name"
OF_SQLITE = (
    "a file of SQLite follows three slashes, one with an absolute path four; expected sqlite:///file.db, or "
    "sqlite:// for a database in memory"
)

_URL = re.compile(
    r"([\w+]+)://(?:([^:/]*)(?::([^@]*))?@)?(?:(\[[^/?]+\]|[^/:?]+)?(?::([^/?]*))?)?(?:/([^?]*))?(?:\?(.*))?",
    re.DOTALL,
)
"""Driver, user, password, host, port, database and options, as SQLAlchemy takes them apart."""
Name = tuple[str | None, str]
_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_KNOWN = ("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql")
_NOT_OF_DATABASES = ("http", "https", "file", "ftp", "redis", "rediss", "mongodb", "amqp")
FILES = ("passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl")
_OPTIONS = frozenset(FILES) | {
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts",
    "options", "port", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode",
    "sslnegotiation", "sslpassword", "sslsni", "target_session_attrs", "tcp_user_timeout",
}  # fmt: skip
"""What a URL of PostgreSQL may say. Not: services, Kerberos, key logs, and what psycopg's ``connect`` takes."""
_ASYNCIO = frozenset(
    {
        "aiomysql",
        "aioodbc",
        "aiosqlite",
        "asyncmy",
        "asyncpg",
        "oracledb_async",
        "psycopg_async",
    }
)
_HOSTS = re.compile(r"(?:^|&)host(?:addr)?=[^&]")


def check_spelling(text: str) -> None:
    """Raise SettingError for what cannot be a database URL. It never shows it: a password may be in it."""
    if text.lower().startswith("jdbc:"):
        raise SettingError(f"the connection begins with jdbc:, as URLs of Java do; {EXPECTED}")
    found = _URL.fullmatch(text)
    if found is None:
        raise SettingError(f"the connection is not a valid database URL; {EXPECTED}")
    driver, user, password, host, port, _, options = found.groups()
    backend, _, driver = driver.partition("+")
    if backend in _NOT_OF_DATABASES:
        raise SettingError(
            f"the connection is a URL of {backend}, and not of a database; {EXPECTED}"
        )
    if driver in _ASYNCIO:
        raise SettingError(
            f"the connection names an asyncio driver, {driver!r}; expected a synchronous one, such as {backend}://"
        )
    if backend == "sqlite" and any(part is not None for part in (user, password, host, port)):
        raise SettingError(OF_SQLITE)
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65536):
        raise SettingError(
            f"the connection is not a valid database URL: its port is not a number from 1 to 65535; {EXPECTED}"
        )
    if backend in ("postgresql", "postgres"):
        _check_postgresql(driver, user, host, options or "")


def _check_postgresql(driver: str, user: str | None, host: str | None, options: str) -> None:
    if driver not in ("", "psycopg"):
        raise SettingError(
            f"the driver {driver!r} takes what the connection leaves out from the environment; expected "
            "postgresql://user@host/name, which uses psycopg"
        )
    if not user:
        raise SettingError("the connection names no user; expected postgresql://user@host/name")
    for option in filter(None, options.split("&")):
        check_option(unquote_plus(option.partition("=")[0]))
    if not host and not _HOSTS.search(options):
        raise SettingError("the connection names no host; expected postgresql://user@host/name")


def check_option(name: str) -> None:
    """Raise SettingError for an option that a URL of PostgreSQL may not have."""
    if name not in _OPTIONS:
        near = nearest(name, sorted(_OPTIONS))
        hint = f"; did you mean {near!r}?" if near else ""
        raise SettingError(f"the connection has the option {name!r}, which is not allowed{hint}")


def no_dialect(name: str) -> SettingError:
    """The error of a URL that names a database of which SQLAlchemy knows nothing here."""
    near = nearest(name.partition("+")[0], _KNOWN)
    hint = f"; did you mean {near!r}?" if near else ""
    return SettingError(
        f"there is no dialect {name!r} for SQLAlchemy here{hint or f'; {EXPECTED}'}"
        + ("" if near else ", or the package that brings this dialect to be installed")
    )


def read_name(text: str) -> Name:
    """The schema, or None, and the name of a table; raises SettingError for anything else."""
    parts, done = [], -1  # where the dot before the next part is
    while done < len(text) and (found := _PART.match(text, done + 1)):
        parts.append(found[2] or found[1].replace('""', '"'))
        done = found.end()
        if text[done : done + 1] not in (".", ""):
            break
    if done != len(text) or not 1 <= len(parts) <= 2:
        raise SettingError(f'{text!r} is not a table; expected name, schema.name or "odd.name"')
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
