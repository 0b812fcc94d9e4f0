"""Owns the tests of what is seen of a wait for a limit: in the tree, the chronicle, the trace and the report."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from trio.testing import MockClock

from flowscript_trio.cli.tables import draw
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.replay import events_of
from flowscript_trio.observe.report import story_of
from flowscript_trio.observe.trace import Trace
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.picture import picture_of
from flowscript_trio.picture.layout import all_groups
from flowscript_trio.types.events import Event, TokenAwaited, TokenTaken

from stubs import Stubs

BODY = """<limit name="github" max="1"/><limit name="api" rate="1/s"/>
<foreach id="f" collection="[1, 2]" maxConcurrency="2">
  <source:stub id="x" takes="3s" limit="github api"/>
</foreach>"""


async def seen(*observers: Any) -> None:
    await Stubs().run(BODY, observers=observers)


def drawn(tree: RunTree, now: float) -> str:
    console = Console(width=100, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(draw(tree, now, 20))
    return capture.get()


async def test_the_tree_says_which_limits_a_node_waits_for(autojump_clock: MockClock) -> None:
    tree = RunTree()
    pictures: list[str] = []

    def look(event: Event) -> None:
        tree(event)
        if isinstance(event, TokenAwaited | TokenTaken):
            pictures.append(drawn(tree, event.time))

    await seen(look)
    waiting, going_on = pictures
    assert "waits for the limits api, github" in waiting
    assert "waits for" not in going_on


async def test_the_chronicle_tells_the_names_and_gives_them_back(autojump_clock: MockClock) -> None:
    entries: list[Entry] = []
    events: list[Event] = []
    await seen(Chronicle(entries.append, "w.xml"), events.append)
    told = [(e["event"], e["limits"], e["time"]) for e in entries if "limits" in e]
    assert told == [
        ("token-awaited", ["api", "github"], 0),
        ("token-taken", ["api", "github"], 3),
    ]
    again = [event for event in events_of(entries) if isinstance(event, TokenAwaited | TokenTaken)]
    assert [event.limits for event in again] == [("api", "github")] * 2


async def test_the_trace_and_the_report_draw_the_wait(autojump_clock: MockClock) -> None:
    entries: list[Entry] = []
    traced: list[Entry] = []
    await seen(Chronicle(entries.append, "w.xml"), Trace(traced.append))
    waits = [entry for entry in traced if str(entry.get("name", "")).startswith("waits")]
    assert [entry["name"] for entry in waits][:1] == ["waits for the limits api, github"]
    spans = [span for span in story_of(entries).spans if span.parts]
    [span] = [span for span in spans if "limits" in span.detail]
    assert span.detail["limits"] == ["api", "github"]
    assert [(kind, end - start) for kind, start, end in span.parts] == [("token", 3)]


def test_a_picture_shows_which_limits_a_node_takes() -> None:
    drawing = picture_of(Stubs().load(BODY))
    shown = {box.label: box.notes for group in all_groups(drawing) for box in group.boxes}
    assert shown["x"] == ("limit github api",)
