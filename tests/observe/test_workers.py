"""Owns the tests of how it is shown where a node ran."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

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

from travelling import flow

BODY = (
    '<foreach id="f" collection="[1]" place="thread"><transform:where id="a"/></foreach>'
    '<transform:where id="b"/>'
)


async def observe(*observers: Callable[[Event], Any]) -> None:
    await fs.run(flow(BODY), observers=observers)


async def test_the_tree_shows_where_a_node_and_an_iteration_ran() -> None:
    tree = RunTree()
    await observe(tree)
    written = StringIO()
    Console(width=200, file=written).print(draw(tree, 0.0, 50))
    lines = written.getvalue().splitlines()
    shown = {
        name: next(line for line in lines if name in line)
        for name in ("a <transform:where>", "iteration 0", "b <transform:where>")
    }
    assert "thread" in shown["a <transform:where>"]
    assert "thread" in shown["iteration 0"]
    assert "thread" not in shown["b <transform:where>"]


async def test_a_chronicle_keeps_where_a_node_ran_and_a_replay_tells_it() -> None:
    entries: list[Entry] = []
    await observe(Chronicle(entries.append))
    ended = [event for event in events_of(entries) if isinstance(event, NodeEnded)]
    assert {event.path: event.result.worker for event in ended} == {
        "f[0]/a": "thread",
        "f": None,
        "b": None,
    }


async def test_a_report_names_the_worker_of_a_lane() -> None:
    entries: list[Entry] = []
    await observe(Chronicle(entries.append))
    story = story_of(entries)
    labels = [lane.label for lane in story.lanes]
    assert sorted(labels) == ["b", "f", "iteration 0 · thread"]
    (span,) = [span for span in story.spans if span.path == "f[0]/a"]
    assert span.detail["worker"] == "thread"


async def test_lines_and_traces_tell_the_worker() -> None:
    said: list[str | None] = []
    traced: list[Entry] = []
    await observe(lambda event: said.append(describe(event)), Trace(traced.append))
    assert any(
        line and line.startswith("success    f[0]/a (") and "on thread" in line for line in said
    )
    assert not any(line and " b " in line and "on thread" in line for line in said)
    assert [e["args"]["worker"] for e in traced if "worker" in e.get("args", {})] == ["thread"]
