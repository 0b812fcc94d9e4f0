"""Owns the proof of four documents: the founding plan's, and three larger ones, each with its test cases."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
FOLDER = Path(__file__).with_name("proved")
LEAST = {"fetch_all": 250, "nested": 300, "racing": 500, "retries_and_cleanup": 500}
"""How many points are tried at least: every single one, and the pairs that are sampled."""

CRASHES = {"fetch_all": 30, "nested": 80, "racing": 140, "retries_and_cleanup": 170}
"""How many points are tried at least at which a process dies, and pairs of those."""


@pytest.mark.parametrize("name", LEAST)
def test_the_cases_of_a_document_pass(name: str) -> None:
    args = [*FLOWSCRIPT, "test", f"{name}.xml"]
    done = subprocess.run(args, capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", LEAST)
def test_every_step_of_a_document_is_tried_and_every_promise_holds(name: str) -> None:
    args = [*FLOWSCRIPT, "prove", f"{name}.xml", "--pairs", "200"]
    done = subprocess.run(args, capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stderr
    assert "stand-ins" not in done.stderr
    found = json.loads(done.stdout)
    assert found["violations"] == 0
    assert found["points"] >= LEAST[name], done.stderr
    for proof in found["proofs"]:
        assert {"cancellations", "errors", "time limits that pass"} <= proof["tried"].keys()


@pytest.mark.parametrize("name", LEAST)
def test_a_document_survives_the_death_of_its_process_at_every_point(name: str) -> None:
    args = [*FLOWSCRIPT, "prove", f"{name}.xml", "--crash", "--pairs", "60"]
    done = subprocess.run(args, capture_output=True, text=True, check=False, cwd=FOLDER)
    assert done.returncode == 0, done.stderr
    assert "stand-ins" not in done.stderr
    found = json.loads(done.stdout)
    assert found["violations"] == 0
    assert found["points"] >= CRASHES[name], done.stderr
    assert f"{found['points']} points tried in {found['runs']} runs" in done.stderr
    for proof in found["proofs"]:
        assert {"crashes", "two crashes"} == proof["tried"].keys()
