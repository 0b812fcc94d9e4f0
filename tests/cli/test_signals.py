"""SIGTERM and SIGHUP end commands as Ctrl-C does: clean-up and files are complete."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from flowscript_trio.journal.store import Store

from invoking import unmeasured

FLOWSCRIPT = [sys.executable, "-c", "from flowscript_trio.cli import main; main()"]
WAITS = """<workflow name="w">
  <delay id="d" duration="60s"/>
  <transform:template id="t" after="d" template="done"/>
  <finally>
    <transform:template id="x" template="cleaned"/><sink:file id="s" input="x" path="cleaned.txt" format="text"/>
  </finally>
</workflow>"""
STATUS = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGINT: 130}
WORD = {signal.SIGTERM: "terminated", signal.SIGHUP: "hung up", signal.SIGINT: "interrupted"}

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="it is POSIX's")


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is killed if it does not end by itself; its test fails then."""
    with subprocess.Popen(
        [*FLOWSCRIPT, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()


def run_files(folder: Path) -> None:
    (folder / "w.xml").write_text(WAITS)
    (folder / "quick.xml").write_text('<workflow name="q"><delay id="d" duration="9s"/></workflow>')
    cases = "".join(f"  case {number}:\n    duration: 9s\n" for number in range(40))
    (folder / "quick.test.yaml").write_text(f"cases:\n{cases}")


RUN = ("run", "w.xml", "--record", "rec", "--trace", "trace.json", "--report", "report.html")


@pytest.mark.slow
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_at_any_moment_of_a_run_its_clean_up_and_its_files_are_complete(
    number: signal.Signals, tmp_path: Path
) -> None:
    chance = random.Random(number)
    for turn in range(10):
        folder = tmp_path / str(turn)
        folder.mkdir()
        run_files(folder)
        with started(folder, *RUN) as process:
            assert process.stderr is not None
            while "start" not in process.stderr.readline():
                pass  # it has warnings of the document to tell before
            time.sleep(chance.random() * 0.1)  # a moment of another process, in real time
            process.send_signal(number)
            _, err = process.communicate()
        assert (process.returncode, "Traceback" in err) == (STATUS[number], False), err
        assert WORD[number] in err
        called = "KeyboardInterrupt" if number is signal.SIGINT else number.name
        assert called in err
        assert (folder / "cleaned.txt").read_text() == "cleaned"
        [record] = (folder / "rec").iterdir()
        entries = [json.loads(line) for line in record.read_text().splitlines()]
        assert (entries[-1]["event"], entries[-1]["status"]) == ("run-ended", "cancelled")
        reasons = {entry["cancelled_by"]["reason"] for entry in entries if "cancelled_by" in entry}
        assert reasons == {f"cancelled from outside: {called}"}
        assert json.loads((folder / "trace.json").read_text())["traceEvents"]
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")
        assert [path.name for path in folder.rglob("*") if ".part" in path.name] == []


@pytest.mark.slow
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_durable_run_is_cancelled_and_not_left(number: signal.Signals, tmp_path: Path) -> None:
    run_files(tmp_path)
    with started(tmp_path, "run", "w.xml", "--store", "runs.db", "--run-id", "r") as process:
        assert process.stderr is not None
        while "start" not in process.stderr.readline():
            pass
        process.send_signal(number)
        process.communicate()
    assert process.returncode == STATUS[number]
    assert (tmp_path / "cleaned.txt").read_text() == "cleaned"
    run = trio.run(Store(tmp_path / "runs.db").show, "r")
    assert (run.state, run.orphaned) == ("cancelled", False)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "arguments", [("demo",), ("run", "w.xml"), ("validate", "w.xml"), ("test", "quick.xml")]
)
def test_at_any_moment_of_a_process_nothing_but_a_word_is_left(
    number: signal.Signals, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    run_files(tmp_path)
    chance = random.Random(number)
    for _ in range(5):
        with started(tmp_path, *arguments) as process:
            time.sleep(0.15 + chance.random() * 0.6)  # while it imports, reads, or runs
            process.send_signal(number)
            _, err = process.communicate()
        # Before our own code begins, and when it has ended, the signal finds the interpreter alone.
        assert process.returncode in (0, -number, STATUS[number]), err
        assert "Traceback" not in err


@pytest.mark.slow
def test_a_second_signal_does_what_a_second_ctrl_c_does(tmp_path: Path) -> None:
    slow = WAITS.replace("<finally>", '<finally timeout="50s"><delay duration="40s"/>')
    (tmp_path / "w.xml").write_text(slow)
    ended: dict[signal.Signals, tuple[int, bool]] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        with started(tmp_path, "run", "w.xml") as process:
            assert process.stderr is not None
            while "start" not in process.stderr.readline():
                pass
            process.send_signal(number)
            while "@finally" not in process.stderr.readline():
                pass
            process.send_signal(number)
            begun = time.monotonic()
            _, err = process.communicate()
        ended[number] = (process.returncode - STATUS[number], time.monotonic() - begun < 20)
        assert "Traceback" not in err
    assert ended[signal.SIGTERM] == ended[signal.SIGINT]


@pytest.mark.slow
def test_signals_that_were_ignored_by_who_started_it_stay_ignored(tmp_path: Path) -> None:
    """As under ``nohup``: SIGHUP is not for it, and SIGTERM ends it all the same."""
    run_files(tmp_path)
    starter = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter, *FLOWSCRIPT[1:], "run", "w.xml"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        timer = threading.Timer(60, process.kill)
        timer.start()
        assert process.stderr is not None
        while "start" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        timer.cancel()
    assert process.returncode == 143, err
    assert (tmp_path / "cleaned.txt").exists()


SWALLOWED = """
import os, signal, weakref
from flowscript_trio.cli.signals import take_signals, was_asked_to_end
class Kept: pass
take_signals()
kept = Kept()
reference = weakref.ref(kept, lambda _: os.kill(os.getpid(), signal.SIGTERM))
del kept
assert was_asked_to_end()
class Broken:
    def __del__(self): raise ValueError("not a signal")
Broken()
"""


def test_a_signal_that_a_callback_swallows_is_not_reported_beside_what_the_command_says() -> None:
    command = [sys.executable, "-c", SWALLOWED]
    ended = subprocess.run(command, capture_output=True, text=True, env=unmeasured())
    assert ended.returncode == 0
    assert "KeyboardInterrupt" not in ended.stderr
    assert "ValueError: not a signal" in ended.stderr
