from __future__ import annotations

from typing import Any

import pytest

from flowscript_trio.observe.outline import Fold, Row, outline
from flowscript_trio.observe.tree import RunTree, TreeItem
from flowscript_trio.types.events import (
    BlockStarted,
    BranchEnded,
    BranchStarted,
    Event,
    NodeEnded,
    NodeStarted,
    RunEnded,
    RunStarted,
    RunWarning,
)
from flowscript_trio.types.location import Location
from flowscript_trio.types.results import Cancellation, NodeResult

from stubs import Stubs

FETCH = """
<parallel id="p">
  <branch><source:stub id="a" hangs="true"/></branch>
  <branch><source:stub id="b" takes="10ms"/><source:stub id="c" takes="10ms" fails="no"/></branch>
</parallel>
<source:stub id="never" if="false"/>
"""


def picture(root: TreeItem, rows: int = 100) -> list[str]:
    """The outline as text: a line a row, indented by its depth."""
    lines = []
    for row in outline(root, rows):
        said = f"{row.item.label} {row.item.state}" if isinstance(row, Row) else str(row.counts)
        lines.append("  " * (row.depth - 1) + said)
    return lines


def foreach_events(states: list[str]) -> list[Event]:
    """The events of a ``<foreach>`` whose iterations all start, and then end in those states."""
    node: Any = type("Node", (), {"label": "each", "tag": "foreach", "key": 1})()
    events: list[Event] = [
        RunStarted(time=0, path="", run_id="1", name="w"),
        NodeStarted(time=0, path="each", execution=1, node=node),
        BlockStarted(time=0, path="each", execution=1, branches=len(states), limit=10),
    ]
    for index in range(len(states)):
        path = f"each[{index}]"
        events.append(BranchStarted(time=1, path=path, execution=index + 2, index=index))
    for index, state in enumerate(states):
        if state != "running":
            path, number = f"each[{index}]", index + 2
            ended = BranchEnded(time=2, path=path, execution=number, index=index, status=state)
            events.append(ended)
    return events


def grown(events: list[Event], **options: Any) -> RunTree:
    tree = RunTree(**options)
    for event in events:
        tree(event)
    return tree


async def test_the_tree_of_a_real_run_shows_each_node_in_its_branch_and_who_was_cancelled(
    autojump_clock: Any,
) -> None:
    tree = RunTree()
    with pytest.raises(ValueError, match="no"):
        await Stubs().run(FETCH, observers=[tree])
    assert tree.name == "test"
    assert tree.root.state == "failed"
    assert picture(tree.root) == [
        "p failed",
        "  branch 0 cancelled",
        "    a cancelled",
        "  branch 1 failed",
        "    b success",
        "    c failed",
        "never skipped",
    ]
    [block, _] = [row.item for row in outline(tree.root, 100) if row.depth == 1]
    assert block.branches == 2
    [first] = [row.item for row in outline(tree.root, 100) if row.item.label == "a"]
    assert first.cancelled_by is not None
    assert first.cancelled_by.by == "p/1"
    assert first.ended is not None
    assert first.ended - first.started == pytest.approx(0.02)


async def test_the_rounds_of_a_loop_stand_below_it(autojump_clock: Any) -> None:
    tree = RunTree()
    text = '<loop id="l" max="2"><source:stub id="a"/><source:stub id="b"/></loop>'
    await Stubs().run(text, observers=[tree])
    assert tree.root.state == "success"
    assert picture(tree.root) == [
        "l success",
        "  [0] a success",
        "  [0] b success",
        "  [1] a success",
        "  [1] b success",
    ]


def test_of_those_that_ended_well_the_last_are_kept_and_the_others_counted() -> None:
    tree = grown(foreach_events(["success"] * 50), room=3)
    assert picture(tree.root) == [
        "each running",
        "  iteration 47 success",
        "  iteration 48 success",
        "  iteration 49 success",
        "  {'success': 47}",
    ]


def test_what_failed_is_shown_first_and_the_rest_by_how_much_it_tells() -> None:
    states = ["success"] * 30 + ["running"] * 5 + ["cancelled"] * 4 + ["failed"] * 2
    tree = grown(foreach_events(states))
    [each] = tree.root.running.values()
    assert picture(tree.root, rows=9) == [
        "each running",
        "  iteration 30 running",
        "  iteration 31 running",
        "  iteration 32 running",
        "  iteration 39 failed",
        "  iteration 40 failed",
        "  {'running': 2, 'cancelled': 4, 'success': 30}",
    ]
    assert each.counts == {"success": 30, "cancelled": 4, "failed": 2}


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 20, 40])
def test_the_outline_never_has_more_rows_than_asked_for(rows: int) -> None:
    tree = grown(foreach_events(["success"] * 20 + ["failed"] * 20 + ["running"] * 20))
    lines = outline(tree.root, rows)
    assert 0 < len(lines) <= rows
    assert isinstance(lines[0], Row)
    if rows >= 3:
        assert isinstance(lines[-1], Fold)


def test_ten_thousand_running_nodes_are_folded_to_a_screen() -> None:
    tree = grown(foreach_events(["running"] * 10_000))
    assert len(outline(tree.root, 40)) <= 40


def test_the_tree_of_a_long_run_does_not_grow() -> None:
    tree = grown(foreach_events(["cancelled", "success", "failed", "skipped"] * 5_000), room=10)
    [each] = tree.root.running.values()
    assert sum(len(kept) for kept in each.kept.values()) == 40
    assert not each.running
    assert sum(each.counts.values()) == 20_000


def test_a_branch_that_never_started_is_no_twig() -> None:
    by = Cancellation("each[0]", "each[0] failed: ValueError", 1.0)
    ended = BranchEnded(
        time=2, path="each[1]", execution=9, index=1, status="cancelled", cancelled_by=by
    )
    tree = grown([*foreach_events(["failed"]), ended])
    assert picture(tree.root) == ["each running", "  iteration 0 failed"]


def test_warnings_are_kept_up_to_a_number() -> None:
    tree = RunTree(room=2)
    for number in range(5):
        tree(RunWarning(time=0, path="a", message=f"warning {number}"))
    assert list(tree.warnings) == ["warning 3", "warning 4"]


def test_the_end_of_the_run_gives_the_root_its_state_and_time() -> None:
    for status, state in [
        ("completed", "success"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
    ]:
        tree = RunTree()
        tree(RunStarted(time=5, path="", run_id="1", name="w"))
        tree(RunEnded(time=7, path="", status=status, error=None))  # type: ignore[arg-type]
        assert (tree.root.state, tree.root.started, tree.root.ended) == (state, 5, 7)


def test_a_node_that_ends_keeps_its_error() -> None:
    error = ValueError("x")
    node: Any = type("Node", (), {"label": "a", "tag": "source", "key": 1})()
    result = NodeResult("a", "a", "a", "failed", None, 0, 1, Location("f", 1, 1), error=error)
    tree = RunTree()
    tree(NodeStarted(time=0, path="a", execution=1, node=node))
    tree(NodeEnded(time=1, path="a", execution=1, node=node, result=result))
    [row] = outline(tree.root, 10)
    assert isinstance(row, Row)
    assert row.item.error is error
