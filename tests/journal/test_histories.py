"""Workers of one store that are killed and stopped at random: every history is one that could have been.

A checker reads the journals: one outcome a run, no gap, no entry under an old fence behind one of a newer, and
everything that a worker had said to be on disk is there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
import trio

from flowscript_trio.journal.store import Store

from databases import cut_connections, expire_leases, new_database
from postgresql import POSTGRESQL, URL

PROGRAM = Path(__file__).with_name("worker.py")
LENGTH = 60
KINDS = ["sqlite", POSTGRESQL]


Said = list[tuple[str, int, int]]
"""A run, the fence of who wrote, and how many rows were on disk then."""


def disturb(where: str, rounds: int) -> Said:
    """Let three workers go on, and stop, cut off and kill them each time that some rows were written."""
    said: Said = []
    for _ in range(rounds):
        processes, pipe = workers(where, 3)
        with pipe:
            wanted = len(said) + random.randrange(1, 40)
            for line in pipe:
                said.append(heard(line))
                if len(said) == wanted:
                    break
            if where.startswith("postgresql"):
                trouble(where, random.choice(processes))
            for process in processes:
                process.kill()
            said += map(heard, pipe)
        ends = {process.wait() for process in processes}
        assert ends <= {0, -signal.SIGKILL}
    return said


def workers(where: str, count: int) -> tuple[list[subprocess.Popen[bytes]], IO[str]]:
    """Workers, and what they say."""
    reading, writing = os.pipe()
    command = [sys.executable, str(PROGRAM), where]
    processes = [subprocess.Popen(command, stdout=writing) for _ in range(count)]
    os.close(writing)
    return processes, os.fdopen(reading)


def heard(line: str) -> tuple[str, int, int]:
    run, fence, count = line.split()
    return run, int(fence), int(count)


def trouble(where: str, victim: subprocess.Popen[bytes]) -> None:
    """What happens to workers on several machines: their leases end while they are stopped, connections break."""
    if random.random() < 0.5 and victim.poll() is None:
        victim.send_signal(signal.SIGSTOP)
        expire_leases(where, wait=False)  # those of the others, too
        victim.send_signal(signal.SIGCONT)
    cut_connections(where, "random() < 0.5")


async def check(where: str, said: Said, runs: list[str]) -> None:
    store = Store(where)
    for run_id in runs:
        if where.startswith("postgresql"):
            expire_leases(where)
        journal = await store.open(run_id)
        rows = list(journal.read())
        await journal.aclose()
        assert [int(row.data) for row in rows] == list(range(len(rows)))
        fences = [int(row.key) for row in rows]
        assert fences == sorted(fences)
        kept = max((count for run, _, count in said if run == run_id), default=0)
        assert len(rows) >= kept
        assert [row.kind for row in rows].count("outcome") == (len(rows) == LENGTH)
        for run, fence, count in said:
            if run == run_id:
                assert fences[count - 1] == fence


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
async def test_every_history_of_workers_that_are_killed_could_have_been(
    kind: str, tmp_path: Path
) -> None:
    rounds = 8
    where = str(tmp_path / "runs.db") if kind == "sqlite" else new_database(URL)
    runs = [f"run-{number}" for number in range(rounds)]
    for run_id in runs:
        await Store(where).submit(run_id, b"")
    said = await trio.to_thread.run_sync(disturb, where, rounds)
    await check(where, said, runs)
    last, pipe = workers(where, 1)
    with pipe:
        said += map(heard, await trio.to_thread.run_sync(pipe.readlines))
    assert last[0].wait() == 0
    await check(where, said, runs)
    assert {run.state for run in await Store(where).runs()} == {"completed"}
