"""Owns the story of a run as a report tells it: spans on lanes, and who cancelled whom. Pure.

A lane is a line of the page. Each branch and iteration has one of its own, on which its nodes lie; so has
each node that runs beside others. What has lanes of its own below it (a block) stands above them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ...types.paths import is_iteration
from ..under_way import UnderWay

Entry = Mapping[str, Any]
RUNNING = "running"


@dataclass(slots=True, eq=False)
class Span:
    """A node, a branch or an iteration, with all that is told of it; times are in seconds since the run began.

    ``state`` is a status, or ``running`` where the record ends before it did. ``parts`` are what it did
    besides its work: ``token`` or ``retry`` with two times; a branch waits for its token before it begins.
    ``detail`` is what a click shows.
    """

    path: str
    label: str
    kind: str
    start: float
    order: tuple[float, int]
    end: float | None = None
    state: str = RUNNING
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    children: list[Span] = field(default_factory=list)
    lane: int = 0


@dataclass(slots=True, eq=False)
class Story:
    """A whole run: its spans in the order of their lanes, the depth of each lane, and the arrows between spans.

    ``arrows`` are pairs of indices of spans: from who caused a cancellation to each span that has it from there.
    """

    head: dict[str, Any]
    spans: list[Span]
    lanes: list[tuple[str, int]]
    arrows: list[tuple[int, int]]
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For the page, ready for JSON."""
        return {
            "head": self.head,
            "lanes": [{"label": label, "depth": depth} for label, depth in self.lanes],
            "spans": [
                {
                    "path": span.path,
                    "label": span.label,
                    "kind": span.kind,
                    "start": span.start,
                    "end": span.end,
                    "state": span.state,
                    "lane": span.lane,
                    "parts": span.parts,
                    "detail": span.detail,
                }
                for span in self.spans
            ],
            "arrows": self.arrows,
            "warnings": self.warnings,
        }


def story_of(entries: Iterable[Entry]) -> Story:
    """The story that a chronicle tells; it may end early, where the process was killed."""
    teller = _Teller()
    for entry in entries:
        teller.take(entry)
    return teller.finish()


class _Teller:
    def __init__(self) -> None:
        self._root = Span("", "", "run", 0.0, (0.0, 0))
        self._open: UnderWay[Span] = UnderWay()
        self._last: dict[str, Span] = {}
        """The last span of each path."""
        self._waiting: dict[int, tuple[str, float]] = {}
        """Since when an execution waits, and for what."""
        self._warnings: list[str] = []
        self._now = 0.0
        self._count = 0

    def take(self, entry: Entry) -> None:
        self._now = now = float(entry.get("time", self._now))
        path = str(entry.get("path", ""))
        number = _number(entry)
        span = self._open.get(number) if number else self._root
        match entry.get("event"):
            case "run-started":
                known = ("name", "run", "file", "started")
                self._root.detail.update({key: entry.get(key) for key in known})
            case "node-started":
                about = {key: entry.get(key) for key in ("type", "line")}
                self._begin(entry, str(entry.get("label", path)), "node", about)
            case "branch-started":
                word = "iteration" if is_iteration(path) else "branch"
                index = int(entry.get("index", 0))
                self._begin(entry, f"{word} {index}", "branch", {}, index)
            case "node-ended" | "branch-ended" | "run-ended":
                self._end(entry)
            case "block-started" if span is not None:
                span.detail["branches"] = entry.get("branches")
                span.detail["limit"] = entry.get("limit")
            case "attempt-started" if span is not None:
                self._stop_waiting(number, span)
                span.detail["attempts"] = entry.get("attempt", 1)
                if "input" in entry:
                    span.detail["input"] = entry["input"]
            case "attempt-failed" if span is not None:
                span.detail.setdefault("failed attempts", []).append(entry.get("error"))
                self._waiting[number] = "retry", now
            case "token-awaited" if span is not None:
                self._waiting[number] = "token", now
                if "limits" in entry:
                    span.detail["limits"] = entry["limits"]
            case "token-taken" if span is not None:
                self._stop_waiting(number, span)
            case "cancel-requested" if span is not None:
                cancels = span.detail.setdefault("cancels", [])
                cancels.append({"at": now, "reason": entry.get("reason")})
            case "warning":
                self._warnings.append(str(entry.get("message", "")))

    def finish(self) -> Story:
        for number in list(self._waiting):
            span = self._open.get(number)
            if span is not None:
                self._stop_waiting(number, span)
        root = self._root
        head = {
            **root.detail,
            "status": root.state,
            "ended": root.end is not None,
            "duration": self._now if root.end is None else root.end,
        }
        spans: list[Span] = []
        lanes: list[tuple[str, int]] = []
        for child in sorted(root.children, key=_order):
            _lay(child, 0, lanes, spans)
        index = {id(span): number for number, span in enumerate(spans)}
        arrows = []
        for span in spans:
            cause = span.detail.get("cancelled_by") or {}
            source = self._last.get(cause.get("by") or "")
            if span.state == "cancelled" and source is not None and id(source) in index:
                arrows.append((index[id(source)], index[id(span)]))
        return Story(head, spans, lanes, arrows, self._warnings)

    def _begin(
        self, entry: Entry, label: str, kind: str, about: dict[str, Any], number: int = 0
    ) -> None:
        path = str(entry.get("path", ""))
        order = (float(number), 0) if kind == "branch" else (self._now, self._count)
        self._count += 1
        span = Span(path, label, kind, self._now, order, detail=about)
        around = self._open.around(path) or self._root
        if kind == "branch" and around.detail.get("limit") is not None and self._now > around.start:
            # All branches of a block want to begin when it does; what they wait for is its limit.
            span.parts.append(("token", around.start, self._now))
        around.children.append(span)
        self._open.begin(_number(entry), path, span)
        self._last[path] = span

    def _end(self, entry: Entry) -> None:
        number = _number(entry)
        span = self._open.end(number) if number else self._root
        if span is None:  # a branch that was cancelled before it started
            return
        self._stop_waiting(number, span)
        span.end, span.state = self._now, str(entry.get("status", "success"))
        for key in (
            "output",
            "error",
            "cancelled_by",
            "delivered",
            "attempts",
            "replaced",
            "worker",
        ):
            if entry.get(key) is not None:
                span.detail[key] = entry[key]

    def _stop_waiting(self, number: int, span: Span) -> None:
        waited = self._waiting.pop(number, None)
        if waited is not None:
            span.parts.append((waited[0], waited[1], self._now))


def _number(entry: Entry) -> int:
    """The number of the execution that an entry tells of; 0 for the run itself."""
    return int(entry.get("execution", 0))


def _order(span: Span) -> tuple[float, int]:
    return span.order


def _lay(span: Span, depth: int, lanes: list[tuple[str, int]], spans: list[Span]) -> None:
    """Give a span a lane of its own, and those inside of it theirs, below."""
    stack = [(span, depth, -1)]
    while stack:
        span, depth, lane = stack.pop()
        if lane < 0:
            lane = len(lanes)
            lanes.append((_lane_label(span), depth))
        span.lane = lane
        spans.append(span)
        children = sorted(span.children, key=_order)
        if span.kind == "branch" and not _overlap(children):
            # On the branch's own lane, but for what those have inside of them.
            stack += [(child, depth, lane) for child in reversed(children)]
        else:
            stack += [(child, depth + 1, -1) for child in reversed(children)]


def _lane_label(span: Span) -> str:
    """What a lane is called: with the worker, where what lies on it ran on one."""
    inside = span.children if span.kind == "branch" else ()
    workers = dict.fromkeys(each.detail.get("worker") for each in (span, *inside))
    named = [str(worker) for worker in workers if worker]
    return span.label if not named else f"{span.label} · {', '.join(named)}"


def _overlap(spans: list[Span]) -> bool:
    return any(a.end is None or a.end > b.start for a, b in pairwise(spans))
