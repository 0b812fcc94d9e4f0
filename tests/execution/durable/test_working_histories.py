"""Workers of a store that are killed, stopped, cut off and asked to end at random: each history could have been.

The workers are processes of ``flowscript work``. A checker reads the journals and the deeds, which are lines of a
file: one outcome a run, no entry under an old fence, nothing begun that is not on record, and at most once
what must not be done again. ``FLOWSCRIPT_TEST_SECONDS`` is how long the slow test disturbs them (20).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entries import AttemptFailed, Ended, Entry, Started
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.execution.durable.run_entries import RunEnded

from databases import cut_connections, expire_leases, new_database
from postgresql import POSTGRESQL, URL

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("FLOWSCRIPT_TEST_SECONDS", "20"))
FLOW = """<workflow name="h">
  <parallel id="p">
    <branch><sink:deed id="a"/>
      <sink:deed id="once" on-crash="fail"><on-error><fallback node="instead"/></on-error></sink:deed>
    </branch>
    <branch><foreach id="f" collection="[1, 2, 3, 4]"><sink:deed id="each"/></foreach>
      <finally><sink:deed id="clean"/></finally>
    </branch>
  </parallel>
  <sink:deed id="instead"/>
  <sink:deed id="last" after="p" on-crash="fail"><on-error><fallback node="instead"/></on-error></sink:deed>
</workflow>"""
COMMAND = "from flowscript_trio.cli import main; main()"
AT_MOST_ONCE = ("once", "last")


class Workers:
    """Three workers of a store, and what is done to them."""

    def __init__(self, where: str, folder: Path) -> None:
        self.where = where
        self.is_shared = where.startswith("postgresql")
        self.deeds = folder / "deeds"
        self.deeds.touch()
        self.said = folder / "said"
        self.runs: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    async def submit(self, count: int) -> None:
        for _ in range(count):
            self.runs.append(f"run-{len(self.runs)}")
            await fs.submit(_flow(), store=fs.Store(self.where), run_id=self.runs[-1])

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        command = ["--runtimes", "deeds", "work", "--store", self.where, "--at-once", "4"]
        environment = {
            **os.environ,
            "DEEDS": str(self.deeds),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        }
        with self.said.open("ab") as said:
            return subprocess.Popen(
                [sys.executable, "-c", COMMAND, *command, "--every", "200ms", *more],
                env=environment,
                stderr=said,
            )

    async def disturb(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self._processes = [self.start() for _ in range(3)]
        try:
            while time.monotonic() < end:
                await self._wait_for_deeds(random.randrange(1, 20))
                await trio.to_thread.run_sync(self._trouble)
                waiting = await fs.Store(self.where).runs("queued")
                await self.submit(max(12 - len(waiting), 0))
        finally:
            for process in self._processes:
                process.kill()
                process.wait()

    async def _wait_for_deeds(self, count: int) -> None:
        """Until so many lines more are there, or nobody does anything any more."""
        size = self.deeds.stat().st_size + count * 90
        for _ in range(500):
            if self.deeds.stat().st_size >= size:
                break
            await trio.sleep(0.01)  # real time: the workers are processes

    def _trouble(self) -> None:
        at = random.randrange(3)
        kinds = [self._kill, self._ask_to_end]
        if self.is_shared:
            kinds += 2 * [self._stop_past_the_lease, self._cut]
        random.choice(kinds)(at)

    def _kill(self, at: int) -> None:
        self._processes[at].kill()
        assert self._processes[at].wait() == -signal.SIGKILL
        self._processes[at] = self.start()
        if self.is_shared and random.random() < 0.5:
            expire_leases(self.where, wait=False)

    def _ask_to_end(self, at: int) -> None:
        self._processes[at].terminate()
        # It may still be starting: Python, or the command line before its worker has begun.
        ends = {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        assert self._processes[at].wait() in ends
        self._processes[at] = self.start()

    def _stop_past_the_lease(self, at: int) -> None:
        victim = self._processes[at]
        victim.send_signal(signal.SIGSTOP)
        expire_leases(self.where, wait=False)  # those of the others, too
        time.sleep(2 * random.random())  # real time: others take its runs over
        victim.send_signal(signal.SIGCONT)

    def _cut(self, at: int) -> None:
        cut_connections(self.where, "random() < 0.5")

    async def finish(self) -> None:
        """Let one worker do the rest, undisturbed."""
        if self.is_shared:
            expire_leases(self.where)
        process = self.start("--until-empty")
        assert await trio.to_thread.run_sync(process.wait) == 0


def _flow() -> fs.Flow:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("sink:deed")
    async def deed(params: fs.ExecutionParams) -> None:
        pytest.fail("a submitted run was run")

    return fs.loads(FLOW, registry=registry)


async def check(workers: Workers) -> Counter[str]:
    """Check all histories; how many runs ended how."""
    store = fs.Store(workers.where)
    ends: Counter[str] = Counter()
    deeds = Counter(
        (run_id, path, int(number))
        for line in workers.deeds.read_text().splitlines()
        for run_id, path, number, _ in [line.split()]
    )
    states = {run.run_id: run.state for run in await store.runs(limit=100_000)}
    assert states.keys() == set(workers.runs)
    for run_id in workers.runs:
        entries = await _entries(store, run_id)
        ended = [entry for entry in entries if isinstance(entry, RunEnded)]
        assert ended == [entries[-1]], run_id
        assert ended[0].status == states[run_id]
        _check_attempts(run_id, entries, deeds)
        crashed = max(
            Counter((e.key, e.attempt) for e in entries if isinstance(e, Started)).values()
        )
        assert ended[0].status == "completed" or crashed >= 3, (run_id, ended[0])
        ends[ended[0].status] += 1
    if workers.is_shared:
        _check_fences(workers.where)
    return ends


async def _entries(store: fs.Store, run_id: str) -> list[Entry]:
    journal = await store.open(run_id)
    entries = [entry_of(row, Coding({}).decode) for row in journal.read()]
    await journal.aclose()
    return entries


def _check_attempts(
    run_id: str, entries: list[Entry], deeds: Counter[tuple[str, str, int]]
) -> None:
    started, ended = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for entry in entries:
        if isinstance(entry, Started):
            key = entry.key, entry.attempt
            assert not ended[key], f"{run_id}: {key} began again after its end"
            started[key] += 1
        elif isinstance(entry, Ended | AttemptFailed):
            ended[entry.key, entry.attempt] += 1
    assert set(ended.values()) <= {1}
    for (run, path, number), count in deeds.items():
        if run == run_id:
            assert count <= started[path, number], f"{run_id}: {path} was done without a word"
            assert count == 1 or not path.endswith(AT_MOST_ONCE), f"{run_id}: {path} twice"


def _check_fences(where: str) -> None:
    with psycopg.connect(where) as connection:
        found = connection.execute(
            "select count(*) from (select fence < lag(fence) over (partition by run order by number) as late "
            "from flowscript_rows) as each where late"
        ).fetchone()
    assert found == (0,)


@pytest.fixture(params=["sqlite", POSTGRESQL])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "runs.db") if request.param == "sqlite" else new_database(URL)


@pytest.mark.parametrize("seconds", [4, pytest.param(SECONDS, marks=pytest.mark.slow)])
async def test_every_history_of_workers_that_are_disturbed_could_have_been(
    where: str, seconds: float, tmp_path: Path
) -> None:
    workers = Workers(where, tmp_path)
    await workers.submit(8)
    await workers.disturb(seconds)
    await workers.finish()
    ends = await check(workers)
    where = "PostgreSQL" if workers.is_shared else "a file"
    print(f"{ends.total()} histories of runs in {where}: {dict(ends)}")  # noqa: T201 (for whoever asks with -s)
    assert ends["completed"] > 0
