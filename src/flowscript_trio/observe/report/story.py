"""Owns the story of a run as a report tells it: what a chronicle says, as spans, and who cancelled whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...types.paths import branch_in, is_iteration
from ...types.results import LEFT
from ..under_way import UnderWay, in_round
from .headline import counts_of, failure_of, state_of_drawing
from .lanes import Lane, lanes_of, lanes_of_workers
from .span import SUSPENDED, Span

Entry = Mapping[str, Any]
States = Mapping[int, Mapping[str, int]]
"""How often each node of a document ended in which way, by its number in the document."""


@dataclass(slots=True, eq=False)
class Story:
    """A whole run: its spans in the order of their lanes, the lanes, and the arrows between spans.

    ``arrows`` are pairs of indices of spans: from who caused a cancellation to each span that has it from there.
    ``workers`` are the lanes of the same run by where its nodes ran, with the spans of each; none if all ran here.
    ``drawing`` has the states of the document's nodes by their numbers in it.
    """

    head: dict[str, Any]
    spans: list[Span]
    lanes: list[Lane]
    workers: list[tuple[str, list[int]]]
    arrows: list[tuple[int, int]]
    drawing: States
    warnings: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For the page, ready for JSON."""
        return {
            "head": self.head,
            "lanes": [
                {
                    "label": lane.label,
                    "short": lane.short,
                    "depth": lane.depth,
                    "well": lane.ended_well,
                    "look": lane.look,
                    "undoes": lane.undoes,
                }
                for lane in self.lanes
            ],
            "workers": [{"label": label, "spans": spans} for label, spans in self.workers],
            "spans": [
                {
                    "path": span.path,
                    "label": span.label,
                    "key": span.key,
                    "kind": span.kind,
                    "start": span.start,
                    "end": span.end,
                    "state": span.state,
                    "look": span.look,
                    "block": span.is_block,
                    "lane": span.lane,
                    "parts": span.parts,
                    "detail": span.detail,
                }
                for span in self.spans
            ],
            "arrows": self.arrows,
            "drawing": self.drawing,
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
        self._ended: list[Span] = []
        """Those that have ended, in that order."""
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
                about = {key: entry.get(key) for key in ("type", "line", "column")}
                span = self._begin(entry, str(entry.get("label", path)), "node", about)
                span.tag, span.key = str(entry.get("tag", "")), int(entry.get("key", 0))
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
        ended = [*self._ended, *self._open.latest_first()]
        failure = failure_of(root, ended)
        lanes, spans = lanes_of(root)
        index = {id(span): number for number, span in enumerate(spans)}
        head = {
            **root.detail,
            "status": root.state,
            "ended": root.end is not None,
            "duration": self._now if root.end is None else root.end,
            "counts": counts_of(spans),
        }
        if failure is not None:
            head["failure"] = {
                "span": index[id(failure.span)],
                "place": failure.place,
                "cancelled": failure.cancelled,
            }
        arrows = []
        for span in spans:
            cause = span.detail.get("cancelled_by") or {}
            source = self._last.get(cause.get("by") or "")
            if span.state == "cancelled" and source is not None and id(source) in index:
                arrows.append((index[id(source)], index[id(span)]))
        workers = [
            (label, [index[id(span)] for span in found]) for label, found in lanes_of_workers(spans)
        ]
        drawing = state_of_drawing(root)
        return Story(head, spans, lanes, workers, arrows, drawing, self._warnings)

    def _begin(
        self, entry: Entry, label: str, kind: str, about: dict[str, Any], number: int = 0
    ) -> Span:
        path = str(entry.get("path", ""))
        order = (float(number), 0) if kind == "branch" else (self._now, self._count)
        self._count += 1
        span = Span(path, label, kind, self._now, order, detail=about)
        around = self._open.around(path) or self._root
        index = branch_in(path, around.path)
        if index is not None and kind == "node":
            label = in_round(label, index)
        if kind == "branch" and around.detail.get("limit") is not None and self._now > around.start:
            # All branches of a block want to begin when it does; what they wait for is its limit.
            span.parts.append(("token", around.start, self._now))
        around.children.append(span)
        self._open.begin(_number(entry), path, span)
        self._last[path] = span
        return span

    def _end(self, entry: Entry) -> None:
        number = _number(entry)
        span = self._open.end(number) if number else self._root
        if span is None:  # a branch that was cancelled before it started
            return
        self._stop_waiting(number, span)
        self._ended.append(span)
        span.end, span.state = self._now, str(entry.get("status", "success"))
        for key in (
            "output",
            "error",
            "cancelled_by",
            "delivered",
            "attempts",
            "replaced",
            "worker",
            "replayed",
        ):
            if entry.get(key) is not None:
                span.detail[key] = entry[key]
        if span.detail.get("cancelled_by", {}).get("reason") == LEFT:
            span.state = SUSPENDED
            del span.detail["cancelled_by"]

    def _stop_waiting(self, number: int, span: Span) -> None:
        waited = self._waiting.pop(number, None)
        if waited is not None:
            span.parts.append((waited[0], waited[1], self._now))


def _number(entry: Entry) -> int:
    """The number of the execution that an entry tells of; 0 for the run itself."""
    return int(entry.get("execution", 0))
