"""Owns the proof of durable runs whose sinks write to a real database: exactly once, wherever processes die."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing import prove

from crashing import World

pytestmark = pytest.mark.slow

SELLS = """<workflow name="w">
  <source:act id="a"/>
  <parallel id="p" after="a" max-concurrency="2">
    <branch><transform:template id="rows" template="{{[set({}, 'what', 'parallel')]}}"/>
      <sink:database id="one" connection="sqlite:///shop.db" table="sold" input="rows"/>
      <source:act id="b"/></branch>
    <branch><source:act id="c"/><foreach id="f" collection="[1, 2]">
      <transform:template id="row" template="{{[set({}, 'what', 'item ' + item)]}}"/>
      <sink:database id="each" connection="sqlite:///shop.db" table="sold" input="row"/></foreach></branch>
  </parallel>
  <finally><transform:template id="last" template="{{[set({}, 'what', 'clean-up')]}}"/>
    <sink:database id="end" connection="sqlite:///shop.db" table="sold" input="last"/></finally></workflow>"""
SOLD = ["clean-up", "item 1", "item 2", "parallel"]


class Shops:
    """A database for each run of a proof, and what was sold in it."""

    def __init__(self, folder: Path, has_markers: bool) -> None:
        self._folder = folder
        self._has_markers = has_markers
        self._count = 0

    def open(self) -> dict[str, Any]:
        self._count += 1
        base = self._folder / str(self._count)
        base.mkdir()
        with closing(sqlite3.connect(base / "shop.db")) as connection:
            connection.execute("create table sold (what text)")
        if self._has_markers:
            trio.run(fs.make_markers, f"sqlite:///{base}/shop.db")
        return {"base": base}

    def sold(self) -> list[list[str]]:
        """What each run has sold, without those that were never begun."""
        found = []
        for number in range(1, self._count + 1):
            file = self._folder / str(number) / "shop.db"
            with closing(sqlite3.connect(file)) as connection:
                rows = connection.execute("select what from sold order by what").fetchall()
            found.append([what for (what,) in rows])
        return [each for each in found if each]


@pytest.mark.filterwarnings("ignore:.*writes at least once")
@pytest.mark.parametrize("has_markers", [True, False])
def test_a_sink_writes_exactly_once_where_there_are_markers(
    has_markers: bool, tmp_path: Path
) -> None:
    shops = Shops(tmp_path, has_markers)
    flow = fs.loads(SELLS, name="w.xml", registry=World().registry)
    report = prove(flow, crash=True, options=shops.open, pairs=20)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"
    assert dict(report.tried)["crashes"] >= 10
    sold = shops.sold()
    assert len(sold) > 20
    if has_markers:
        assert Counter(map(tuple, sold)) == {tuple(SOLD): len(sold)}
    else:  # at least once
        assert all(set(each) == set(SOLD) for each in sold)
        assert any(len(each) > len(SOLD) for each in sold)
