"""Each workload does its work on both sides: run once, small; no time is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from .__main__ import FAMILIES, main
from .measuring import Workload, measure

SMALL = [work for make in FAMILIES.values() for work in make(0.02)]


@pytest.mark.parametrize("workload", SMALL, ids=[workload.name for workload in SMALL])
def test_a_workload_runs_on_both_sides(workload: Workload) -> None:
    measured = measure(workload, 1)
    assert measured.engine > 0
    assert measured.hand > 0


def test_the_figures_are_written_as_json(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    options = ["--rounds", "1", "--scale", "0.02", "--family", "sequences", "--json", str(path)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    assert "noise: the same code against itself" in done.output
    figures = json.loads(path.read_text())
    assert {result["name"] for result in figures["results"]} == {
        work.name for work in FAMILIES["sequences"](0.02)
    }
