"""Owns the tests of the story that a report tells, and of the page that holds it."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.report import render_report, story_of
from flowscript_trio.observe.report.lanes import lanes_of_workers
from flowscript_trio.observe.report.page import embed
from flowscript_trio.observe.report.span import Span

from stubs import Stubs

FAILING = """
<source:stub id="a" takes="1s"/>
<parallel id="p" maxConcurrency="3" after="a">
  <branch><source:stub id="b" takes="1s"/><source:stub id="c" takes="2s" fails="broken"/></branch>
  <branch><source:stub id="d" hangs="true"/></branch>
  <branch><parallel id="q"><branch><source:stub id="e" hangs="true"/></branch></parallel></branch>
</parallel>
"""


async def told(body: str, **options: Any) -> list[Entry]:
    entries: list[Entry] = []
    with contextlib.suppress(ValueError):
        await Stubs().run(body, observers=[Chronicle(entries.append, "w.xml")], **options)
    return entries


async def test_each_branch_has_a_lane_on_which_its_nodes_lie(autojump_clock: MockClock) -> None:
    story = story_of(await told(FAILING))
    assert [(lane.label, lane.depth) for lane in story.lanes] == [
        ("a", 0),
        ("p", 0),
        ("branch 0", 1),
        ("branch 1", 1),
        ("branch 2", 1),
        ("branch 0", 2),
    ]
    lanes = {span.path: span.lane for span in story.spans}
    assert lanes == {
        "a": 0,
        "p": 1,
        "p/0": 2,
        "p/0/b": 2,
        "p/0/c": 2,
        "p/1": 3,
        "p/1/d": 3,
        "p/2": 4,
        "p/2/q": 4,
        "p/2/q/0": 5,
        "p/2/q/0/e": 5,
    }
    assert [span.lane for span in story.spans] == sorted(lanes.values())


async def test_arrows_lead_from_the_branch_that_failed_to_all_that_it_cancelled(
    autojump_clock: MockClock,
) -> None:
    story = story_of(await told(FAILING))
    arrows = {(story.spans[a].path, story.spans[b].path) for a, b in story.arrows}
    cancelled = ["p/1", "p/1/d", "p/2", "p/2/q", "p/2/q/0", "p/2/q/0/e"]
    assert arrows == {("p/0", path) for path in cancelled}
    spans = {span.path: span for span in story.spans}
    assert spans["p/1/d"].detail["cancelled_by"]["reason"] == "p/0 failed: ValueError"
    assert (spans["p/0/c"].start, spans["p/0/c"].end, spans["p/0/c"].state) == (2, 4, "failed")
    assert spans["p"].detail["limit"] == 3
    assert story.head["status"] == "failed"
    assert story.head["duration"] == 4


async def test_waits_are_parts_of_a_span(autojump_clock: MockClock) -> None:
    limiter = trio.CapacityLimiter(1)
    retry = (
        '<on-error><retry max="1" base="3s" backoff="fixed" jitter="none" when="true"/></on-error>'
    )
    body = (
        f'<parallel id="p"><branch><source:stub id="a" takes="1s" fails="x">{retry}</source:stub></branch>'
        '<branch><source:stub id="b" takes="1s"/></branch></parallel>'
    )
    story = story_of(await told(body, limiter=limiter))
    parts = {span.path: span.parts for span in story.spans if span.parts}
    kinds = [(kind, stop - begin) for kind, begin, stop in parts["p/0/a"]]
    assert ("retry", 3) in kinds
    waited = [part for found in parts.values() for part in found if part[0] == "token"]
    assert [stop - begin for _, begin, stop in waited] == [1]


async def test_a_branch_waits_for_a_token_of_its_block_before_it_begins(
    autojump_clock: MockClock,
) -> None:
    branches = "".join(f'<branch><source:stub id="n{i}" takes="1s"/></branch>' for i in range(4))
    story = story_of(
        await told(
            f'<parallel id="p" maxConcurrency="2">{branches}</parallel>'
            f'<parallel id="q" maxConcurrency="unlimited"><branch><source:stub id="m"/></branch></parallel>'
        )
    )
    waits = {span.path: span.parts for span in story.spans if span.kind == "branch"}
    assert waits == {
        "p/0": [],
        "p/1": [],
        "p/2": [("token", 0, 1)],
        "p/3": [("token", 0, 1)],
        "q/0": [],
    }


async def test_nodes_that_run_side_by_side_have_lanes_of_their_own(
    autojump_clock: MockClock,
) -> None:
    body = '<source:stub id="a" takes="2s"/><source:stub id="b" takes="2s"/><source:stub id="c" after="a"/>'
    story = story_of(await told(body))
    assert sorted(lane.label for lane in story.lanes) == ["a", "b", "c"]


async def test_a_record_that_is_cut_anywhere_is_told(autojump_clock: MockClock) -> None:
    entries = await told(FAILING)
    for length in range(len(entries)):
        story = story_of(entries[:length])
        assert not story.head["ended"]
        assert json.loads(json.dumps(story.as_dict()))["lanes"] is not None
        for span in story.spans:
            assert (span.state == "running") == (span.end is None)
    # What a later version leaves out does not matter either.
    bare = [{"event": e["event"], "time": e["time"], "path": e["path"]} for e in entries]
    assert len(story_of(bare).spans) == len(story_of(entries).spans)


TEXTS = st.text() | st.sampled_from(
    [
        "</script><img src=x onerror=alert(1)>",
        "<!--",
        "<script>",
        "]]>",
        "\u2028",
        "\\u003c/script>",
    ]
)


@given(st.recursive(TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_no_text_can_end_the_data_of_a_page_early(value: Any) -> None:
    written = embed(value)
    assert "<" not in written
    assert json.loads(written) == value


@given(TEXTS)
def test_no_text_of_a_run_becomes_markup(text: str) -> None:
    entries = [
        {"event": "run-started", "time": 0, "path": "", "name": text, "run": "1", "file": text},
        {
            "event": "node-started",
            "time": 0,
            "path": text or "x",
            "label": text,
            "type": text,
            "line": 1,
        },
        {
            "event": "run-ended",
            "time": 1,
            "path": "",
            "status": "failed",
            "error": {"type": text, "message": text},
        },
    ]
    page = render_report(entries)
    assert page.count("<script") == 2
    assert "<img" not in page
    assert page.count("<!--") == 0


async def test_a_page_asks_for_nothing_and_has_the_graph_where_there_is_one(
    autojump_clock: MockClock,
) -> None:
    entries = await told(FAILING)
    page = render_report(entries, '<svg xmlns="x"><title>graph</title></svg>')
    assert "<title>graph</title>" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page.replace('xmlns="x"', ""))


@pytest.mark.parametrize(
    "entries", [[], [{"event": "warning", "time": 1, "path": "", "message": "m"}]]
)
def test_a_record_of_nearly_nothing_makes_a_page(entries: list[Entry]) -> None:
    assert "<!doctype html>" in render_report(entries)


async def test_the_failure_of_a_run_is_the_node_that_raised_it_with_its_place_and_what_it_cancelled(
    autojump_clock: MockClock,
) -> None:
    story = story_of(await told(FAILING))
    failure = story.head["failure"]
    assert story.spans[failure["span"]].path == "p/0/c"
    assert failure["place"] == "w.xml:5:43"
    assert failure["cancelled"] == "2 branches were cancelled"  # not what is inside of them


def test_what_a_process_has_left_is_suspended_and_not_cancelled() -> None:
    flow = fs.loads('<workflow name="w"><checkpoint id="c" prompt="Go?"/></workflow>')
    entries: list[Entry] = []

    async def main() -> fs.Run:
        store = fs.Store.memory()
        options: Any = {
            "store": store,
            "suspend_after": 1,
            "observers": [Chronicle(entries.append)],
        }
        return await fs.run(flow, **options)

    assert trio.run(main, clock=MockClock(autojump_threshold=0)).status == "suspended"
    story = story_of(entries)
    (span,) = story.spans
    assert (span.look, story.head["status"]) == ("suspended", "suspended")
    assert story.head["counts"] == {"suspended": 1}


async def test_a_lane_of_a_compensation_says_what_it_undoes(autojump_clock: MockClock) -> None:
    story = story_of(
        await told(
            """<foreach id="f" collection="[1, 2]"><source:stub id="pay">
            <compensate><source:stub id="undo"/></compensate></source:stub></foreach>
            <source:stub id="bad" fails="no" after="f"/>"""
        )
    )
    undoing = [lane.label for lane in story.lanes if lane.undoes]
    assert undoing == ["undo · f[1]/pay", "undo · f[0]/pay"]


@pytest.mark.parametrize(
    ("body", "path", "cancelled"),
    [
        (
            """<foreach id="each" collection="[0, 1, 2]" item="n" maxConcurrency="unlimited">
            <if id="i" condition="n == 1"><then><source:stub id="bad" takes="1s" fails="no"/></then>
            <else><source:stub id="hangs" hangs="true"/></else></if></foreach>""",
            "each[1]/i/bad",
            "2 iterations were cancelled",
        ),
        (
            """<source:stub id="bad" takes="1s" fails="no"/><source:stub id="other" hangs="true"/>""",
            "bad",
            "1 node was cancelled",
        ),
        (
            """<source:stub id="bad" takes="1s" fails="no"/><source:stub id="other" hangs="true"/>
            <parallel id="p"><branch><source:stub id="a" hangs="true"/></branch></parallel>
            <source:stub id="last" hangs="true"/>""",
            "bad",
            "3 nodes were cancelled",
        ),
        (
            """<parallel id="p"><branch><source:stub id="bad" takes="1s" fails="no"/></branch>
            <branch><source:stub id="a" hangs="true"/></branch></parallel>
            <source:stub id="other" hangs="true"/>""",
            "p/0/bad",
            "1 branch and 1 node were cancelled",
        ),
        (
            # What was tolerated says the same, and is not what made the run fail.
            """<parallel id="p" tolerate="1"><branch><source:stub id="first" takes="1s" fails="no"/></branch>
            <branch><source:stub id="well"/></branch></parallel>
            <source:stub id="bad" fails="no" after="p"/>""",
            "bad",
            "",
        ),
        (
            """<source:stub id="a" fails="first"><on-error><fallback node="b"/></on-error></source:stub>
            <source:stub id="b" fails="no"/>""",
            "a/@fallback/b",
            "",
        ),
    ],
)
async def test_a_failure_is_found_wherever_it_stands(
    body: str, path: str, cancelled: str, autojump_clock: MockClock
) -> None:
    story = story_of(await told(body))
    failure = story.head["failure"]
    assert (story.spans[failure["span"]].path, failure["cancelled"]) == (path, cancelled)


async def test_a_run_that_completed_has_no_failure_and_one_without_a_node_has_its_error(
    autojump_clock: MockClock,
) -> None:
    assert "failure" not in story_of(await told('<source:stub id="a"/>')).head
    entries = await told('<source:stub id="a"/>')
    error = {"type": "WorkflowTimeout", "message": "too long"}
    entries[-1] = {**entries[-1], "status": "failed", "error": error}
    head = story_of(entries).head
    assert "failure" not in head
    assert head["error"] == error


async def test_counts_are_of_nodes_and_not_of_the_blocks_around_them(
    autojump_clock: MockClock,
) -> None:
    assert story_of(await told(FAILING)).head["counts"] == {
        "failed": 1,
        "cancelled": 2,
        "success": 2,
    }
    body = """<source:stub id="a" fails="x"><on-error><fallback node="b"/></on-error></source:stub>
    <source:stub id="b"/><source:stub id="never" if="false"/>
    <loop id="l" max="2"><source:stub id="c"/></loop>"""
    counts = story_of(await told(body)).head["counts"]
    assert counts == {"fallback": 1, "success": 3, "skipped": 1}
    assert list(counts) == ["fallback", "success", "skipped"]  # the worst first


async def test_a_lane_ended_well_where_all_on_it_and_below_it_did(
    autojump_clock: MockClock,
) -> None:
    body = """<parallel id="p" tolerate="1">
      <branch><source:stub id="a"/></branch>
      <branch><source:stub id="b" fails="x"><on-error><fallback node="k"/></on-error></source:stub></branch>
      <branch><parallel id="q" tolerate="1"><branch><source:stub id="c" fails="x"/></branch>
        <branch><source:stub id="d"/></branch></parallel></branch>
    </parallel><source:stub id="k"/>"""
    lanes = story_of(await told(body)).lanes
    assert [(lane.label, lane.ended_well) for lane in lanes if lane.label != "k"] == [
        ("p", False),
        ("branch 0", True),
        ("branch 1", False),
        ("branch 2", False),
        ("branch 0", False),
        ("branch 1", True),
    ]


async def test_the_drawing_is_told_the_states_of_the_nodes_of_its_own_document(
    autojump_clock: MockClock,
) -> None:
    body = """<foreach id="each" collection="[0, 1, 2]" item="n" tolerate="100%">
      <if id="i" condition="n == 1"><then><source:stub id="bad" fails="no"/></then></if></foreach>"""
    story = story_of(await told(body))
    keys = {span.label: span.key for span in story.spans if span.kind == "node"}
    assert story.drawing[keys["bad"]] == {"failed": 1}
    assert story.drawing[keys["i"]] == {"failed": 1, "success": 2}
    assert next(iter(story.drawing[keys["i"]])) == "failed"


def test_nodes_of_an_included_document_are_not_those_of_the_drawing() -> None:
    def begun(number: int, path: str, tag: str, key: int) -> Entry:
        about = {"label": path[-1], "tag": tag, "type": "t", "key": key, "line": 1, "column": 1}
        return {"event": "node-started", "time": 0, "path": path, "execution": number, **about}

    def ended(number: int, path: str, status: str) -> Entry:
        about = {"execution": number, "status": status, "duration": 1}
        return {"event": "node-ended", "time": 1, "path": path, **about}

    entries = [begun(1, "i", "include", 1), begun(2, "i/x", "source", 2), ended(2, "i/x", "failed")]
    entries += [ended(1, "i", "success"), begun(3, "y", "source", 2), ended(3, "y", "success")]
    assert story_of(entries).drawing == {1: {"success": 1}, 2: {"success": 1}}


def test_the_lanes_of_workers_hold_what_ran_on_them_at_once_and_no_blocks() -> None:
    def node(path: str, start: float, end: float | None, worker: str | None = None) -> Span:
        detail = {} if worker is None else {"worker": worker}
        return Span(path, path, "node", start, (start, 0), end, detail=detail)

    spans = [
        node("a", 0, 2, "w1"),
        node("b", 1, 3, "w1"),
        node("c", 2, None, "w1"),
        node("d", 9, 10, "w1"),
        node("e", 0, 9, "w0"),
        node("f", 0, 1),
        Span("block", "block", "node", 0, (0, 0), 1, tag="foreach"),
    ]
    assert [(label, [s.path for s in lane]) for label, lane in lanes_of_workers(spans)] == [
        ("here", ["f"]),
        ("w0", ["e"]),
        ("w1", ["a", "c"]),
        ("w1 (2)", ["b", "d"]),
    ]
    assert lanes_of_workers([node("f", 0, 1)]) == []
