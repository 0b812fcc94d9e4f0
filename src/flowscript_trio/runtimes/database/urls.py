"""Owns database URLs: which driver they name, what they may say to it, and what to install where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...types.errors import SettingError
from .errors import MissingPackage
from .spelling import EXPECTED, check_spelling, no_dialect

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL, Engine

_SPELLINGS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
_PACKAGES = {
    "psycopg": "'flowscript-trio[postgresql]'",
    "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL",
    "mysql": "mysql-connector-python",
    "mariadb": "mariadb",
    "oracledb": "oracledb",
    "cx_Oracle": "cx_Oracle",
    "pyodbc": "pyodbc",
    "pymssql": "pymssql",
    "pysqlcipher3": "sqlcipher3",
    "sqlcipher3": "sqlcipher3",
}
"""The package of a driver's module, which seldom has its name."""

_OPTIONS = frozenset(
    {"charset", "connect_timeout", "driver", "encrypt", "service_name", "trustservercertificate"}
)
"""What a URL may say to a driver of which no more is known here: nothing that reads a file, loads code, or lets
the server ask for one. SQLite and PostgreSQL have lists of their own."""
_OF_PATHS = frozenset("/\\;~")
"""What is in paths, and between the options of ODBC."""


def read_url(text: str) -> URL:
    """The URL of a connection.

    Raises SettingError, which never shows it (a password may be in it), for one that is not valid, that
    names an asyncio driver, or a driver of PostgreSQL which takes what is missing from the environment; and
    MissingPackage for a driver that is not installed.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    check_spelling(text)
    try:
        url = make_url(text)
        url = url.set(drivername=_SPELLINGS.get(url.drivername, url.drivername))
        dialect = url.get_dialect()
    except ModuleNotFoundError as exc:
        raise missing_driver(exc) from None
    except NoSuchModuleError:
        raise no_dialect(url.drivername) from None
    except (ArgumentError, ValueError):
        raise SettingError(f"the connection is not a valid database URL; {EXPECTED}") from None
    if dialect.is_async:
        plain = url.get_backend_name()
        raise SettingError(
            f"the connection names an asyncio driver, {dialect.driver!r}; "
            f"expected a synchronous one, such as {plain}://"
        )
    if url.get_backend_name() == "postgresql" and url.drivername != "postgresql+psycopg":
        raise SettingError(
            f"the driver {dialect.driver!r} takes what the connection leaves out from the environment; "
            "expected postgresql://user@host/name, which uses psycopg"
        )
    return url


def check_other(url: URL, base: Path | None) -> None:
    """Raise SettingError for what a document may not say to a driver about which nothing is known here.

    Under a base folder its databases are those of servers: files could be anywhere.
    """
    for name, value in url.query.items():
        if name.lower() not in _OPTIONS:
            raise SettingError(
                f"the connection has the option {name!r}, which is not allowed for "
                f"{url.get_backend_name()}; expected one of {', '.join(sorted(_OPTIONS))}"
            )
        if not _OF_PATHS.isdisjoint(str(value)):
            raise SettingError(
                f"the option {name!r} in the connection has a path or several values in it; expected a name"
            )
    if base is not None and not url.host:
        raise SettingError(
            "the connection names no host, and under a base folder only sqlite:///file.db may be a file"
        )


def create(make: Any) -> Engine:
    """The engine that ``make`` gives; raises as :func:`read_url` does."""
    from sqlalchemy.exc import ArgumentError

    try:
        engine: Engine = make()
    except ModuleNotFoundError as exc:
        raise missing_driver(exc) from None
    except ArgumentError:  # whose text has the whole URL, with its password
        raise SettingError(
            f"the connection is not valid for this kind of database; {EXPECTED}"
        ) from None
    except (TypeError, ValueError) as exc:
        raise SettingError(f"the connection is not valid: {exc}") from None
    return engine


def missing_driver(error: ModuleNotFoundError) -> MissingPackage:
    """What to install for a driver's module that is not there."""
    driver = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(driver)
    if package is None:
        return MissingPackage(
            f"the driver {driver!r} is not installed; SQLAlchemy's page on its dialect names the package"
        )
    return MissingPackage(f"the driver {driver!r} is not installed: pip install {package}")
