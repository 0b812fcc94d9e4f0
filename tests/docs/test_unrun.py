"""Owns the tests of ``.ci/unrun``: a line that no test runs is named with a reason, or fails the checks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FILE = "src/flowscript_trio/scheduler/pools.py"


def judge(
    folder: Path, missing: dict[str, list[int]], listed: str, was_run: bool = False
) -> tuple[int, str]:
    """The exit status and the words of the check, for a copy of it with a list of its own.

    ``was_run``: the lines were run after all.
    """
    for name in (".ci/unrun", FILE):
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / ".ci" / "unrun.txt").write_text(listed, encoding="utf-8")
    found, other = ("executed_lines", "missing_lines")[:: 1 if was_run else -1]
    functions: Any = {name: {found: lines, other: []} for name, lines in missing.items()}
    count = sum(map(len, missing.values()))
    totals = {
        "covered_lines": count if was_run else 0,
        "num_statements": count,
        "missing_lines": 0 if was_run else count,
    }
    report = folder / "coverage.json"
    report.write_text(json.dumps({"files": {FILE: {"functions": functions}}, "totals": totals}))
    done = subprocess.run(
        [sys.executable, folder / ".ci" / "unrun", report],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def line_of(text: str) -> int:
    return (ROOT / FILE).read_text(encoding="utf-8").splitlines().index(text) + 1


@pytest.fixture
def spent() -> dict[str, list[int]]:
    return {"CollectionPool.take": [line_of("        self._spent = True")]}


NAMED = "# A reason.\nscheduler/pools.py CollectionPool.take: self._spent = True\n"


@pytest.mark.parametrize(("count", "status"), [(10, 0), (11, 1)])
def test_lines_that_are_not_run_and_not_named_are_shown_and_more_than_a_few_fail(
    count: int, status: int, tmp_path: Path
) -> None:
    lines = list(range(1, count + 1))
    found, said = judge(tmp_path, {"CollectionPool.take": lines}, "")
    assert found == status
    for line in lines:
        assert f"{FILE}:{line}: no test runs this line" in said


def test_a_line_that_is_named_passes(tmp_path: Path, spent: dict[str, list[int]]) -> None:
    assert judge(tmp_path, spent, NAMED) == (0, "0 of 1 lines run, 1 named\n")


def test_the_same_text_in_another_function_is_not_named(
    tmp_path: Path, spent: dict[str, list[int]]
) -> None:
    other = {**spent, "CollectionPool.is_spent": spent["CollectionPool.take"]}
    _, said = judge(tmp_path, other, NAMED)
    assert said.count("no test runs this line") == 1
    assert "scheduler/pools.py CollectionPool.is_spent: self._spent = True" in said


def test_a_name_of_a_line_that_is_gone_fails(tmp_path: Path, spent: dict[str, list[int]]) -> None:
    status, said = judge(tmp_path, spent, NAMED + "scheduler/pools.py take: gone\n")
    assert status == 1
    assert "not there any more: scheduler/pools.py take: gone" in said


def test_a_line_that_is_named_and_is_run_after_all_is_shown(
    tmp_path: Path, spent: dict[str, list[int]]
) -> None:
    _, said = judge(tmp_path, spent, NAMED, was_run=True)
    assert (
        "a line that is run now: scheduler/pools.py CollectionPool.take: self._spent = True" in said
    )


@pytest.mark.parametrize("was_run", [False, True])
def test_a_line_that_is_run_at_times_passes_in_both_cases(
    was_run: bool, tmp_path: Path, spent: dict[str, list[int]]
) -> None:
    listed = NAMED.replace("scheduler/", "~ scheduler/")
    assert judge(tmp_path, spent, listed, was_run)[0] == 0
    assert judge(tmp_path, spent, listed + "~ scheduler/pools.py take: gone\n", was_run)[0] == 1


def test_every_name_of_the_list_has_a_reason_above_it() -> None:
    parts = (ROOT / ".ci" / "unrun.txt").read_text(encoding="utf-8").strip().split("\n\n")
    assert parts[0].startswith("# ")
    for part in parts[1:]:
        reason, *lines = part.splitlines()
        assert reason.startswith("# "), part
        assert lines, part
        assert not any(line.startswith("#") for line in lines)
