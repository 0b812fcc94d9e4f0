"""Owns the store of a test: of each kind that there is, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowscript_trio.journal.store import Store

from databases import new_database
from postgresql import POSTGRESQL, URL


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return Store.memory()
    if request.param == "sqlite":
        return Store(tmp_path / "runs.db")
    return Store(new_database(URL))
