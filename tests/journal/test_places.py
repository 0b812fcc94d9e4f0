"""Where a store may be: a file or a database; what else is given is refused with a word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from flowscript_trio.journal.store import Store
from flowscript_trio.types.errors import InputError


@pytest.mark.parametrize("where", ["", None, 7, "mysql://x/y"])
def test_a_store_of_no_known_kind_is_refused(where: Any) -> None:
    with pytest.raises(InputError, match="expected the path of a file, or a URL of PostgreSQL"):
        Store(where)


def test_a_durability_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected 'power' or 'process'"):
        Store(tmp_path / "runs.db", durability="full")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["postgresql://h/x?s3cr3t=1", "postgresql://[s3cr3t/x"])
def test_a_url_that_is_not_valid_is_refused_without_what_is_in_it(url: str) -> None:
    with pytest.raises(InputError, match="not a valid URL of PostgreSQL") as caught:
        Store(url)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_store_in_postgresql_says_which_extra_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "flowscript_trio.journal.postgres", raising=False)
    with pytest.raises(InputError, match=r"install flowscript-trio\[postgresql\]"):
        Store("postgresql://127.0.0.1/x")


def test_making_a_store_touches_nothing(tmp_path: Path) -> None:
    Store(tmp_path / "none" / "runs.db")
    Store("postgresql://127.0.0.1:1/x")
    assert list(tmp_path.iterdir()) == []
