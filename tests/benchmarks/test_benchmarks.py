"""Each workload does its work on both sides: run once, small; no time is looked at."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from .__main__ import FAMILIES, TOO_NOISY, main
from .measuring import Workload, measure

pytestmark = pytest.mark.slow

MANY = {"claims", "holds"}
"""Families of hundreds of workloads of one kind: every fifteenth of them is run here."""
SMALL = [
    work
    for family, make in FAMILIES.items()
    for work in islice(make(0.02), 0, None, 15 if family in MANY else 1)
]


@pytest.mark.parametrize("workload", SMALL, ids=[workload.name for workload in SMALL])
def test_a_workload_runs_on_both_sides(workload: Workload) -> None:
    measured = measure(workload, 1)
    assert measured.engine > 0
    assert measured.hand > 0


@pytest.mark.parametrize(("share", "status"), [(0.0, 0), (0.03, 0), (0.031, TOO_NOISY)])
def test_the_figures_are_written_as_json_and_the_status_says_if_they_count(
    share: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.__main__.noise", lambda workload, rounds: share)
    path = tmp_path / "figures.json"
    options = ["--rounds", "1", "--scale", "0.02", "--family", "sequences", "--json", str(path)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == status, done.output
    assert "noise: the same code against itself" in done.output
    assert ("too noisy for a verdict" in done.output) == (status == TOO_NOISY)
    figures = json.loads(path.read_text())
    assert figures["noise"] == {"sequences": share}
    assert figures["quiet"] == (status == 0)
    assert {result["name"] for result in figures["results"]} == {
        work.name for work in FAMILIES["sequences"](0.02)
    }
