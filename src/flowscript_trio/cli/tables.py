"""Owns the drawing of a run's tree with rich."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from ..observe.outline import Fold, outline
from ..observe.tree import RUNNING, SUSPENDED, RunTree, TreeItem
from ..types.printing import one_line, printable
from .reports import name_error

MARKS = {
    RUNNING: ("●", "cyan"),
    "success": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "cancelled": ("⊘", "yellow"),
    "skipped": ("–", "dim"),
    SUSPENDED: ("○", "magenta"),
}
"""The marks of nodes, branches and runs in a tree, by their states."""


STOOD_IN = ("↪", "yellow")
"""The mark of a node that failed, and whose fallback took its place."""

_WORDS = {"success": "succeeded"}

BAR = 16
"""The width of a bar, in characters."""

_AT_ITS_END = {
    "token": "while it waited for {awaited}",
    "retry": "while it waited for attempt {attempt}",
    "delay": "while it slept",
}


def draw(tree: RunTree, now: float, rows: int, failed_first: bool = False) -> Group:
    """The tree as it is at ``now`` (seconds of trio's clock), in about that many rows.

    ``failed_first``: what failed is above what it cancelled, and not where the document has it.
    """
    levels = [Tree(_line(tree.root, tree.name or "…", now))]
    for row in outline(tree.root, rows, failed_first):
        del levels[row.depth :]
        line = _fold(row) if isinstance(row, Fold) else _line(row.item, _label(row.item), now)
        levels.append(levels[-1].add(line))
    warnings = [Text(f"warning: {printable(w)}", style="yellow") for w in tree.warnings]
    return Group(levels[0], *warnings)


def _label(item: TreeItem) -> str:
    return item.label if item.node is None else f"{item.label} <{item.node.tag}>"


def _line(item: TreeItem, label: str, now: float) -> Text:
    mark, style = STOOD_IN if _stood_in(item) else MARKS[item.state]
    seconds = (now if item.ended is None else item.ended) - item.started
    line = Text.assemble((f"{mark} ", style), one_line(label), (f"  {seconds:.2f} s", "dim"))
    if item.replayed and item.node is not None:
        line.append("  restored", style="dim")
    if item.worker is not None:
        line.append(f"  {one_line(item.worker)}", style="cyan")
    if item.state == RUNNING:
        _progress(line, item, now)
    if item.state == "failed" and item.error is not None and not _is_from_below(item):
        line.append(f"  {_name(item.error)}", style="red")
    if item.replaced is not None:
        said = "its fallback failed after" if item.state == "failed" else "a fallback stood in for"
        line.append(f"  {said} {_name(item.replaced)}", style="yellow")
    if item.state == "cancelled" and item.wait is not None:
        at_its_end = _AT_ITS_END[item.wait.kind]
        said = at_its_end.format(attempt=item.wait.attempt, awaited=item.wait.awaited)
        line.append(f"  {said}", style="yellow")
    if item.cancelled_by is not None:
        line.append(f"  {one_line(item.cancelled_by.reason)}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _stood_in(item: TreeItem) -> bool:
    return item.state == "success" and item.replaced is not None


def _name(error: BaseException) -> str:
    """An error on one line; the line ends where the terminal does."""
    return one_line(name_error(error).partition("\n")[0])


def _progress(line: Text, item: TreeItem, now: float) -> None:
    """How far an item is that runs: of its branches, or of what it waits for."""
    done = sum(item.counts.values())
    if item.branches:
        _bar(line, done / item.branches)
        line.append(f" {done}/{item.branches}{_pace(item, done, now)}", style="dim")
    elif done and item.node is not None:
        line.append(f"  {done} done{_pace(item, done, now)}", style="dim")
    if item.wait is None:
        return
    share, left = item.wait.share(now), item.wait.left(now)
    if share is not None:
        _bar(line, share)
    if item.wait.kind == "retry":
        line.append(f" attempt {item.wait.attempt} in {left:.1f} s", style="yellow")
    elif item.wait.kind == "token":
        line.append(f"  waits for {item.wait.awaited}", style="magenta")


def _pace(item: TreeItem, done: int, now: float) -> str:
    """How many iterations of a ``<foreach>`` end in a second, and when the last will at that rate.

    Iterations are alike, so that one tells something of the next; branches and rounds are not, or do not know
    how many there will be. Those that an earlier process of a durable run did took no time of this one.
    """
    passed, did = now - item.started, done - item.restored
    if item.node is None or item.node.tag != "foreach" or did <= 0 or passed <= 0:
        return ""
    rate = did / passed
    said = (
        f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.2g}/min"
    )
    if not item.branches:
        return f"  {said}"
    return f"  {said}, {_duration((item.branches - done) / rate)} left"


def _duration(seconds: float) -> str:
    """A time that is only estimated: in two units at most."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _bar(line: Text, share: float) -> None:
    filled = round(share * BAR)
    line.append("  ").append("━" * filled, style="cyan").append(
        "━" * (BAR - filled), style="grey37"
    )


def _is_from_below(item: TreeItem) -> bool:
    """Whether the error of an item is that of an item inside it, where it is shown."""
    return any(child.error is item.error for child in item.kept.get("failed", ()))


def _fold(fold: Fold) -> Text:
    parts = [f"{count} {_WORDS.get(state, state)}" for state, count in fold.counts.items()]
    return Text(f"… {sum(fold.counts.values())} more: {', '.join(parts)}", style="dim")
