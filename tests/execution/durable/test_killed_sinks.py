"""Owns the tests that kill a process with -9 while its sinks write: nothing is lost, and nothing written twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shops import Shop, make, new_shop

from postgresql import POSTGRESQL

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("selling.py")
SOLD = sorted([*range(6), *range(100, 106)])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return new_shop(request.param, tmp_path)


def process(
    store: Path, shop: Shop, run_id: str, moment: str = "never", number: int = 1
) -> subprocess.Popen[bytes]:
    words = [str(store), shop.url, run_id, moment, str(number)]
    return subprocess.Popen([sys.executable, str(PROGRAM), *words], stdout=subprocess.PIPE)


def clear(shop: Shop) -> None:
    shop.ask("DELETE FROM t")


def ended(child: subprocess.Popen[bytes]) -> int:
    child.communicate()
    return child.returncode


@pytest.mark.parametrize("moment", ["marked", "written", "committed", "before", "after"])
def test_a_sink_that_is_killed_at_a_moment_writes_each_row_once(
    moment: str, shop: Shop, tmp_path: Path
) -> None:
    make(shop)
    store = tmp_path / "runs.db"
    assert ended(process(store, shop, "r", moment, 2)) == -signal.SIGKILL
    assert ended(process(store, shop, "r")) == 0
    assert shop.ids == SOLD


@pytest.mark.slow
def test_a_sink_that_is_killed_at_any_moment_writes_each_row_once(
    shop: Shop, tmp_path: Path
) -> None:
    make(shop)
    kills = 0
    for number in range(20):
        clear(shop)
        while True:
            child = process(tmp_path / "runs.db", shop, f"run {number}")
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(random.random() * 0.15)  # of real time: it is a real process
            child.kill()
            code = ended(child)
            if code == 0:
                break
            kills += 1
            if kills % 3 == 0:
                assert ended(process(tmp_path / "runs.db", shop, f"run {number}")) == 0
                break
        assert shop.ids == SOLD, number
    assert kills >= 20
