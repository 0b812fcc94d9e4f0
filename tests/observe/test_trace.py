"""Owns the tests of traces: slices that lie inside of one another, arrows, and a file that is whole."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from trio.testing import MockClock

from flowscript_trio.cli.commands import commands
from flowscript_trio.observe.trace import Entry, Trace, writing_trace
from flowscript_trio.types.events import Observer

from stubs import Stubs

FAILING = """
<parallel id="p" maxConcurrency="2">
  <branch><source:stub id="a" takes="1s"/><source:stub id="b" takes="5s"/></branch>
  <branch><source:stub id="c" takes="3s" fails="broken"/></branch>
  <branch><source:stub id="d" takes="1s"/></branch>
</parallel>
"""
GRAPH = """
<source:stub id="a" takes="2s"/>
<source:stub id="b" takes="3s"/>
<source:stub id="c" takes="1s" after="a"/>
<foreach id="f" collection="[1, 2, 3, 4]" maxConcurrency="2" after="a">
  <loop id="l" max="2"><source:stub id="x" takes="1s"/></loop>
</foreach>
"""


async def traced(body: str, **options: Any) -> list[Entry]:
    entries: list[Entry] = []
    with contextlib.suppress(ValueError):
        await Stubs().run(body, observers=[Trace(entries.append)], **options)
    return entries


def slices(entries: list[Entry]) -> dict[str, tuple[int, float, float, Entry]]:
    """The slices by their paths, as track, begin, end and what is told; asserts that those of a track nest."""
    stacks: dict[int, list[Entry]] = {}
    found = {}
    for entry in entries:
        stack = stacks.setdefault(entry["tid"], [])
        if entry["ph"] == "B":
            stack.append(entry)
        elif entry["ph"] == "E":
            begun = stack.pop()
            told = {**begun["args"], **entry["args"]}
            found[told.get("path", "")] = entry["tid"], begun["ts"], entry["ts"], told
    assert not any(stacks.values())
    return found


@pytest.mark.parametrize("body", [FAILING, GRAPH])
async def test_every_node_and_branch_is_a_slice_inside_of_what_it_belongs_to(
    body: str, autojump_clock: Any
) -> None:
    entries: list[Entry] = []
    ended: set[str] = set()

    def note(event: Any) -> None:
        if type(event).__name__ in ("NodeEnded", "BranchEnded"):
            ended.add(event.path)

    try:
        await Stubs().run(body, observers=[Trace(entries.append), note])
    except ValueError:
        assert body is FAILING
    assert slices(entries).keys() == ended | {""}


async def test_times_are_microseconds_of_the_run(autojump_clock: Any) -> None:
    await trio.sleep(10)  # virtual
    _, begin, end, told = slices(await traced(GRAPH))["a"]
    assert (begin, end) == (0, 2_000_000)
    assert told == {"path": "a", "type": "source:stub", "status": "success"}


async def test_what_runs_side_by_side_lies_on_tracks_of_its_own(autojump_clock: Any) -> None:
    found = slices(await traced(GRAPH))
    assert found["a"][0] != found["b"][0]
    assert found["f[0]"][0] != found["f[1]"][0]
    assert found["f[0]/l[0]/x"][0] == found["f[0]/l"][0]
    names = [e["args"]["name"] for e in await traced(GRAPH) if e["ph"] == "M"]
    assert names[0] == "the run"
    assert names.count("f") <= 2  # tracks are used again


async def test_a_failure_says_its_error_and_points_at_what_it_cancelled(
    autojump_clock: Any,
) -> None:
    entries = await traced(FAILING)
    found = slices(entries)
    assert found["p/1/c"][3]["error"] == "ValueError: broken"
    cancelled = found["p/0/b"][3]
    assert cancelled["status"] == "cancelled"
    assert cancelled["cancelled by"] == "p/1"
    starts = {e["id"]: e for e in entries if e["ph"] == "s"}
    ends = [e for e in entries if e["ph"] == "f"]
    assert {end["tid"] for end in ends} >= {found["p/0/b"][0]}
    assert all(starts[end["id"]]["tid"] == found["p"][0] for end in ends)
    assert [e["name"] for e in entries if e["ph"] == "i"] == ["cancels: p/1 failed: ValueError"]


async def test_a_long_error_is_cut(autojump_clock: Any) -> None:
    entries = await traced(f'<source:stub id="a" fails="{"x" * 9000}"/>')
    assert len(slices(entries)["a"][3]["error"]) < 2100


def test_the_file_is_whole_also_when_the_run_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"

    async def run(observer: Observer) -> None:
        with trio.move_on_after(2):
            await Stubs().run(FAILING, observers=[observer])

    with writing_trace(path) as observer:
        trio.run(run, observer, clock=MockClock(autojump_threshold=0))
        assert not path.exists()
    entries = json.loads(path.read_text())["traceEvents"]
    assert slices(entries)[""][3]["status"] == "cancelled"
    assert [found.name for found in tmp_path.iterdir()] == ["trace.json"]


def test_the_command_line_writes_one(tmp_path: Path) -> None:
    file, trace = tmp_path / "w.xml", tmp_path / "out.json"
    file.write_text('<workflow name="w"><delay id="d" duration="1ms"/></workflow>')
    done = CliRunner().invoke(commands, ["run", str(file), "--trace", str(trace)])
    assert done.exit_code == 0, done.output
    assert "d" in slices(json.loads(trace.read_text())["traceEvents"])
    done = CliRunner().invoke(
        commands, ["run", str(file), "--trace", str(tmp_path / "no" / "out.json")]
    )
    assert done.exit_code == 2
    assert "--trace" in done.output


def test_the_command_line_writes_one_of_a_run_that_fails(tmp_path: Path) -> None:
    file, trace = tmp_path / "w.xml", tmp_path / "out.json"
    text = '<source type="file" id="f" path="not-there.json"/>'
    file.write_text(f'<workflow name="w">{text}</workflow>')
    done = CliRunner().invoke(commands, ["run", str(file), "--trace", str(trace)])
    assert done.exit_code == 1
    assert (
        "FileNotFoundError" in slices(json.loads(trace.read_text())["traceEvents"])["f"][3]["error"]
    )


def waits(entries: list[Entry]) -> list[tuple[str, float, float]]:
    """The slices of waits: what for, and from when to when in seconds."""
    stacks: dict[int, list[Entry]] = {}
    found = []
    for entry in entries:
        stack = stacks.setdefault(entry["tid"], [])
        if entry["ph"] == "B":
            stack.append(entry)
        elif entry["ph"] == "E":
            begun = stack.pop()
            if begun["name"].startswith("waits"):
                found.append((begun["name"], begun["ts"] / 1e6, entry["ts"] / 1e6))
    assert not any(stacks.values())
    return found


async def test_waits_are_slices_inside_of_their_node(autojump_clock: Any) -> None:
    retry = (
        '<on-error><retry max="2" base="2s" backoff="fixed" jitter="none" when="true"/></on-error>'
    )
    body = f'<source:stub id="a" takes="1s" fails="broken">{retry}</source:stub>'
    assert waits(await traced(body)) == [
        ("waits for attempt 2", 1, 3),
        ("waits for attempt 3", 4, 6),
    ]
    limiter = trio.CapacityLimiter(1)
    entries = await traced(
        '<foreach id="f" collection="[1, 2]" maxConcurrency="2"><source:stub id="x" takes="3s"/></foreach>',
        limiter=limiter,
    )
    assert waits(entries) == [("waits for a token", 0, 3)]


async def test_a_wait_that_is_cancelled_ends_with_its_node(autojump_clock: Any) -> None:
    limiter = trio.CapacityLimiter(1)
    limiter.acquire_on_behalf_of_nowait("another")
    entries: list[Entry] = []
    with trio.move_on_after(2):  # virtual
        await Stubs().run(
            '<source:stub id="a"/>', observers=[Trace(entries.append)], limiter=limiter
        )
    assert waits(entries) == [("waits for a token", 0, 2)]
    assert slices(entries)["a"][2] == 2e6
