"""A process that is killed with -9 loses nothing that was on disk, and leaves no half of anything."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from flowscript_trio.journal.store import Store

from databases import expire_leases, new_database
from postgresql import POSTGRESQL, URL

PROGRAM = Path(__file__).with_name("killed.py")


@pytest.fixture(params=["sqlite", POSTGRESQL])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "runs.db") if request.param == "sqlite" else new_database(URL)


def start(where: str, moment: str = "never", commit: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), where, moment, str(commit)], stdout=subprocess.PIPE
    )


def killed(process: subprocess.Popen[bytes]) -> int:
    """How many rows a process that is dead had said to be on disk."""
    assert process.stdout is not None
    said = [line for line in process.stdout.read().split(b"\n") if line]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    return max(map(int, said), default=0)


async def rows_in(where: str) -> int:
    """How many rows the run has, each of them whole and in its place; nobody owns it any more."""
    if where.startswith("postgresql"):
        expire_leases(where)  # as time does
    journal = await Store(where).open("r")
    rows = list(journal.read())
    await journal.aclose()
    assert [row.key for row in rows] == [str(number) for number in range(len(rows))]
    assert all(row.value == row.key.encode() * 5_000 for row in rows)
    return len(rows)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_that_is_killed_at_a_commit_keeps_what_was_synced(
    where: str, moment: str
) -> None:
    kept = 0
    for commit in (1, 2, 3, 5, 8):
        process = start(where, moment, commit)
        said = await trio.to_thread.run_sync(killed, process)
        found = await rows_in(where)
        assert found >= max(said, kept)
        assert (found - kept) % 3 == 0  # what one pass of a branch wrote is there whole
        if moment == "after":
            assert found > kept
        kept = found
    assert kept > 0


@pytest.mark.slow
async def test_a_process_that_is_killed_at_any_moment_keeps_what_was_synced(where: str) -> None:
    kept = 0
    for _ in range(20):
        process = start(where)
        assert process.stdout is not None
        for _ in range(random.randrange(1, 60)):
            await trio.to_thread.run_sync(process.stdout.readline)
        process.kill()
        said = await trio.to_thread.run_sync(killed, process)
        found = await rows_in(where)
        assert found >= max(said, kept)
        assert (found - kept) % 3 == 0
        kept = found
