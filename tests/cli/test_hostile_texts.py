"""Owns the proof that no text of a stranger steers who reads it: a terminal, a reader of log lines, a browser."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pyte
import pytest

from flowscript_trio.cli.commands import commands
from flowscript_trio.types.printing import json_on_lines

pytestmark = pytest.mark.slow

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
ATTACK = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x9d0;owned\x9c\u202e\u2066\x85\u2028\u2029\x7f[red]x[/red]"
STEERING = set("\x07\x1b\x7f\x85\u2028\u2029\u202e\u2066") | {
    chr(code) for code in range(0x80, 0xA0)
}
PAGE = "</script><script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"

DOCUMENT = """<workflow name="hostile">
  <phase name="\u202e{page}"><set var="x" value="1"/></phase>
  <source:file id="f" path="data.json"/>
  <transform:map id="m" input="f" expression="item"/>
  <parallel id="p" fail-fast="false">
    <branch><source:file id="g" path="none/{{{{ replace(f[0], '/', '') }}}}"/></branch>
  </parallel>
  {checkpoint}
  <output><set field="text" value="{{{{ f[0] }}}}"/></output>
</workflow>"""


CHECKPOINT = """<checkpoint id="c" prompt="{{ f[0] }}"/>"""
"""Nobody answers, which counts as no: the error has the prompt in its text."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    page = PAGE.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    for name, checkpoint in (("flow", ""), ("fails", CHECKPOINT)):
        text = DOCUMENT.format(page=page, checkpoint=checkpoint)
        (tmp_path / f"{name}.xml").write_text(text, encoding="utf-8")
    (tmp_path / "data.json").write_text(json.dumps([ATTACK + PAGE]))
    return tmp_path


def said(folder: Path, *arguments: str) -> str:
    """Everything that a command says, on both of its streams."""
    done = subprocess.run(
        [*FLOWSCRIPT, *arguments], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL
    )
    return (done.stdout + done.stderr).decode()


COMMANDS = [
    ["run", "flow.xml", "--log", "lines"],
    ["run", "fails.xml", "--log", "lines"],
    ["run", "flow.xml", "--log", "json"],
    ["run", "fails.xml", "--log", "json"],
    ["run", "flow.xml", "--dry-run"],
    ["validate", "flow.xml"],
    ["validate", "flow.xml", "--json"],
    ["inspect", "flow.xml"],
    ["inspect", "flow.xml", "--json"],
    ["graph", "flow.xml"],
    ["run", f"no{ATTACK}such.xml"],
    ["run", "flow.xml", "--config", f"a{ATTACK}=1"],
    ["run", "flow.xml", "--input", f"{{{ATTACK}"],
    ["validate", f"no{ATTACK}such.xml"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda each: ascii(" ".join(each))[:40])
def test_no_command_lets_a_text_steer_a_terminal(folder: Path, arguments: list[str]) -> None:
    shown = said(folder, *arguments)
    assert shown
    assert not STEERING & set(shown), ascii(shown)


@pytest.mark.parametrize("command", commands.list_commands(click.Context(commands)))
def test_no_command_repeats_what_it_was_called_with_so_that_it_steers(
    command: str, folder: Path
) -> None:
    """Names of files, of runs, of options and of what does not fit: also of commands that are still to come."""
    hostile = ATTACK.replace("/", "")
    document = '<workflow name="w"><set var="x" value="1"/></workflow>'
    (folder / f"{hostile}.xml").write_text(document)
    for arguments in (
        [hostile], [f"--{hostile}"], [f"{hostile}.xml"], ["flow.xml", hostile],
        [hostile, hostile, hostile, "--store", f"{hostile}.db"],
    ):  # fmt: skip
        shown = said(folder, command, *arguments)
        assert shown
        assert not STEERING & set(shown), ascii(shown)


def recorded(folder: Path) -> None:
    """Two records of runs, one with a hostile name too."""
    said(folder, "run", "fails.xml", "-q", "--record", "kept")
    (record,) = (folder / "kept").glob("*.jsonl")
    lines = record.read_text().splitlines()
    first = json.loads(lines[0])
    first["name"] = first["file"] = ATTACK + PAGE
    (folder / "kept" / "2026-x-other.jsonl").write_text(
        "\n".join(
            [json.dumps(first, ensure_ascii=False).replace("\u2028", "\\u2028"), *lines[1:], ""]
        )
    )


def test_no_record_steers_who_lists_or_shows_it(folder: Path) -> None:
    recorded(folder)
    shown = [
        said(folder, "runs", "kept"),
        said(folder, "runs", "kept", "--json"),
        said(folder, "show", "kept/2026-x-other.jsonl"),
        said(folder, "show", "kept/2026-x-other.jsonl", "--json"),
        said(folder, "show", "none", "--record", "kept"),
    ]
    for text in shown:
        assert text
        assert not STEERING & set(text), ascii(text)
    assert len(shown[0].splitlines()) == 2, "a name stays on the line of its run"
    assert "[red]x[/red]" in shown[2], "a name is no markup"


def test_lines_of_json_stay_lines_for_every_reader(folder: Path) -> None:
    recorded(folder)
    (record,) = (path for path in (folder / "kept").glob("*.jsonl") if "x-other" not in path.name)
    for text in (record.read_bytes().decode(), said(folder, "run", "fails.xml", "--log", "json")):
        lines = text.splitlines()  # which also splits at U+0085, U+2028 and U+2029
        assert len(lines) == text.count("\n")
        entries = [json.loads(line) for line in lines]
        assert any(
            ATTACK in json.dumps(entry, ensure_ascii=False) or "owned" in str(entry)
            for entry in entries
        )


@pytest.mark.parametrize("char", ["\x7f", "\x9b", "\u180e", "\u2028", "\u202e", "\U000e0041"])
def test_json_shows_every_character_that_is_not_seen(char: str) -> None:
    told = json_on_lines(json.dumps([f"a{char}b"], ensure_ascii=False))
    assert told.isascii()
    assert told.isprintable()
    assert json.loads(told) == [f"a{char}b"]


def on_terminal(folder: Path, *arguments: str, stream: str) -> bytes:
    """What a command sends to a terminal that one of its streams is connected to."""
    main, side = pty.openpty()
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [*FLOWSCRIPT, *arguments],
        cwd=folder, stdin=subprocess.DEVNULL, **streams | {stream: side},
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    ) as process:  # fmt: skip
        os.close(side)
        shown = bytearray()
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        process.wait(30)
    os.close(main)
    return bytes(shown)


def test_a_document_that_is_laid_out_does_not_steer_a_terminal_and_is_a_file_as_it_was(
    folder: Path,
) -> None:
    node = '<set var="x" value="\x9d0;owned\x9c"/>'
    text = f'<!-- \x9b31m\x85\u202e -->\n<workflow name="w">\n  {node}\n</workflow>\n'
    (folder / "odd.xml").write_text(text, encoding="utf-8")
    shown = on_terminal(folder, "fmt", "odd.xml", stream="stdout").decode()
    assert not STEERING & set(shown), ascii(shown)
    assert "\\x9b31m\\x85\\u202e" in shown
    assert said(folder, "fmt", "odd.xml") == text


def test_the_live_tree_is_not_steered(folder: Path) -> None:
    shown = on_terminal(folder, "run", "fails.xml", "--log", "tree", stream="stderr")
    screen = pyte.Screen(200, 60)
    pyte.ByteStream(screen).feed(shown)
    text = shown.decode()
    assert screen.title == ""
    assert "\x1b]0;" not in text
    assert not {"\x07", "\x85", "\x9b", "\x9d", "\u202e", "\u2028"} & set(text)
    assert "owned" in "\n".join(screen.display), "what was to be the title is text"
