"""Owns the tests of what a person sees of a failing run on a terminal, at three moments of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import trio

from flowscript_trio.cli.tables import MARKS
from flowscript_trio.observe.tree import RUNNING
from flowscript_trio.types.results import NodeStatus, RunStatus

from loopback import Answer, Seen, loopback
from screens import on_terminal

DOCUMENT = """<workflow name="watched">
<parallel id="all" maxConcurrency="4">
  <branch><foreach id="each" collection="[1, 2, 3, 4]">
    <source:http id="one" url="{{$config.base}}/item"/>
  </foreach></branch>
  <branch><source:http id="bad" url="{{$config.base}}/bad"/></branch>
  <branch><source:http id="again" url="{{$config.base}}/again">
    <on-error><retry max="3" base="1h" jitter="none"/></on-error>
  </source:http></branch>
  <branch><delay id="nap" duration="1h"/></branch>
</parallel>
</workflow>"""


async def test_what_a_person_sees_of_a_failing_run(tmp_path: Path) -> None:
    (tmp_path / "watched.xml").write_text(DOCUMENT)
    next_item, fail = trio.Event(), trio.Event()
    asked = 0

    async def item(seen: Seen) -> Answer:
        nonlocal asked
        asked += 1
        if asked == 1:
            await next_item.wait()
        elif asked == 3:
            await trio.sleep_forever()
        return Answer(body={"n": asked})

    async def bad(seen: Seen) -> Answer:
        await fail.wait()
        return Answer(404, {"error": "gone"})

    async with loopback() as server:
        server.pages |= {"/item": item, "/bad": bad}
        server.page("/again", {"error": "busy"}, status=503)
        command = ("run", "watched.xml", "--config", f"base={server.base}")
        async with on_terminal(*command, cwd=tmp_path, columns=110, rows=40) as terminal:
            # First: all four branches run, and one waits for its second attempt.
            await terminal.until(lambda: "attempt 2 in" in terminal.line("again"))
            await terminal.until(lambda: "0/4" in terminal.line("each"))
            assert terminal.line("watched").startswith("● watched")
            assert "● bad <source:http>" in terminal.line("bad")
            assert "● one <source:http>" in terminal.line("one")
            assert "━━━" in terminal.line("nap")
            assert "0/4" in terminal.line("all <parallel>")

            # Second: two items are done.
            next_item.set()
            await terminal.until(lambda: "2/4" in terminal.line("each"))
            assert "✓ iteration 0" in terminal.line("iteration 0")
            assert "● iteration 2" in terminal.line("iteration 2")
            assert "0/4" in terminal.line("all <parallel>")

            # Third: one branch has failed; who was cancelled says by whom, and what it was doing.
            fail.set()

        assert terminal.status == 1
        assert terminal.line("watched").startswith("✗ watched")
        assert "✗ bad <source:http>" in terminal.line("bad <")
        assert "HTTPStatusError" in terminal.line("bad <")
        assert "⊘ again" in terminal.line("again <")
        assert "while it waited for attempt 2" in terminal.line("again <")
        assert "⊘ nap" in terminal.line("nap <")
        assert "while it slept" in terminal.line("nap <")
        assert "⊘ iteration 2" in terminal.line("iteration 2")
        assert "all/1 failed: HTTPStatusError" in terminal.line("iteration 2")
        assert "✓ iteration 1" in terminal.line("iteration 1")
        shown = "\n".join(terminal.lines)
        assert "watched.xml:6:11: bad" in shown
        assert '6 |   <branch><source:http id="bad"' in shown
        assert "in all: 3 branches were cancelled" in shown
        assert "cancelled: all/2/again after" in shown


FAN = "".join(
    f'<branch><source:http id="bad" url="{{{{$config.base}}}}/bad"/></branch> <!-- {"wide " * 30} -->\n'
    if number == 23
    else f'<branch><delay id="nap{number}" duration="1h"/></branch>\n'
    for number in range(40)
)


async def test_after_a_failure_of_forty_branches_the_error_its_line_and_one_count_are_on_the_screen(
    tmp_path: Path,
) -> None:
    text = f'<workflow name="w"><parallel id="fan" maxConcurrency="unlimited">\n{FAN}</parallel></workflow>'
    (tmp_path / "fan.xml").write_text(text)
    fail = trio.Event()

    async def bad(seen: Seen) -> Answer:
        await fail.wait()
        return Answer(404, {"error": "gone"})

    async with loopback() as server:
        server.pages |= {"/bad": bad}
        command = ("run", "fan.xml", "--config", f"base={server.base}")
        async with on_terminal(*command, cwd=tmp_path) as terminal:
            await terminal.until(lambda: "0/40" in terminal.line("fan <parallel>"))
            fail.set()
    ending = terminal.lines
    error = next(number for number, line in enumerate(ending) if line.startswith("HTTPStatusErr"))
    place = ending.index("fan.xml:25:9: bad")
    assert error < place
    # The line of source is on one line of the screen, with its caret under the element.
    source, caret = ending[place + 1], ending[place + 2]
    assert source.startswith('   25 | <branch><source:http id="bad"')
    assert source.endswith("…")
    assert source.index("<source:http") == caret.index("^")
    assert ending[-1].startswith("  39 cancelled because fan/23 failed: fan/0/nap0, fan/1/nap1")
    assert ending[-1].endswith(", …")
    assert sum("cancelled" in line for line in ending[place:]) == 2  # there, and in the note
    assert "✗ bad <source:http>" in "\n".join(ending[:error])


async def test_a_foreach_shows_its_rate_and_the_time_left(tmp_path: Path) -> None:
    (tmp_path / "each.xml").write_text(
        """<workflow name="w"><foreach id="pages" collection="range(4)" maxConcurrency="1">
        <source:http id="page" url="{{$config.base}}/page"/></foreach></workflow>"""
    )
    done = 0
    hold = trio.Event()

    async def page(seen: Seen) -> Answer:
        nonlocal done
        if done == 2:
            await hold.wait()
        done += 1
        return Answer(body={})

    async with loopback() as server:
        server.pages |= {"/page": page}
        command = ("run", "each.xml", "--config", f"base={server.base}")
        async with on_terminal(*command, cwd=tmp_path) as terminal:
            shown = "2/4  [0-9.]+/(s|min), [0-9]+ s left"
            await terminal.until(lambda: re.search(shown, terminal.line("pages <")) is not None)
            hold.set()
    assert terminal.status == 0
    assert "left" not in terminal.line("pages <")


async def test_the_rounds_of_a_loop_and_what_is_folded_can_be_told_apart(tmp_path: Path) -> None:
    (tmp_path / "l.xml").write_text(
        """<workflow name="w"><loop id="l" max="30"><set id="s" var="x" value="1"/>
        <fail id="f" if="$iteration == 28" message="no"/></loop></workflow>"""
    )
    async with on_terminal("run", "l.xml", cwd=tmp_path) as terminal:
        await terminal.to_the_end()
    shown = "\n".join(terminal.lines)
    assert re.search(r"✗ \[28\] f <fail>  [0-9.]+ s  Workflow", shown)
    assert re.search(r"… \d+ more: \d+ succeeded", shown)


async def test_a_run_that_had_ended_before_gives_its_error_and_no_empty_tree(
    tmp_path: Path,
) -> None:
    (tmp_path / "w.xml").write_text('<workflow name="w"><fail id="f" message="no"/></workflow>')
    durable = ("--store", str(tmp_path / "runs.db"))
    async with on_terminal("run", "w.xml", *durable, "--run-id", "x", cwd=tmp_path) as terminal:
        await terminal.to_the_end()
    assert "✗ f <fail>" in terminal.line("f <")
    async with on_terminal("resume", "x", *durable, cwd=tmp_path) as terminal:
        await terminal.to_the_end()
    assert terminal.status == 1
    assert terminal.lines[:2] == ["WorkflowFailed: no", "w.xml:1:20: f"]
    assert terminal.lines[-1] == "flowscript: node 'f' at w.xml:1:20 failed"


async def test_a_fallback_that_stood_in_is_seen(tmp_path: Path) -> None:
    (tmp_path / "f.xml").write_text(
        """<workflow name="w"><source:file id="gone" path="no-such-file">
        <on-error><fallback node="kept"/></on-error></source:file>
        <transform:template id="kept" template="old"/></workflow>"""
    )
    async with on_terminal("run", "f.xml", cwd=tmp_path) as terminal:
        await terminal.to_the_end()
    assert "↪ gone <source:file>" in terminal.line("gone <")
    assert "a fallback stood in for FileNotFoundError" in terminal.line("gone <")


async def test_a_durable_run_that_is_left_is_seen_as_that_and_what_is_said_of_it_stands_above(
    tmp_path: Path,
) -> None:
    (tmp_path / "asks.xml").write_text(
        """<workflow name="asks"><parallel id="both">
        <branch><checkpoint id="boss" prompt="Go?"/></branch>
        <branch><delay id="nap" duration="1h"/></branch></parallel></workflow>"""
    )
    command = ("run", "asks.xml", "--store", "runs.db", "--run-id", "x", "--suspend-after", "50ms")
    async with on_terminal(*command, cwd=tmp_path, columns=200, rows=40) as terminal:
        await terminal.to_the_end()
    assert terminal.status == 3
    lines = terminal.lines
    assert lines[0] == "run x; to go on with it: flowscript resume x --store runs.db"
    assert lines[1].startswith("run x waits for an answer at 'both/0/boss' (Go?)")
    marks = [line.strip("│├└─ ").split("  ")[0] for line in lines[2:8]]
    assert marks == [
        "○ asks",
        "○ both <parallel>",
        "○ branch 0",
        "○ boss <checkpoint>",
        "○ branch 1",
        "○ nap <delay>",
    ]
    assert lines[8].startswith("run x is suspended until")


def test_every_state_has_a_mark_in_the_tree() -> None:
    states = {"success" if each == "completed" else each for each in get_args(RunStatus)}
    assert set(MARKS) == states | {*get_args(NodeStatus), RUNNING}
