"""Owns the tests of what the pages know of other projects: kept here, right, and found without a network."""

from __future__ import annotations

import builtins
import pkgutil
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MAPPING: dict[str, tuple[str, str]] = runpy.run_path(str(DOCS / "conf.py"))["intersphinx_mapping"]


def named(name: str) -> Any:
    return getattr(builtins, name, None) or pkgutil.resolve_name(name)


@pytest.mark.parametrize("project", MAPPING)
def test_an_inventory_names_things_that_there_are_in_order(project: str) -> None:
    url, file = MAPPING[project]
    assert url.endswith("/")
    lines = (DOCS / file).read_text().splitlines()  # what is not a file would be fetched
    assert lines[0] == "# Sphinx inventory version 1"
    assert [line.partition(": ")[0] for line in lines[1:3]] == ["# Project", "# Version"]
    entries = [line.split() for line in lines[3:]]
    names = [name for name, _, _ in entries]
    assert len(names) >= 2
    assert names == sorted(set(names))
    for name, kind, page in entries:
        assert kind in ("class", "mod")
        assert isinstance(named(name), ModuleType if kind == "mod" else type), name
        assert page.endswith(".html")
