"""Every execution of a run has a path of its own, and a number."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.observe.chronicle import Chronicle
from flowscript_trio.observe.replay import events_of
from flowscript_trio.observe.report.story import story_of
from flowscript_trio.observe.trace import Trace
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types.events import BranchEnded, BranchStarted, Event, NodeEnded, NodeStarted

REGISTRY = fs.Registry(base=fs.registry)
FAILURES: Counter[str] = Counter()


@REGISTRY.runtime("source:fails")
async def fails(params: fs.ExecutionParams) -> str:
    """Fails so many ``times``, and then gives its label."""
    await trio.sleep(0.1)
    label = params.node.label
    FAILURES[label] += 1
    if FAILURES[label] <= int(params.config.get("times", 1000)):
        raise ConnectionError(label)
    return label


def events(body: str) -> list[Event]:
    """What happens in a run, however it ends."""
    FAILURES.clear()
    seen: list[Event] = []

    async def main() -> None:
        try:
            flow = fs.loads(f'<workflow name="w">{body}</workflow>', registry=REGISTRY)
            await fs.run(flow, observers=[seen.append])
        except ConnectionError:
            pass

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return seen


def started(body: str) -> list[str]:
    return [event.path for event in events(body) if isinstance(event, (NodeStarted, BranchStarted))]


RETRY = '<on-error><retry max="1" when="true" base="1s"/></on-error>'
BODY = '<source:fails id="a" times="1"/>'
BLOCKS = {
    "parallel": (f'<parallel id="b"><branch>{BODY}</branch>{RETRY}</parallel>', "b/0/a", "b~2/0/a"),
    "foreach": (
        f'<foreach id="b" collection="[1]">{BODY}{RETRY}</foreach>',
        "b[0]/a",
        "b~2[0]/a",
    ),
    "loop": (f'<loop id="b" max="1">{BODY}{RETRY}</loop>', "b[0]/a", "b~2[0]/a"),
    "while": (
        f'<while id="b" condition="$iteration == 0">{BODY}{RETRY}</while>',
        "b[0]/a",
        "b~2[0]/a",
    ),
    "if": (f'<if id="b" condition="true"><then>{BODY}</then>{RETRY}</if>', "b/a", "b~2/a"),
    "timeout": (f'<timeout id="b" duration="9s">{BODY}{RETRY}</timeout>', "b/a", "b~2/a"),
}


@pytest.mark.parametrize("block", BLOCKS)
def test_what_runs_in_a_further_attempt_of_a_block_has_a_path_of_its_own(block: str) -> None:
    body, first, second = BLOCKS[block]
    paths = started(body)
    assert first in paths
    assert second in paths
    assert max(Counter(paths).values()) == 1


def test_attempts_of_blocks_inside_one_another_are_told_apart() -> None:
    inner = f'<if id="i" condition="true"><then><source:fails id="a" times="3"/></then>{RETRY}</if>'
    paths = started(f'<if id="o" condition="true"><then>{inner}</then>{RETRY}</if>')
    leaves = [path for path in paths if path.endswith("a")]
    assert leaves == ["o/i/a", "o/i~2/a", "o~2/i/a", "o~2/i~2/a"]


def test_a_node_that_is_tried_again_is_one_execution() -> None:
    assert started(f'<source:fails id="a" times="1">{RETRY}</source:fails>') == ["a"]


def test_handlers_of_an_error_and_of_a_time_limit_are_told_apart() -> None:
    paths = started(
        """
        <timeout id="t" duration="1s" on-timeout="h">
          <delay duration="9s"/>
          <on-error><retry max="1" when="true"/><fallback node="h"/></on-error>
        </timeout>
        <source:fails id="h" times="2"/>
        """
    )
    assert [path for path in paths if path.endswith("/h")] == [
        "t/@on-timeout/h",
        "t~2/@on-timeout/h",
        "t/@fallback/h",
    ]


def test_a_fallback_of_a_document_is_no_node_of_the_document(tmp_path: Any) -> None:
    (tmp_path / "lib.xml").write_text(
        '<workflow name="lib"><set id="h" var="x" value="1"/><source:fails id="z" after="h"/></workflow>'
    )
    (tmp_path / "w.xml").write_text(
        """<workflow name="w">
        <include id="lib" workflow="lib.xml"><on-error><fallback node="h"/></on-error></include>
        <set id="h" var="x" value="2"/></workflow>"""
    )
    run = trio.run(fs.run, fs.load(tmp_path / "w.xml", registry=REGISTRY))
    assert [result.status for result in run.record["lib/h"]] == ["success"]
    assert [result.status for result in run.record["lib/@fallback/h"]] == ["success"]


CLEANUP = """
<source:fails id="{id}" times="0"><compensate><set id="{id}-undone" var="x" value="1"/></compensate></source:fails>
<phase name="p"><set id="body" var="y" value="1"/><finally><set id="out" var="y" value="2"/></finally></phase>
<source:fails id="z" after="p {id}"/>
<on-workflow-error><set id="told" var="x" value="1"/></on-workflow-error>
<finally><set id="last" var="x" value="1"/></finally>
"""


@pytest.mark.parametrize("word", ["finally", "compensate", "on-workflow-error"])
def test_clean_up_is_told_from_a_node_of_that_name(word: str) -> None:
    paths = set(started(CLEANUP.replace("{id}", word)))
    assert paths >= {
        word,
        f"{word}/@compensate/{word}-undone",
        "p/@finally/out",
        "@on-workflow-error/told",
        "@finally/last",
    }


@pytest.mark.parametrize(
    ("body", "labels"),
    [
        (
            '<delay duration="1s"/><delay duration="3s"/>',
            ["delay@1:20", "delay@1:42"],
        ),
        ('<delay duration="1s"/>\n<delay duration="3s"/>', ["delay@1", "delay@2"]),
        ('<delay duration="1s"/><set var="a" value="1"/>', ["delay@1", "set@1"]),
        ('<phase name="a b"/>\n<phase name="a b"/>', ["a b@1:20", "a b@2:1"]),
        ('<phase name="a/b"/><phase name="7"/>', ["a%2Fb", "%37"]),
    ],
)
def test_labels_are_unique_in_a_body(body: str, labels: list[str]) -> None:
    assert sorted(started(body)) == sorted(labels)  # a pass runs in any order
    flow = fs.loads(f'<workflow name="w">{body}</workflow>')
    assert [node.label for node in flow.document.body.nodes] == labels


def test_each_execution_has_a_number_that_all_its_events_bear() -> None:
    seen = events(BLOCKS["parallel"][0])
    numbers: dict[str, int] = {}
    for event in seen:
        if isinstance(event, (NodeStarted, BranchStarted)):
            assert event.execution == len(numbers) + 1
            numbers[event.path] = event.execution
        elif event.path:
            assert event.execution == numbers[event.path], event
        else:
            assert event.execution == 0
    assert len(numbers) == 5


ON_ONE_LINE = '<delay duration="1s"/><delay duration="3s"/>'


def test_the_report_the_tree_and_the_trace_tell_nodes_on_one_line_apart() -> None:
    entries: list[dict[str, Any]] = []
    slices: list[dict[str, Any]] = []
    chronicle, tree, trace = Chronicle(entries.append), RunTree(), Trace(slices.append)
    for event in events(ON_ONE_LINE):
        for observer in (chronicle, tree, trace):
            observer(event)
    spans = story_of(entries).spans
    assert sorted((span.state, span.start, span.end) for span in spans) == [
        ("success", 0, 1),
        ("success", 0, 3),
    ]
    assert tree.root.counts == {"success": 2}
    assert not tree.root.running
    phases = Counter(entry["ph"] for entry in slices)
    assert phases["B"] == phases["E"] == 3


def test_a_chronicle_gives_back_the_numbers_and_labels() -> None:
    entries: list[dict[str, Any]] = []
    chronicle = Chronicle(entries.append)
    seen = events(ON_ONE_LINE)
    for event in seen:
        chronicle(event)
    replayed = list(events_of(entries))
    assert [event.execution for event in replayed] == [event.execution for event in seen]
    ended = [event for event in replayed if isinstance(event, NodeEnded)]
    assert [event.node.label for event in ended] == ["delay@1:20", "delay@1:42"]


def test_a_warning_of_a_node_bears_its_path_and_number() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:warns")
    async def warns(params: fs.ExecutionParams) -> None:
        params.run.warn(params.node, "look")

    flow = fs.loads(
        '<workflow name="w"><foreach id="g" collection="[1, 2]"><source:warns id="a"/></foreach></workflow>',
        registry=registry,
    )
    seen: list[Event] = []
    with pytest.warns(fs.FlowScriptWarning):
        run = trio.run(lambda: fs.run(flow, observers=[seen.append]))
    assert [warned.path for warned in run.warnings] == ["g[0]/a", "g[1]/a"]
    begun = [event.execution for event in seen if isinstance(event, NodeStarted)][1:]
    warned = [event for event in seen if type(event).__name__ == "RunWarning"]
    assert [event.execution for event in warned] == begun


async def test_what_had_begun_before_anybody_listened_is_told_apart_as_well(
    autojump_clock: MockClock,
) -> None:
    text = """<workflow name="w"><parallel id="p">
      <branch><delay id="a" duration="3s"/><delay id="c" duration="1s"/></branch>
      <branch><delay id="b" duration="5s"/></branch></parallel></workflow>"""
    heard: list[Event] = []
    async with fs.open_run(fs.loads(text)) as run:
        await trio.sleep(1)
        heard = [event async for event in run.events()]
    ends = [event for event in heard if isinstance(event, (NodeEnded, BranchEnded))]
    assert [event.path for event in ends] == ["p/0/a", "p/0/c", "p/0", "p/1/b", "p/1", "p"]
    assert len({event.execution for event in ends}) == len(ends)
    assert 0 not in {event.execution for event in ends}
    (begun,) = (event for event in heard if isinstance(event, NodeStarted))
    assert begun.execution == next(event.execution for event in ends if event.path == begun.path)
