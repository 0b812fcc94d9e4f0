"""Owns the PostgreSQL that tests need: the URL of a database that they may write to, in an environment variable.

``.ci/run`` starts one; without it what needs one is skipped, with a word. Each worker of the tests has a database
of its own on it.
"""

from __future__ import annotations

import os

import pytest


def _own_url() -> str:
    url, worker = (
        os.environ.get("FLOWSCRIPT_TEST_POSTGRESQL", ""),
        os.environ.get("PYTEST_XDIST_WORKER"),
    )
    if not url or worker is None:
        return url
    from databases import own_database  # what needs psycopg

    return own_database(url, f"flowscript_{worker}")


URL = _own_url()
needs_postgresql = pytest.mark.skipif(
    not URL, reason="FLOWSCRIPT_TEST_POSTGRESQL names no database"
)
POSTGRESQL = pytest.param("postgresql", marks=needs_postgresql)
"""PostgreSQL as one of several kinds of database."""
