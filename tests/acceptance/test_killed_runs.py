"""Runs of every element whose processes are killed with -9 at every commit, and at any moment.

The document is ``killed/everything.xml``; its processes are those of ``dying.py``. ``FLOWSCRIPT_KILLED=300`` sets
how many are killed at random moments.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entries import (
    AttemptFailed,
    Compacted,
    Decided,
    Ended,
    Entry,
)
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.journal.rows import Row
from flowscript_trio.types.intervals import Intervals

PROGRAM = Path(__file__).with_name("dying.py")
DOCUMENT = PROGRAM.parent / "killed" / "everything.xml"
COUNT = int(os.environ.get("FLOWSCRIPT_KILLED", 12))
PRICES = [("a", 150), ("b", 20), ("c", 0)]
ELEMENTS = """
set source:file source:database source:act sink:act sink:database sink:file transform:template phase
parallel branch foreach case default if then else loop while break timeout delay checkpoint action
include bind call arg on-error retry fallback compensate finally on-workflow-error fail output
"""
MODES = {"whole": "completed", "broken": "failed"}
"""How the document ends, by its mode."""
MOMENTS = ("before", "after", "effect")
CLEANED_UP = {"hanging-left", "gathered", "never-left", "closed"}
RACE, LOSER = "gather/race", "gather/race/0/hanging"
INSTEAD = ("charged/@fallback/asked", 1)
"""Stands in for the node that says on-crash="fail", where a process died at it."""
NEVER = ("work/fan/2/patience/never", 1)
"""Its time may pass before it is on disk that it begins: then it never does."""
BOOKED = ("work/trip/0/book", 1)
"""What the first attempt of a block has done, unless that failed before."""
LAST_UNDONE = [
    "charged/@compensate/refund",
    "sent/@compensate/recall",
    "work/trip~2/0/book/@compensate/unbook",
]


def prepare(folder: Path) -> None:
    """What a run finds when it begins."""
    folder.mkdir()
    (folder / "rates.csv").write_text("currency,rate\nEUR,1\n")
    database = sqlite3.connect(folder / "shop.db")
    with database:
        for table, key in (("prices", "primary key"), ("orders", "primary key"), ("log", "")):
            database.execute(f"create table {table} (id text {key}, price integer)")
        database.executemany("insert into prices values (?, ?)", PRICES)
    database.close()
    trio.run(fs.make_markers, f"sqlite:///{folder / 'shop.db'}")


class Killing:
    """The server whose children are the processes, and the runs that they go on with, each in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = folder / "world"
        prepare(self.world)
        self.chance = random.Random(0)
        self.runs = 0
        self._whole: dict[str, Whole] = {}
        self._server = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, **what: Any) -> dict[str, Any]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(what) + "\n")
        self._server.stdin.flush()
        return dict(json.loads(self._server.stdout.readline()))

    def whole(self, mode: str) -> Whole:
        """The run of that mode that nobody kills."""
        if mode not in self._whole:
            story = Story(self, mode)
            began = time.monotonic()
            came_to = story.process()
            seconds = time.monotonic() - began
            attempts = {(path, number) for said, path, number, _ in story.done if said == "begun"}
            self._whole[mode] = Whole(came_to, attempts, seconds)
            done = {(path, number) for said, path, number, _ in story.done if said == "done"}
            assert not done - story.kept_of(done), "what ended is not seen on disk"
            assert story.is_decided
            story.check(came_to)
        return self._whole[mode]

    def close(self) -> None:
        self._server.communicate()
        assert self._server.returncode == 0


@dataclass(frozen=True, slots=True)
class Whole:
    """What a run comes to that nobody kills, the attempts that it makes, and how long it takes."""

    came_to: dict[str, Any]
    attempts: set[tuple[str, int]]
    seconds: float


class Story:
    """One run, its processes so far, and what they did; ``kept`` are the attempts that are on disk as ended."""

    def __init__(self, killing: Killing, mode: str) -> None:
        killing.runs += 1
        self.name = f"{mode}-{killing.runs}"
        self.mode = mode
        self.folder = killing.folder / self.name
        self.done: list[tuple[str, str, int, str]] = []
        self.kept: set[tuple[str, int]] = set()
        self.compacted: dict[str, Intervals] = {}
        """What of blocks is on disk as ended without its attempts: their iterations and rounds."""
        self.crashes = 0
        self.is_decided = False
        self._killing = killing
        shutil.copytree(killing.world, self.folder)

    def process(self, **end: Any) -> dict[str, Any]:
        """Let a process go on with it until that end, or to its own; what it came to."""
        came_to = self._killing.order(run=self.name, mode=self.mode, **end)
        self.crashes += came_to["status"] == "killed"
        log = self.folder / "log.txt"
        lines = log.read_text().splitlines() if log.exists() else []
        new = [(what, path, number, key) for what, path, number, key in map(json.loads, lines)]
        begun = {
            (path, number) for what, path, number, _ in new[len(self.done) :] if what == "begun"
        }
        again = self.kept_of(begun)
        assert not again, f"done again, although they had ended: {again}"
        assert not (self.is_decided and (LOSER, 1) in begun), "the race had been lost"
        self.done = new
        entries = self.entries()
        self.is_decided = any(isinstance(e, Decided) and e.key == RACE for e in entries)
        # Some of what was there is compacted since.
        self.kept |= {(e.key, e.attempt) for e in entries if isinstance(e, Ended | AttemptFailed)}
        for entry in entries:
            if isinstance(entry, Compacted):
                self.compacted.setdefault(entry.key, Intervals()).update(entry.jobs)
        return came_to

    def kept_of(self, attempts: Set[tuple[str, int]]) -> set[tuple[str, int]]:
        """Those of the attempts that are on disk as ended, by themselves or with the loop around them."""
        return {each for each in attempts if each in self.kept or self._is_compacted(each[0])}

    def _is_compacted(self, path: str) -> bool:
        return any(
            (found := re.match(rf"{re.escape(key)}\[(\d+)\]/", path)) and int(found[1]) in done
            for key, done in self.compacted.items()
        )

    def entries(self) -> list[Entry]:
        """What is on disk of the run."""
        file = self.folder / "runs.db"
        if not file.exists():
            return []
        database = sqlite3.connect(file)
        try:
            rows = database.execute("select kind, key, data from rows order by number").fetchall()
        except sqlite3.OperationalError:  # it was killed before it had made the tables
            return []
        finally:
            database.close()
        decode = Coding({}).decode
        return [entry_of(Row(kind, key.decode(), data), decode) for kind, key, data in rows]

    def check(self, came_to: dict[str, Any]) -> None:
        """It has ended as one that nobody kills, and all that is promised of one that was killed holds."""
        whole = self._killing.whole(self.mode).came_to
        assert came_to["status"] == MODES[self.mode]
        assert came_to.get("output") == whole.get("output")
        assert came_to.get("error") == whole.get("error")
        self._check_attempts()
        self._check_clean_up()
        self._check_world()

    def _check_attempts(self) -> None:
        keys: dict[tuple[str, int], list[str]] = {}
        for said, path, number, key in self.done:
            if said == "begun":
                keys.setdefault((path, number), []).append(key)
        assert max(map(len, keys.values())) <= 1 + self.crashes
        assert all(len(set(each)) == 1 for each in keys.values()), (
            "another key for the same attempt"
        )
        assert len(keys.get(("charged", 1), ())) <= 1, 'it says on-crash="fail"'
        assert set(keys) <= self._killing.whole(self.mode).attempts | {INSTEAD, NEVER}

    def _check_clean_up(self) -> None:
        done = [path for said, path, _, _ in self.done if said == "done"]
        assert {path.split("/")[-1] for path in done} >= CLEANED_UP
        assert ("@on-workflow-error/alarm" in done) is (self.mode == "broken")
        undone = [path for path in dict.fromkeys(done) if path in LAST_UNDONE]
        # Where trio wakes `pay` first, and it fails before `book` is done, there is nothing to be undone.
        assert (f"{BOOKED[0]}/@compensate/unbook" in done) is (BOOKED in self.kept)
        if self.mode == "whole":
            assert not undone
        else:
            assert undone == LAST_UNDONE

    def _check_world(self) -> None:
        database = sqlite3.connect(self.folder / "shop.db")
        for table in ("orders", "log"):
            found = database.execute(f"select id, price from {table} order by id").fetchall()
            assert found == PRICES, table
        database.close()
        assert json.loads((self.folder / "out" / "report.json").read_text())[1:] == [
            "hello Ann",
            23,
        ]
        assert (self.folder / "notes.txt").read_text() == "EUR"
        assert (self.folder / "end.txt").read_text().strip() == "EUR"


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killing]:
    server = Killing(tmp_path_factory.mktemp("killing"))
    yield server
    server.close()


def point(killing: Killing, mode: str, earlier: int = 0) -> dict[str, Any]:
    """Some point at which a process can be killed that has so much less to do."""
    moment = killing.chance.choice(MOMENTS)
    most = killing.whole(mode).came_to[moment] - earlier
    return {"moment": moment, "number": killing.chance.randint(1, max(most, 1))}


def test_it_is_a_document_of_every_element() -> None:
    text = DOCUMENT.read_text()
    assert set(re.findall(r"<([a-z][a-z:-]*)", text)) >= set(ELEMENTS.split())
    assert len(re.findall(r' id="', text)) >= 40
    assert all(
        f" {setting}=" in text for setting in ("wait", "tolerate", "on-timeout", "goto", "on-crash")
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_run_of_every_element_that_is_killed_twice_ends_as_it_must(
    killing: Killing, mode: str
) -> None:
    story = Story(killing, mode)
    assert story.process(moment="after", number=4)["status"] == "killed"
    assert story.process(moment="effect", number=12)["status"] == "killed"
    came_to = story.process()
    story.check(came_to)
    number = len(story.done)
    assert story.process()["status"] == came_to["status"]
    assert len(story.done) == number, "a run that had ended did something"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "moment"), [("whole", "after"), *(("broken", each) for each in MOMENTS)]
)
def test_a_run_that_is_killed_at_every_point_ends_as_it_must(
    killing: Killing, mode: str, moment: str
) -> None:
    total = killing.whole(mode).came_to[moment]
    assert total > 20
    killed = 0
    for number in range(1, total + 1):
        story = Story(killing, mode)
        came_to = story.process(moment=moment, number=number)
        if came_to["status"] == "killed":  # else it has put more into one commit than another run
            killed += 1
            came_to = story.process()
        story.check(came_to)
    assert killed > total * 0.7


@pytest.mark.slow
def test_a_run_that_is_killed_again_while_it_is_resumed_ends_as_it_must(killing: Killing) -> None:
    mode, killed = "broken", 0
    for number in range(1, killing.whole(mode).came_to["after"] + 1):
        story = Story(killing, mode)
        story.process(moment="after", number=number)
        story.process(**point(killing, mode, number))
        killed += story.crashes == 2
        story.check(story.process())
    assert killed > 5


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_run_that_is_killed_at_any_moment_ends_as_it_must(killing: Killing, mode: str) -> None:
    seconds, killed = killing.whole(mode).seconds, 0
    for _ in range(COUNT // 2):
        story = Story(killing, mode)
        for _ in range(2):
            began = time.monotonic()
            if story.process(seconds=killing.chance.uniform(0, seconds))["status"] != "killed":
                seconds = min(
                    seconds, time.monotonic() - began
                )  # the moments are those of its life
        killed += story.crashes
        story.check(story.process())
    assert killed
