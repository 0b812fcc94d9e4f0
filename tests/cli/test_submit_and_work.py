"""Owns the tests of ``flowscript submit`` and ``flowscript work``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from invoking import call

FLOW = """<workflow name="w"><param name="n" type="number" default="0"/>
  <source:file id="a" path="input.txt" format="text"/>
  <transform:template id="t" template="{{a}} {{$config.n}} {{$input}}"/></workflow>"""
LONG = """<workflow name="long"><source:file id="a" path="input.txt" format="text"/>
  <delay id="d" input="a" duration="60s"/><finally><sink:file id="clean" input="a" path="clean.txt" format="text"/>
  </finally></workflow>"""
FLOWSCRIPT = [sys.executable, "-c", "from flowscript_trio.cli import main; main()"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.xml").write_text(FLOW)
    (tmp_path / "long.xml").write_text(LONG)
    (tmp_path / "input.txt").write_text("read")
    return tmp_path


def states() -> dict[str, str]:
    listed = json.loads(call("runs", "--store", "runs.db", "--json").stdout)
    return {run["run"]: run["status"] for run in listed}


def test_a_submitted_run_is_run_by_a_worker_and_its_outcome_can_be_fetched(folder: Path) -> None:
    done = call("submit", "w.xml", "--store", "runs.db", "--run-id", "x", "-c", "n=2", "-i", '"in"')
    assert done.stdout == "x\n"
    assert states() == {"x": "queued"}
    worked = call("work", "--store", "runs.db", "--until-empty")
    assert worked.stdout == ""
    begun, completed = worked.stderr.splitlines()
    assert begun == "begun        x of w"
    assert completed.startswith("completed    x of w (")
    assert states() == {"x": "completed"}
    got = call("resume", "x", "--store", "runs.db", "-q")
    assert json.loads(got.stdout) == "read 2 in"


def test_an_id_is_made_where_none_is_given(folder: Path) -> None:
    ids = [call("submit", "w.xml", "--store", "runs.db").stdout.strip() for _ in range(2)]
    assert sorted(states()) == sorted(set(ids))


def test_what_does_not_fit_is_refused_when_it_is_submitted(folder: Path) -> None:
    (folder / "typed.xml").write_text(FLOW.replace('default="0"', 'required="true"'))
    refused = call("submit", "typed.xml", "--store", "runs.db", code=2)
    assert "'n' is missing" in refused.stderr
    (folder / "bad.xml").write_text("<workflow name='w'><nothing/></workflow>")
    call("submit", "bad.xml", "--store", "runs.db", code=2)
    assert not (folder / "runs.db").exists()
    call("submit", "w.xml", "--store", "runs.db", "--run-id", "x")
    other = call("submit", "w.xml", "--store", "runs.db", "--run-id", "x", "-c", "n=3", code=2)
    assert "with another document, input or config" in other.stderr


def test_a_store_is_needed(folder: Path) -> None:
    assert "--store" in call("submit", "w.xml", code=2).stderr
    assert "--store" in call("work", code=2).stderr
    assert "not a time" in call("work", "--store", "runs.db", "--every", "0s", code=2).stderr
    assert "URL of 'mysql'" in call("work", "--store", "mysql://x", code=2).stderr


def test_secrets_are_those_of_the_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "s.xml").write_text(
        '<workflow name="s"><secret name="TOKEN"/>'
        '<transform:template id="t" template="{{$secrets.TOKEN}}"/></workflow>'
    )
    monkeypatch.delenv("TOKEN", raising=False)
    call("submit", "s.xml", "--store", "runs.db", "--run-id", "x", "--secret", "MORE")
    over = call("work", "--store", "runs.db", "--until-empty").stderr
    assert over == (
        "passed over  x of s: the run was given secrets that are missing now: MORE, TOKEN\n"
    )
    assert states() == {"x": "queued"}
    monkeypatch.setenv("TOKEN", "s3cr3t-of-the-worker")
    monkeypatch.setenv("MORE", "more-of-the-worker")
    call("work", "--store", "runs.db", "--until-empty", "-q")
    assert states() == {"x": "completed"}
    kept = b"".join(path.read_bytes() for path in folder.glob("runs.db*"))
    assert b"s3cr3t-of-the-worker" not in kept


def test_what_becomes_of_runs_can_be_read_by_programs(folder: Path) -> None:
    (folder / "fails.xml").write_text(
        '<workflow name="f"><source:file id="a" path="none.txt" format="text"/></workflow>'
    )
    call("submit", "fails.xml", "--store", "runs.db", "--run-id", "x")
    said = call("work", "--store", "runs.db", "--until-empty", "--log", "json").stderr
    begun, failed = map(json.loads, said.splitlines())
    assert begun == {"event": "begun", "run": "x", "name": "f"}
    assert failed["event"] == "failed"
    assert "none.txt" in failed["reason"]
    assert failed["seconds"] >= 0


def test_each_run_of_a_worker_may_be_recorded(folder: Path) -> None:
    for name in "xy":
        call("submit", "w.xml", "--store", "runs.db", "--run-id", name)
    call("work", "--store", "runs.db", "--until-empty", "--record", "records")
    assert len(list((folder / "records").glob("*.jsonl"))) == 2


def test_a_folder_that_cannot_be_made_is_said_before_anything_runs(folder: Path) -> None:
    call("submit", "w.xml", "--store", "runs.db", "--run-id", "x")
    said = call("work", "--store", "runs.db", "--record", "input.txt/records", code=2).stderr
    assert "--record input.txt/records: Not a directory" in said
    assert states() == {"x": "queued"}


def test_a_store_that_cannot_be_used_ends_the_worker(folder: Path) -> None:
    (folder / "runs.db").write_bytes(b"no database" * 1000)
    failed = call("work", "--store", "runs.db", code=1)
    assert failed.stderr.startswith("Error: ")
    assert "runs.db" in failed.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_worker_which_leaves_its_runs(folder: Path, number: int) -> None:
    call("submit", "long.xml", "--store", "runs.db", "--run-id", "x")
    worker = subprocess.Popen(
        [*FLOWSCRIPT, "work", "--store", "runs.db"], stderr=subprocess.PIPE, text=True
    )
    assert worker.stderr is not None
    assert worker.stderr.readline() == "begun        x of long\n"
    while json.loads(call("show", "x", "--store", "runs.db", "--json").stdout)["entries"] < 3:
        time.sleep(0.01)  # until the delay waits, in the other process
    worker.send_signal(number)
    with worker.stderr:
        assert worker.stderr.read().startswith("left         x of long (")
    assert worker.wait() == 0
    assert states() == {"x": "orphaned"}
    assert not (folder / "clean.txt").exists()


def test_a_node_that_workers_left_has_killed_none_of_them(folder: Path) -> None:
    (folder / "waiting.py").write_text(
        "import os, trio, flowscript_trio as fs\n"
        "@fs.runtime('source:waits')\n"
        "async def waits(params):\n    print('at work', flush=True)\n"
        "    await (trio.lowlevel.checkpoint if os.path.exists('go') else trio.sleep_forever)()\n"
    )
    (folder / "b.xml").write_text('<workflow name="b"><source:waits id="b"/></workflow>')
    call_with = [*FLOWSCRIPT, "--runtimes", "waiting"]
    subprocess.run(
        [*call_with, "submit", "b.xml", "--store", "runs.db", "--run-id", "x"], check=True
    )
    work = [*call_with, "work", "--store", "runs.db", "-q", "--until-empty", "--max-crashes", "1"]
    for number in (signal.SIGTERM, signal.SIGINT):
        worker = subprocess.Popen(work, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        with worker.stdout:
            assert worker.stdout.readline() == "at work\n"
            worker.send_signal(number)
            assert worker.wait() == 0
        assert states() == {"x": "orphaned"}
    (folder / "go").touch()
    subprocess.run(work, check=True, stdout=subprocess.DEVNULL)
    assert states() == {"x": "completed"}


def test_a_second_signal_kills_a_worker_that_is_leaving(folder: Path) -> None:
    (folder / "blocking.py").write_text(
        "import time, trio, flowscript_trio as fs\n"
        "@fs.runtime('source:block')\n"
        "async def block(params):\n    print('blocking', flush=True)\n"
        "    await trio.to_thread.run_sync(time.sleep, 60)\n"
    )
    (folder / "b.xml").write_text('<workflow name="b"><source:block id="b"/></workflow>')
    call_with = [*FLOWSCRIPT, "--runtimes", "blocking"]
    subprocess.run(
        [*call_with, "submit", "b.xml", "--store", "runs.db", "--run-id", "x"], check=True
    )
    worker = subprocess.Popen(
        [*call_with, "work", "--store", "runs.db", "-q"], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == "blocking\n"
        worker.send_signal(signal.SIGTERM)
        while _catches(worker.pid, signal.SIGTERM):
            time.sleep(0.01)  # until the first signal is heard, in the other process
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == -signal.SIGTERM
    assert states() == {"x": "orphaned"}
    options = ["--until-empty", "--max-crashes", "1"]
    again = subprocess.run(
        [*call_with, "work", "--store", "runs.db", *options], stderr=subprocess.PIPE, check=True
    )
    assert b"Interrupted" in again.stderr.splitlines()[-1]
    assert states() == {"x": "failed"}


def _catches(process: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{process}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)
