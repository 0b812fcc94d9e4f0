"""Owns tests of the standard streams of commands: closed, full or not there, there is a word on what is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowscript_trio.cli import standard

FLOWSCRIPT = f"{sys.executable} -m flowscript_trio"
ECHO = '<workflow name="w"><transform:template id="t" template="{{input}}"/></workflow>'
COMMANDS = [
    "run a.xml --input 1",
    "run a.xml -q --input 1",
    "validate --json a.xml",
    "validate a.xml",
    "inspect a.xml",
    "graph a.xml",
    "fmt a.xml",
    "--help",
    "--version",
    "run missing.xml",
]
EACH = [COMMANDS[0], *(pytest.param(other, marks=pytest.mark.slow) for other in COMMANDS[1:])]
"""The commands as arguments of a test: each starts a process of its own."""
ONLY_FOR_PEOPLE = {"validate a.xml", "run missing.xml"}
"""Commands that write nothing to standard output."""


def shell(folder: Path, command: str, redirected: str = "") -> tuple[int, str, str]:
    """The status of a command, and what came to standard output and standard error."""
    (folder / "a.xml").write_text(ECHO)
    done = subprocess.run(
        ["/bin/sh", "-c", f"{FLOWSCRIPT} {command} {redirected}"],
        cwd=folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="it needs a shell and a device that is full"
)


@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
@pytest.mark.parametrize("command", EACH)
def test_output_that_is_lost_is_an_error_that_says_so(
    command: str, redirected: str, tmp_path: Path
) -> None:
    status, _, told = shell(tmp_path, command, redirected)
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    if command in ONLY_FOR_PEOPLE:
        assert status == (2 if "missing" in command else 0)
        return
    assert status == 1
    reason = "it is closed" if "&" in redirected else "No space left on device"
    assert (
        f"could not be written{' to standard output' if 'run' in command else ''}: {reason}" in told
    )
    if command.startswith("run"):
        assert "the workflow completed, and its output could not be written" in told


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize("command", EACH)
def test_nobody_who_listens_changes_nothing_of_the_output(
    command: str, redirected: str, tmp_path: Path
) -> None:
    plain = shell(tmp_path, command, "2>/dev/null")
    assert shell(tmp_path, command, redirected) == plain


@pytest.mark.parametrize("redirected", ["<&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_no_stream_at_all_leaves_a_status(redirected: str, tmp_path: Path) -> None:
    status, output, told = shell(tmp_path, "run a.xml --input 1", redirected)
    assert status == (0 if redirected == "<&-" else 1)
    assert "Traceback" not in told
    assert output == ("1\n" if redirected == "<&-" else "")


def test_a_file_that_a_workflow_writes_never_becomes_standard_output(tmp_path: Path) -> None:
    """A closed descriptor is the next one that is opened."""
    (tmp_path / "b.xml").write_text(
        '<workflow name="w"><sink:file id="k" path="out.txt" format="text"/></workflow>'
    )
    shell(tmp_path, "run b.xml --input '\"x\"' --record .", ">&-")
    assert (tmp_path / "out.txt").read_text() == "x"


@pytest.mark.parametrize("text", ['"\\ud83d"', '{"a\\udc00": ["\\ud83dx"]}'])
def test_half_of_a_surrogate_pair_is_an_escape_of_json(text: str, tmp_path: Path) -> None:
    status, output, _ = shell(tmp_path, f"run a.xml -q --input '{text}'")
    assert status == 0
    assert json.loads(output) == json.loads(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_input_files_may_have_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes('{"a": "é"}'.encode(encoding))
    status, output, _ = shell(tmp_path, "run a.xml -q --input @in.json")
    assert (status, json.loads(output)) == (0, {"a": "é"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'"\xff"', r"--input @in.json: not UTF-8 text (byte 1)"),
        (b"{", "in.json is not JSON"),
        (b"[" * 100_000, "it nests too deeply"),
        (b"NaN", "NaN is not a JSON number: line 1 column 1"),
    ],
)
def test_input_that_cannot_be_read_is_an_error(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_bytes(data)
    status, _, told = shell(tmp_path, "run a.xml --input @in.json")
    assert status == 2
    assert message in told


@pytest.mark.parametrize("option", ["--input", "--config"])
def test_bytes_that_are_not_text_are_no_argument(option: str, tmp_path: Path) -> None:
    status, output, told = shell(tmp_path, f"""run a.xml -q {option} "$(printf 'a="\\377"')" """)
    assert (status, output) == (2, "")
    assert f"{option}: not UTF-8 text (character 4)" in told


def test_input_and_documents_come_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("[1]")
    assert json.loads(shell(tmp_path, "run a.xml -q --input @-", "<in.json")[1]) == [1]
    assert json.loads(shell(tmp_path, "run - -q --input 2", "<a.xml")[1]) == 2
    assert shell(tmp_path, "validate -", "<a.xml")[::2] == (0, "valid\n")
    (tmp_path / "bad.xml").write_text("<workflow")
    status, _, told = shell(tmp_path, "run -", "<bad.xml")
    assert status == 2
    assert "<stdin>:1" in told


@pytest.mark.parametrize("command", ["run a.xml --input @-", "run -", "fmt -"])
def test_what_is_to_come_from_a_closed_standard_input_is_an_error(
    command: str, tmp_path: Path
) -> None:
    status, _, told = shell(tmp_path, command, "<&-")
    assert status == 2
    assert "standard input is closed" in told


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    status, output, told = shell(tmp_path, "run - -q --input @-", "<a.xml")
    assert (status, output) == (2, "")
    assert "--input @-: standard input was read for the document already" in told
    assert "expected a file for one of them" in told


def test_documents_beside_standard_input_are_found_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "whole.xml").write_text(
        '<workflow name="w"><call id="c" workflow="part.xml"/></workflow>'
    )
    (tmp_path / "part.xml").write_text('<workflow name="p"><set var="x" value="7"/></workflow>')
    assert json.loads(shell(tmp_path, "run - -q", "<whole.xml")[1]) == 7


def test_what_an_interrupt_cuts_short_is_not_written_twice() -> None:
    reader, writer = os.pipe()

    class Interrupted(standard._Errors):
        """Interrupted when the words are out, and nobody knows of it yet."""

        def write(self, data: Any, /) -> int:
            super().write(data)
            raise KeyboardInterrupt

    raw = Interrupted(writer, "wb")
    stream = standard._text(raw, None, "strict")
    with pytest.raises(KeyboardInterrupt):
        stream.write("once\n")
    stream.detach()  # type: ignore[attr-defined]
    raw.close()
    with open(reader, "rb") as said:
        assert said.read() == b"once\n"
