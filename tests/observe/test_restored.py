"""Owns the tests of how it is shown what a durable run did not do again."""

from __future__ import annotations

import io

import trio
from rich.console import Console

import flowscript_trio as fs
from flowscript_trio.cli.console import describe
from flowscript_trio.cli.tables import draw
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.replay import events_of
from flowscript_trio.observe.report import story_of
from flowscript_trio.observe.trace import Trace
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types.events import Event, NodeEnded

from crashing import Crashing

EACH = """<workflow name="w"><foreach id="f" collection="[1, 2, 3]" maxConcurrency="1">
  <source:act id="a" takes="1"/></foreach></workflow>"""


async def leave_later(handle: fs.Run) -> None:
    await trio.sleep(1.5)  # virtual
    handle.leave()


def resumed() -> list[Event]:
    """The events of a process that goes on with a run of which another did the first iteration."""
    work = Crashing(EACH)
    work.process(during=leave_later)
    return work.process().events


def chronicle(events: list[Event]) -> list[Entry]:
    entries: list[Entry] = []
    tell = Chronicle(entries.append)
    for event in events:
        tell(event)
    return entries


def test_a_chronicle_keeps_it_and_a_replay_tells_it() -> None:
    ended = [event for event in events_of(chronicle(resumed())) if isinstance(event, NodeEnded)]
    assert {event.path: event.replayed for event in ended} == {
        "f[0]/a": True,
        "f[1]/a": False,
        "f[2]/a": False,
        "f": False,
    }


def test_the_tree_and_lines_and_traces_tell_it() -> None:
    tree = RunTree()
    said: list[str] = []
    traced: list[Entry] = []
    trace = Trace(traced.append)
    for event in resumed():
        tree(event)
        trace(event)
        said += filter(None, [describe(event)])
    written = io.StringIO()
    Console(width=120, file=written).print(draw(tree, 0.0, 50))
    nodes = [line for line in written.getvalue().splitlines() if "a <source:act>" in line]
    assert ["restored" in line for line in nodes] == [True, False, False]
    assert [line.split("(")[0].split()[-1] for line in said if "restored" in line] == ["f[0]/a"]
    assert sum("replayed" in entry.get("args", {}) for entry in traced) == 1


def test_what_was_restored_does_not_count_as_the_pace_of_this_process() -> None:
    tree = RunTree()
    events = resumed()
    start = events[0].time
    for event in events:
        if isinstance(event, NodeEnded) and event.path == "f[2]/a":
            break
        tree(event)
    written = io.StringIO()
    Console(width=120, file=written).print(draw(tree, start + 2.0, 50))
    line = next(line for line in written.getvalue().splitlines() if "f <foreach>" in line)
    assert line.endswith("2/3  30/min, 2 s left")  # one in two seconds, and not two


def test_a_report_shows_it() -> None:
    story = story_of(chronicle(resumed()))
    looks = {span.path: span.look for span in story.spans if span.kind == "node"}
    assert looks == {"f": "success", "f[0]/a": "restored", "f[1]/a": "success", "f[2]/a": "success"}
    branches = {span.path: span.look for span in story.spans if span.kind == "branch"}
    assert branches == {"f[0]": "restored", "f[1]": "success", "f[2]": "success"}
    assert story.head["counts"] == {"success": 2, "restored": 1}
    assert all(lane.ended_well for lane in story.lanes)
