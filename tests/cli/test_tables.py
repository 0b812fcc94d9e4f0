"""Owns the tests of how a run's tree is drawn: rates, times that are left, what failed first."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from flowscript_trio.cli.tables import draw
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types.events import BlockStarted, BranchEnded, BranchStarted, NodeStarted


def shown(tag: str, done: int, branches: int | None, now: float, **options: Any) -> list[str]:
    """The lines of a tree in which a block began at 0 and so many of its branches have ended."""
    node: Any = type("Node", (), {"label": "each", "tag": tag, "key": 1})()
    tree = RunTree()
    tree(NodeStarted(time=0, path="each", execution=1, node=node))
    tree(BlockStarted(time=0, path="each", execution=1, branches=branches, limit=10))
    for index in range(done):
        path, number = f"each[{index}]", index + 2
        tree(BranchStarted(time=0, path=path, execution=number, index=index))
        status: Any = "failed" if index in options.get("failed", ()) else "success"
        at = now - options.get("failed", {}).get(index, 0)
        tree(BranchEnded(time=at, path=path, execution=number, index=index, status=status))
    written = StringIO()
    picture = draw(tree, now, 50, failed_first="failed" in options)
    Console(width=200, file=written).print(picture)
    return written.getvalue().splitlines()


@pytest.mark.parametrize(
    ("done", "branches", "now", "said"),
    [
        (20, 50, 2.0, "20/50  10/s, 3 s left"),
        (5, 10, 2.0, "5/10  2.5/s, 2 s left"),
        (5, 1000, 10.0, "5/1000  30/min, 33 min 10 s left"),
        (1, 1000, 60.0, "1/1000  1/min, 16 h 39 min left"),
        (4, None, 2.0, "4 done  2.0/s"),
    ],
)
def test_a_foreach_says_how_fast_it_is_and_when_it_will_be_done(
    done: int, branches: int | None, now: float, said: str
) -> None:
    line = shown("foreach", done, branches, now)[1]
    assert line.endswith(said), line


@pytest.mark.parametrize(("tag", "done", "now"), [("foreach", 0, 2.0), ("parallel", 2, 2.0)])
def test_what_cannot_be_guessed_is_not_said(tag: str, done: int, now: float) -> None:
    assert "left" not in shown(tag, done, 4, now)[1]


def test_what_failed_stands_first_in_the_order_in_which_it_did() -> None:
    lines = shown("foreach", 5, 5, 9.0, failed={2: 1.0, 4: 3.0})
    names = [line.split("iteration ")[1].split()[0] for line in lines if "iteration" in line]
    assert names == ["4", "2", "0", "1", "3"]
