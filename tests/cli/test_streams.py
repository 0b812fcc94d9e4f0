from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from rich.console import Console

import flowscript_trio as fs
from flowscript_trio.cli.console import PlainLines, is_lively, show
from flowscript_trio.cli.tables import draw
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types.events import RunStarted, RunWarning
from flowscript_trio.types.printing import printable

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def flow_file(tmp_path: Path) -> Path:
    path = tmp_path / "flow.xml"
    path.write_text(
        '<workflow name="w"><transform type="map" id="m" expression="item"/></workflow>'
    )
    return path


@pytest.mark.parametrize(
    ("variables", "lively"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": ""}, False),
        ({}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_the_tree_is_live_only_on_a_terminal_that_can_redraw(
    variables: dict[str, str], lively: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_lively(Terminal()) is lively
    assert not is_lively(io.StringIO())


async def test_quiet_shows_nothing_of_a_run() -> None:
    async with show("nothing") as view:
        assert view.observers == ()


def test_a_reader_who_goes_away_does_not_make_the_run_fail(tmp_path: Path) -> None:
    path = tmp_path / "flow.xml"
    path.write_text(
        '<workflow name="w"><foreach id="each" collection="range(40)">'
        '<delay id="d" duration="5ms"/></foreach>'
        '<transform type="template" id="t" template="done" after="each"/></workflow>'
    )
    with subprocess.Popen(
        [*FLOWSCRIPT, "run", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        process.stderr.readline()
        process.stderr.close()
        assert json.loads(process.stdout.read()) == "done"
        assert process.wait(30) == 0


def test_an_output_that_nobody_reads_ends_without_a_traceback(flow_file: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*FLOWSCRIPT, "run", str(flow_file), "-q", "--input", "[1, 2]"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: the workflow completed, and its output could not be written"
    )
    assert "Traceback" not in done.stderr


def test_the_output_is_utf_8_whatever_the_locale_says(flow_file: Path) -> None:
    done = subprocess.run(
        [*FLOWSCRIPT, "run", str(flow_file), "-q", "--input", '["é"]'],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert json.loads(done.stdout.decode("utf-8")) == ["é"]
    assert "é".encode() in done.stdout


def test_control_characters_are_made_visible() -> None:
    assert printable("a\x1b[31mb\x07\tc\nd é") == "a\\x1b[31mb\\x07\tc\nd é"


async def test_a_picture_has_the_runs_warnings_and_no_escape_of_theirs() -> None:
    now = trio.current_time()
    tree = RunTree(now)
    tree(RunStarted(time=now, path="", run_id="1", name="w"))
    tree(RunWarning(time=now, path="a", message="odd \x1b[2J"))
    stream = io.StringIO()
    Console(file=stream, width=80).print(draw(tree, now + 1, 10))
    assert stream.getvalue() == "● w  1.00 s\nwarning: odd \\x1b[2J\n"


async def test_plain_lines_begin_with_the_seconds_since_the_start() -> None:
    stream = io.StringIO()
    lines = PlainLines(stream)
    lines(RunStarted(time=100.0, path="", run_id="1", name="w"))
    lines(RunWarning(time=100.25, path="a", message="odd"))
    assert stream.getvalue() == "   0.250  warning    odd\n"


async def test_lines_say_that_a_fallback_stood_in_and_for_what() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:broken")
    async def broken(params: fs.ExecutionParams) -> None:
        raise ConnectionError("gone")

    flow = fs.loads(
        """<workflow name="w"><source:broken id="a"><on-error><fallback node="b"/></on-error></source:broken>
        <transform:template id="b" template="kept"/></workflow>""",
        registry=registry,
    )
    stream = io.StringIO()
    await fs.run(flow, observers=[PlainLines(stream)])
    (line,) = (line for line in stream.getvalue().splitlines() if "success    a " in line)
    assert line.endswith(" by its fallback after ConnectionError")


def test_starting_a_command_imports_only_what_it_needs() -> None:
    code = (
        "import sys; sys.argv = ['flowscript', 'validate', '--help']\n"
        "from flowscript_trio.cli import main\n"
        "try: main()\n"
        "except SystemExit as exc: assert exc.code == 0\n"
        "sys.exit(bool({'rich', 'httpx', 'h11'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )
