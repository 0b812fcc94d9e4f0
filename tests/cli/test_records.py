"""Owns the tests of what the command line keeps of runs, lists and shows."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner, Result

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands

from invoking import call

WELL = '<workflow name="well"><transform type="template" id="t" template="done"/></workflow>'
BROKEN = """<workflow name="broken"><parallel id="p">
<branch><transform type="template" id="a" template="{{ $input.rows.map(3) }}"/></branch>
<branch><delay duration="30s"/></branch>
</parallel></workflow>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "well.xml").write_text(WELL)
    (tmp_path / "broken.xml").write_text(BROKEN)
    return tmp_path


def invoke(*words: Any, **options: Any) -> Result:
    return CliRunner().invoke(commands, list(map(str, words)), **options)


def record(folder: Path, name: str) -> str:
    """Run a document with a record; the record's name."""
    kept = folder / "kept"
    before = set(kept.glob("*")) if kept.exists() else set()
    done = invoke("run", folder / name, "--record", kept, "--input", '{"rows": [1]}')
    assert done.exit_code == (0 if name == "well.xml" else 1), done.output
    (new,) = set(kept.glob("*")) - before
    return new.stem


def test_runs_are_listed_with_what_they_came_to(folder: Path) -> None:
    names = [record(folder, "well.xml"), record(folder, "broken.xml")]
    listed = invoke("runs", folder / "kept").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [[names[0], "completed"], [names[1], "failed"]]
    assert [line.split()[-1] for line in listed] == ["well", "broken"]
    told = json.loads(invoke("runs", folder / "kept", "--json").stdout)
    assert [(run["name"], run["status"]) for run in told] == [
        ("well", "completed"),
        ("broken", "failed"),
    ]
    assert all(run["duration"] >= 0 for run in told)


def test_a_run_is_shown_with_its_failure_and_what_that_cancelled(folder: Path) -> None:
    name = record(folder, "broken.xml")
    shown = invoke("show", name, "--record", folder / "kept")
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("run ")
    assert "broken.xml" in lines[0]
    failed = next(line for line in lines if "a <transform>" in line)
    assert "✗" in failed
    assert "EvaluationError" in failed
    cancelled = next(line for line in lines if "<delay>" in line)
    assert "⊘" in cancelled
    assert "p/0 failed: EvaluationError" in cancelled
    assert sum("EvaluationError: " in line for line in lines) == 2  # at the top, and where it arose
    assert lines[1].startswith("EvaluationError: ")
    assert "node 'a'" in shown.stdout


def test_a_run_is_named_by_its_file_its_beginning_or_its_id(folder: Path) -> None:
    name = record(folder, "well.xml")
    kept = folder / "kept"
    ways = [
        ("show", kept / f"{name}.jsonl"),
        ("show", name[:10], "--record", kept),
        ("show", name.split("-")[-1], "--record", kept),
    ]
    shown = {invoke(*way).stdout for way in ways}
    assert len(shown) == 1
    by_environment = invoke("show", name, env={"FLOWSCRIPT_RECORD": str(kept)})
    assert shown == {by_environment.stdout}


def test_a_run_that_is_not_there_is_refused_with_the_nearest_name(folder: Path) -> None:
    name = record(folder, "well.xml")
    kept = folder / "kept"
    near = invoke("show", name[:-1] + "zz", "--record", kept)
    assert near.exit_code == 2
    assert f"did you mean {name!r}" in near.stderr
    assert "give the folder" in invoke("show", "nothing").stderr
    record(folder, "well.xml")
    assert "the beginning of 2 runs" in invoke("show", name[:4], "--record", kept).stderr


def test_a_record_that_was_cut_off_says_so(folder: Path) -> None:
    name = record(folder, "broken.xml")
    path = folder / "kept" / f"{name}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:9])
    assert "not ended" in invoke("runs", folder / "kept").stdout
    shown = invoke("show", path).stdout
    assert "the record ends here" in shown
    assert "●" in shown


def test_a_file_that_is_no_record_is_listed_as_that_and_not_shown(folder: Path) -> None:
    (folder / "other.jsonl").write_text("{}\n")
    assert "unreadable" in invoke("runs", folder).stdout
    shown = invoke("show", folder / "other.jsonl")
    assert isinstance(shown.exception, Exception)
    assert "other.jsonl:1" in str(shown.exception)


def test_the_record_as_json_is_its_lines(folder: Path) -> None:
    name = record(folder, "well.xml")
    path = folder / "kept" / f"{name}.jsonl"
    told = json.loads(invoke("show", path, "--json").stdout)
    assert told == [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("log", ["tree", "lines", "json"])
@pytest.mark.parametrize("name", ["well.xml", "broken.xml"])
def test_standard_output_is_the_output_whatever_is_logged(
    log: str, name: str, folder: Path
) -> None:
    done = invoke("run", folder / name, "--log", log, "--input", '{"rows": [1]}')
    assert done.stdout == ('"done"\n' if name == "well.xml" else "")
    assert done.stderr


@pytest.mark.parametrize("name", ["well.xml", "broken.xml"])
def test_a_log_for_machines_is_json_line_by_line(name: str, folder: Path) -> None:
    done = invoke("run", folder / name, "--log", "json", "--input", '{"rows": [1]}')
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert entries[0]["event"] == "run-started"
    assert entries[-1]["event"] == "run-ended"
    assert entries[-1]["status"] == ("completed" if name == "well.xml" else "failed")


def test_a_folder_that_cannot_be_made_is_refused_before_anything_runs(folder: Path) -> None:
    (folder / "file").write_text("")
    done = invoke("run", folder / "well.xml", "--record", folder / "file" / "kept")
    assert done.exit_code == 2
    assert "--record" in done.stderr
    assert done.stdout == ""


SUSPENDED = """<workflow name="w"><transform:template id="t" template="x"/>
  <checkpoint id="approve" prompt="Go?"/></workflow>"""


def test_show_draws_the_nodes_of_a_run_that_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the record of its process, and by its store."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.xml").write_text(SUSPENDED)
    given = (
        "--store",
        "runs.db",
        "--run-id",
        "x",
        "--suspend-after",
        "10ms",
        "--record",
        "kept",
        "-q",
    )
    call("run", "w.xml", *given, code=3)
    (record,) = (tmp_path / "kept").iterdir()
    kept = call("show", str(record)).stdout
    assert "○ w " in kept
    assert "○ approve <checkpoint>" in kept
    stored = call("show", "x", "--store", "runs.db").stdout
    assert stored.startswith("run x of w: suspended\n")
    assert "flowscript answer x approve ACTION" in stored
    assert "○ w " in stored
    assert "✓ t <transform:template>" in stored
    assert "● approve <checkpoint>" in stored
    facts = json.loads(call("show", "x", "--store", "runs.db", "--json").stdout)
    ended = [each["path"] for each in facts["events"] if each["event"] == "node-ended"]
    assert (facts["status"], ended) == ("suspended", ["t"])


def test_show_says_the_state_of_a_run_whose_nodes_cannot_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:ours")(ours)
    flow = fs.loads('<workflow name="w"><source:ours id="o"/></workflow>', registry=registry)
    trio.run(partial(fs.run, flow, store=fs.Store("runs.db"), run_id="x", registry=registry))
    shown = call("show", "x", "--store", "runs.db")
    assert shown.stdout.startswith("run x of w: completed\n")
    assert shown.stderr.startswith("Warning: what happened in the run cannot be shown: ")
    assert "source:ours" in shown.stderr


async def ours(params: fs.ExecutionParams) -> int:
    return 1
