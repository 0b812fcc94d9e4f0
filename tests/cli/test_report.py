"""Owns the tests of reports on the command line: of a run as it ends, and of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowscript_trio.cli.commands import commands

BROKEN = """<workflow name="broken"><parallel id="p">
<branch><transform type="template" id="a" template="{{ $input.rows.map(3) }}"/></branch>
<branch><delay duration="30s"/></branch>
</parallel></workflow>"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "broken.xml"
    path.write_text(BROKEN)
    return path


def invoke(*words: Any) -> Result:
    return CliRunner().invoke(commands, list(map(str, words)))


def test_a_run_that_fails_leaves_its_report_with_its_graph(file: Path) -> None:
    page = file.with_name("out.html")
    done = invoke("run", file, "--report", page, "--input", '{"rows": [1]}', "-q")
    assert done.exit_code == 1
    assert done.stdout == ""
    text = page.read_text()
    assert "<title>broken: failed</title>" in text
    assert '"p/0 failed: EvaluationError"' in text
    assert "control:parallel · line 1" in text


def test_a_report_of_a_record_is_that_of_the_run(file: Path) -> None:
    page, later, kept = (file.with_name(name) for name in ("out.html", "later.html", "kept"))
    invoke("run", file, "--report", page, "--record", kept, "--input", '{"rows": [1]}', "-q")
    (record,) = kept.iterdir()
    done = invoke("report", record, "--output", later, "--workflow", file)
    assert done.exit_code == 0, done.output
    data = '<script id="data"'
    at_once, afterwards = (path.read_text() for path in (page, later))
    assert afterwards.partition(data)[0] == at_once.partition(data)[0]
    done = invoke("report", record.stem[:8], "--record", kept, "--output", later)
    assert done.exit_code == 0
    assert "control:parallel · line" not in later.read_text()


def test_a_run_that_does_not_begin_leaves_none(file: Path) -> None:
    page = file.with_name("out.html")
    done = invoke("run", file, "--report", page, "--max-concurrency", "0")
    assert done.exit_code == 2
    assert not page.exists()


def test_a_page_that_cannot_be_written_is_said(file: Path) -> None:
    page = file.with_name("missing") / "out.html"
    done = invoke("run", file, "--report", page, "--input", '{"rows": [1]}', "-q")
    assert done.exit_code == 2
    assert "--report" in done.stderr
    assert "No such file" in done.stderr


@pytest.mark.parametrize("begin", ["run", "submit"])
def test_a_report_of_a_run_of_a_store_is_that_of_the_run(file: Path, begin: str) -> None:
    page, later, kept = (file.with_name(name) for name in ("out.html", "later.html", "runs.db"))
    given = ("--store", kept, "--run-id", "x", "--input", '{"rows": [1]}')
    if begin == "run":
        invoke("run", file, "--report", page, *given, "-q")
    else:
        invoke("submit", file, *given)
    file.unlink()  # the store has the document
    done = invoke("report", "x", "--store", kept, "--output", later)
    assert done.exit_code == 0, done.output
    text = later.read_text()
    if begin == "submit":
        assert "<title>broken: running</title>" in text
        return
    data = '<script id="data"'
    assert text.partition(data)[0] == page.read_text().partition(data)[0]
    assert '"p/0 failed: EvaluationError"' in text
    assert "control:parallel · line 1" in text


def test_a_report_of_a_run_that_is_not_in_the_store_names_the_nearest(file: Path) -> None:
    kept = file.with_name("runs.db")
    invoke("run", file, "--store", kept, "--run-id", "nightly", "--input", '{"rows": [1]}', "-q")
    done = invoke("report", "nightyl", "--store", kept, "--output", file.with_name("out.html"))
    assert done.exit_code == 2
    assert "did you mean 'nightly'?" in done.output
    assert not file.with_name("out.html").exists()


@pytest.mark.parametrize("command", [["show"], ["report", "-o", "out.html"]])
@pytest.mark.parametrize("option", ["--secret", "--store-key"])
def test_what_is_of_a_store_alone_is_refused_without_one(command: list[str], option: str) -> None:
    done = invoke(*command, "x", option, "KEY")
    assert done.exit_code == 2
    assert "are of a run of a --store" in done.output
