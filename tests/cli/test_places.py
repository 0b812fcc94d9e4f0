from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import flowscript_trio as fs
from flowscript_trio.cli.commands import commands
from flowscript_trio.cli.placing import read_places
from flowscript_trio.placement.cluster import Dask
from flowscript_trio.placement.process import Process
from flowscript_trio.placement.thread import Thread

WORKFLOW = (
    '<workflow name="w"><transform:map id="a" input="{{$input}}" expression="item * 2" place="gpu"/>'
    "</workflow>"
)


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    file = folder / "w.xml"
    file.write_text(WORKFLOW)
    done = CliRunner().invoke(commands, ["run", str(file), "--input", "[1, 2]", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_place_is_told_by_its_name_and_an_address() -> None:
    found = read_places(("gpu=tcp://127.0.0.1:8786", "a=thread", "b=process"))
    assert list(map(type, found.values())) == [Dask, Thread, Process]
    assert read_places(()) == {}


def test_a_workflow_runs_at_a_place_that_the_command_line_gives(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "--place", "gpu=thread")
    assert (code, out.split()) == (0, ["[", "2,", "4", "]"])
    assert "on thread" in err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "there is no place 'gpu'"),
        (("--place", "gpu"), "is not NAME=ADDRESS"),
        (("--place", "gpu=somewhere"), "tcp://host:port, or thread, process or cluster"),
    ],
)
def test_a_place_that_is_not_told_or_told_wrongly_is_a_wrong_use(
    given: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    code, _, err = run(tmp_path, *given)
    assert code == 2
    assert said in err


def test_a_dry_run_checks_places(tmp_path: Path) -> None:
    file = tmp_path / "w.xml"
    file.write_text(WORKFLOW)
    done = CliRunner().invoke(commands, ["run", str(file), "--dry-run"])
    assert isinstance(done.exception, fs.InputError)
    assert "there is no place 'gpu'" in str(done.exception)
