"""Owns the drawing of a run's tree with rich."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from ..observe.tree import RunTree, Twig

MARKS = {
    "running": ("●", "cyan"),
    "success": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "cancelled": ("⊘", "yellow"),
    "skipped": ("–", "dim"),
}


def draw(tree: RunTree, now: float) -> Tree:
    """The tree as it is at ``now`` (trio's clock)."""
    state = {"completed": "success", None: "running"}.get(tree.status, tree.status)
    drawn = Tree(
        _line(state or "running", tree.name, (tree.root.ended or now) - tree.root.started, "")
    )
    _add(drawn, tree.root, now)
    return drawn


def _add(drawn: Tree, twig: Twig, now: float) -> None:
    for child in twig.children.values():
        took = (child.ended or now) - child.started
        why = child.why
        result = child.result
        if result is not None and result.error is not None and child.state == "failed":
            why = f"{type(result.error).__name__}: {result.error}".split("\n")[0][:100]
        _add(drawn.add(_line(child.state, _label(child), took, why)), child, now)
    folded = sum(twig.counts.values()) - sum(c.state != "running" for c in twig.children.values())
    if folded > 0:
        drawn.add(Text(f"… {folded} more", style="dim"))


def _label(twig: Twig) -> str:
    if twig.node is None:
        return f"branch {twig.label}"
    return f"{twig.label} <{twig.node.tag}>"


def _line(state: str, label: str, took: float, why: str) -> Text:
    mark, style = MARKS[state]
    line = Text.assemble((f"{mark} ", style), label, (f"  {took:.2f} s", "dim"))
    if why:
        line.append(f"  {why}", style="dim" if state != "failed" else "red")
    return line
