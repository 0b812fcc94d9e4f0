"""Owns the drawing of a run's tree with rich."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from ..observe.outline import Fold, outline
from ..observe.tree import RUNNING, RunTree, Twig
from ..types.printing import one_line, printable
from .reports import name_error

MARKS = {
    RUNNING: ("●", "cyan"),
    "success": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "cancelled": ("⊘", "yellow"),
    "skipped": ("–", "dim"),
}


BAR = 16
"""The width of a bar, in characters."""

_AT_ITS_END = {
    "token": "while it waited for a token",
    "retry": "while it waited for attempt {}",
    "delay": "while it slept",
}


def draw(tree: RunTree, now: float, rows: int) -> Group:
    """The tree as it is at ``now`` (seconds of trio's clock), in about that many rows."""
    levels = [Tree(_line(tree.root, tree.name or "…", now))]
    for row in outline(tree.root, rows):
        del levels[row.depth :]
        line = _fold(row) if isinstance(row, Fold) else _line(row.twig, _label(row.twig), now)
        levels.append(levels[-1].add(line))
    warnings = [Text(f"warning: {printable(w)}", style="yellow") for w in tree.warnings]
    return Group(levels[0], *warnings)


def _label(twig: Twig) -> str:
    return twig.label if twig.node is None else f"{twig.label} <{twig.node.tag}>"


def _line(twig: Twig, label: str, now: float) -> Text:
    mark, style = MARKS[twig.state]
    seconds = (now if twig.ended is None else twig.ended) - twig.started
    line = Text.assemble((f"{mark} ", style), one_line(label), (f"  {seconds:.2f} s", "dim"))
    if twig.state == RUNNING:
        _progress(line, twig, now)
    if twig.state == "failed" and twig.error is not None and not _is_from_below(twig):
        line.append(f"  {_name(twig.error)}", style="red")
    if twig.replaced is not None:
        said = "its fallback failed after" if twig.state == "failed" else "a fallback stood in for"
        line.append(f"  {said} {_name(twig.replaced)}", style="yellow")
    if twig.state == "cancelled" and twig.wait is not None:
        line.append(f"  {_AT_ITS_END[twig.wait.kind].format(twig.wait.attempt)}", style="yellow")
    if twig.cancelled_by is not None:
        line.append(f"  {one_line(twig.cancelled_by.reason)}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _name(error: BaseException) -> str:
    """An error on one line; the line ends where the terminal does."""
    return one_line(name_error(error).partition("\n")[0])


def _progress(line: Text, twig: Twig, now: float) -> None:
    """How far a twig is that runs: of its branches, or of what it waits for."""
    done = sum(twig.counts.values())
    if twig.branches:
        _bar(line, done / twig.branches)
        line.append(f" {done}/{twig.branches}", style="dim")
    elif done and twig.node is not None:
        line.append(f"  {done} done", style="dim")
    if twig.wait is None:
        return
    share, left = twig.wait.share(now), twig.wait.left(now)
    if share is not None:
        _bar(line, share)
    if twig.wait.kind == "retry":
        line.append(f" attempt {twig.wait.attempt} in {left:.1f} s", style="yellow")
    elif twig.wait.kind == "token":
        line.append("  waits for a token", style="magenta")


def _bar(line: Text, share: float) -> None:
    filled = round(share * BAR)
    line.append("  ").append("━" * filled, style="cyan").append(
        "━" * (BAR - filled), style="grey37"
    )


def _is_from_below(twig: Twig) -> bool:
    """Whether the error of a twig is that of a twig inside it, where it is shown."""
    return any(child.error is twig.error for child in twig.kept.get("failed", ()))


def _fold(fold: Fold) -> Text:
    parts = [f"{count} {state}" for state, count in fold.counts.items()]
    return Text(f"… {sum(fold.counts.values())} more: {', '.join(parts)}", style="dim")
