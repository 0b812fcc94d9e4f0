"""Owns the options of libpq: every option has a value, so that it takes none from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...types.errors import SettingError
from ..file.paths import resolve
from .spelling import FILES, check_option

if TYPE_CHECKING:
    from sqlalchemy import URL

CONNECT_SECONDS = 10
"""How long a server may take to accept a connection, where the URL does not say (``connect_timeout``)."""

NOWHERE = os.path.join(os.devnull, "none")
"""The path of no file: libpq goes on without one, where an empty path would mean the home folder's."""

_NOT_IGNORED = ("PGSERVICE", "PGDATESTYLE", "PGTZ", "PGGEQO")
"""Variables that no option overrides: a file of settings, and what libpq sends to every server."""

_VALUES = {
    "passfile": NOWHERE,
    "sslcert": NOWHERE,
    "sslkey": NOWHERE,
    "sslcertmode": "disable",
    "gssencmode": "disable",
    "require_auth": "!gss,!sspi",  # no ticket of the user's goes to a server of the document's choice
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
    "connect_timeout": str(CONNECT_SECONDS),
}
"""The values of options where the URL is silent, and libpq's own would be the environment's or not valid."""


def settle(url: URL, base: Path | None) -> tuple[URL, dict[str, str]]:
    """The URL with its files where they really are, and the options that it leaves out, each with a value.

    Raises SettingError for an option that a URL may not have, and where it names no user or host; and
    PathOutside for a file out of the run's base folder.
    """
    import psycopg

    for name in url.query:
        check_option(name)
    if not url.username:
        raise SettingError("the connection names no user; expected postgresql://user@host/name")
    if not url.host and not {"host", "hostaddr"} & url.query.keys():
        raise SettingError("the connection names no host; expected postgresql://user@host/name")
    for variable in _NOT_IGNORED:
        if variable in os.environ:
            raise SettingError(
                f"the environment has {variable}, which libpq cannot be told to ignore; expected it to be unset"
            )
    url = url.update_query_dict(
        {
            name: resolve(str(url.query[name]), base)[1]
            for name in FILES
            if name in url.query and (name, url.query[name]) != ("sslrootcert", "system")
        }
    )
    given: dict[str, Any] = {
        "user": url.username,
        "password": url.password,
        "host": url.host,
        "port": url.port,
        "dbname": url.database or url.username,
        **url.query,
    }
    values = {name: str(value) for name, value in given.items() if name == "dbname"}
    for option in psycopg.pq.Conninfo.get_defaults():
        name = option.keyword.decode()
        if name == "service" or given.get(name) or not (option.envvar or name in _VALUES):
            continue
        values[name] = _VALUES.get(name, (option.compiled or b"").decode())
    if "sslcert" in url.query and "sslcertmode" in values:
        values["sslcertmode"] = "allow"
    return url, values
