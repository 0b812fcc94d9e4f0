"""Owns the tests that kill a run of every element with -9, at commits and at random moments, and that again.

``FLOWSCRIPT_TEST_KILLS=300`` kills it at so many random moments, and at every commit (20, and at each third);
``FLOWSCRIPT_SEED`` chooses others.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .elements import MAIN, ORDERS

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("elements.py")
KILLS = int(os.environ.get("FLOWSCRIPT_TEST_KILLS", "20"))
SEED = os.environ.get("FLOWSCRIPT_SEED", "0")
OUTCOME = {
    "n": 5,
    "area": 10,
    "part": "within+",
    "failed": "t2 fails",
    "race": ["r1!", "r2"],
}
ELEMENTS = {
    *(
        "parallel",
        "branch",
        "loop",
        "while",
        "foreach",
        "if",
        "phase",
        "timeout",
        "delay",
        "set",
        "checkpoint",
    ),
    *("include", "call", "finally", "compensate", "on-error", "retry", "fallback", "case"),
    *("sink:database", "sink:file", "source:file"),
}
OWED = {
    "one/race/2/@finally/clean-r3",
    "tolerant/1/booked/@compensate/unbooked",
    "trip/0/seat/@compensate/unseat",
    "@finally/last",
}
NEVER = {"one/race/2/r3", "a/@compensate/undo-a", "c/measured/@compensate/unmeasured", "i/no"}


class Lives:
    """Processes of runs, one after the other, as one program forks them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        paths = os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")])
        self._program = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )

    def live(self, name: str, commit: int = 0, seconds: float = 0) -> tuple[int, int]:
        """One process of a run: how it ended, and how many commits it made."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{name} {commit} {seconds}\n")
        self._program.stdin.flush()
        status, made = self._program.stdout.readline().split()
        return int(status), int(made)

    def end(self) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.stdout.close()
        self._program.wait()

    def check(self, name: str, lives: int) -> None:
        """A run that has ended did what it had to, in so many processes."""
        folder = self.folder / name
        assert (folder / "outcome").read_text() == repr(OUTCOME)
        did = Counter(
            line.removeprefix("did ")
            for line in (folder / "deeds").read_text().splitlines()
            if line.startswith("did ")
        )
        assert max(did.values()) <= lives
        places = {each.rpartition(" ")[0] for each in did}
        assert places >= OWED
        assert not places & NEVER
        assert did["once 1"] + any(each.endswith("/instead") for each in places) >= 1
        assert did["once 1"] <= 1
        assert {"flaky 1", "flaky 2", "flaky 3", "trip/1/pay 1", "trip~2/1/pay 1"} <= did.keys()
        with sqlite3.connect(folder / "shop.db") as connection:
            sold = connection.execute("SELECT id FROM t ORDER BY id").fetchall()
        connection.close()
        assert sold == [(number,) for number in range(ORDERS)]  # exactly once
        lines = (folder / "log.txt").read_text().split()
        assert set(lines) == set(map(str, range(ORDERS)))
        assert json.loads((folder / "out.json").read_text()) == {"n": 5, "each": ORDERS}


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Lives]:
    made = Lives(tmp_path)
    yield made
    made.end()


def test_the_document_has_forty_nodes_and_every_element() -> None:
    assert MAIN.count(" id=") >= 40
    missing = ELEMENTS - set(re.findall(r"<([\w:-]+)", MAIN))
    assert not missing


def test_a_run_that_is_killed_at_commits_and_again_as_it_is_resumed_ends_as_it_must(
    lives: Lives,
) -> None:
    chance = random.Random(SEED)
    assert lives.live("whole") == (0, pytest.approx(45, abs=25))
    lives.check("whole", 1)
    killed = twice = 0
    step = 1 if KILLS >= 300 else 3
    for at in range(1 + int(SEED) % step, 300, step):
        name = f"at-{at}"
        status, _ = lives.live(name, at)
        if status == 0:
            break
        assert status == -9, at
        killed += 1
        status, _ = lives.live(name, chance.randint(1, 40))
        twice += status == -9
        if status != 0:
            assert status == -9, at
            assert lives.live(name)[0] == 0, at
        lives.check(name, 3)
    sys.stdout.write(f"killed at {killed} commits, and {twice} times again\n")
    assert killed > 20
    assert twice > 10


def test_a_run_that_is_killed_at_random_moments_ends_as_it_must(lives: Lives) -> None:
    chance = random.Random(SEED)
    began = time.perf_counter()
    assert lives.live("whole")[0] == 0
    took = time.perf_counter() - began
    kills, runs = 0, 0
    while kills < KILLS:
        name, lived = f"run-{runs}", 0
        runs += 1
        while True:
            seconds = chance.uniform(0.02, took) if lived < 4 else 0
            status, _ = lives.live(name, 0, seconds)
            lived += 1
            assert status in (0, -9), name
            if status == 0:
                break
            kills += 1
        lives.check(name, lived)
    sys.stdout.write(f"{kills} kills in {runs} runs\n")
