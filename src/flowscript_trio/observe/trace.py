"""Owns the trace of a run in the format of Chrome's and Perfetto's trace viewers.

The format is "Trace Event Format" (Duiker, Google, 2016): slices begin (``B``) and end (``E``) on tracks, and
those of one track lie inside of one another; instants (``i``); arrows from one slice (``s``) to another (``f``).
Times are in microseconds since the run began.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..types.errors import summary_of
from ..types.events import (
    AttemptFailed,
    AttemptStarted,
    BranchEnded,
    BranchStarted,
    CancelRequested,
    Event,
    NodeEnded,
    NodeStarted,
    Observer,
    RunEnded,
    RunStarted,
    RunWarning,
    TokenAwaited,
    TokenTaken,
)
from ..types.paths import parent_of
from ..types.results import Cancellation
from .private_files import followed, name_beside, open_new

Entry = dict[str, Any]
_PROCESS = 1
_MOST_TEXT = 500
"""Characters of an error's text that are kept."""


class Lanes:
    """On which track a slice lies: on that of what it belongs to, unless something else runs there already.

    Tracks of what runs side by side are those of the block around them, and used again when they are free.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._stacks: list[list[str]] = []
        self._lane_of: dict[str, int] = {}
        self._free: defaultdict[str, list[int]] = defaultdict(list)
        self._family: dict[int, str] = {}

    def begin(self, path: str) -> int:
        around = self.around(path)
        lane = -1 if around is None else self._lane_of[around]
        if around is None or self._stacks[lane][-1] != around:
            lane = self._open(around or "")
        self._stacks[lane].append(path)
        self._lane_of[path] = lane
        return lane

    def end(self, path: str) -> int | None:
        """The track that the slice lies on, which ends; None where no such slice has begun."""
        lane = self._lane_of.pop(path, None)
        if lane is None:
            return None
        stack = self._stacks[lane]
        stack.remove(path)
        if not stack:
            self._free[self._family[lane]].append(lane)
        return lane

    def around(self, path: str) -> str | None:
        """The innermost open slice that a path leads through; the run's is that of the empty path."""
        while path:
            path = parent_of(path)
            if path in self._lane_of:
                return path
        return None

    def lane_of(self, path: str) -> int:
        """The track of what is open at a path, or around it."""
        found = path if path in self._lane_of else self.around(path)
        return 0 if found is None else self._lane_of[found]

    def still_open(self) -> list[str]:
        """What has not ended, the innermost first."""
        return [path for stack in self._stacks for path in reversed(stack)]

    def _open(self, family: str) -> int:
        if self._free[family]:
            return self._free[family].pop()
        lane = len(self._stacks)
        self._stacks.append([])
        self._family[lane] = family
        self.names.append(family or "the run")
        return lane


class Trace:
    """An observer that gives what happens as entries of a trace to ``emit``, in order."""

    def __init__(self, emit: Callable[[Entry], None]) -> None:
        self._emit = emit
        self._lanes = Lanes()
        self._began = 0.0
        self._now = 0.0
        """When the event is, in microseconds since the run began."""
        self._arrows = 0
        self._requests: dict[tuple[str | None, str], tuple[float, int]] = {}
        """When and on which track a cancellation was requested, by who caused it and why."""
        self._waiting: dict[str, int] = {}
        """On which track the nodes lie that wait, for a token or for another attempt."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._began = event.time
        self._now = round((event.time - self._began) * 1e6, 3)
        match event:
            case RunStarted(name=name, run_id=run_id):
                self._begin("", name or "run", {"run": run_id})
            case RunEnded(status=status, error=error):
                for path in self._lanes.still_open():
                    if path:
                        self._end(path, {"status": "interrupted"})
                self._end("", {"status": status, **_told(error)})
            case NodeStarted(path=path, node=node):
                self._begin(path, node.label, {"path": path, "type": node.type})
            case NodeEnded(path=path, result=result):
                told: Entry = {"status": result.status, **_told(result.error)}
                if result.attempts > 1:
                    told["attempts"] = result.attempts
                self._end(path, told, result.cancelled_by)
            case TokenAwaited(path=path):
                self._wait(path, "waits for a token", {})
            case AttemptFailed(path=path, attempt=attempt, error=error):
                self._wait(path, f"waits for attempt {attempt + 1}", _told(error))
            case TokenTaken(path=path) | AttemptStarted(path=path):
                self._go_on(path)
            case BranchStarted(path=path, index=index):
                self._begin(path, f"branch {index}", {"path": path})
            case BranchEnded(path=path, status=status, error=error, cancelled_by=cause):
                self._end(path, {"status": status, **_told(error)}, cause)
            case CancelRequested(path=path, cancellation=cancellation):
                lane = self._lanes.lane_of(path)
                self._requests[cancellation.by, cancellation.reason] = self._now, lane
                self._entry("i", lane, f"cancels: {cancellation.reason}", s="t")
            case RunWarning(path=path, message=message):
                lane = self._lanes.lane_of(path)
                self._entry("i", lane, f"warning: {message}", s="t")

    def _begin(self, path: str, name: str, told: Entry) -> None:
        known = len(self._lanes.names)
        lane = self._lanes.begin(path)
        if lane >= known:
            name_of_lane = {"name": self._lanes.names[lane]}
            self._entry("M", lane, "thread_name", at=0, args=name_of_lane)
        self._entry("B", lane, name, args=told)

    def _wait(self, path: str, name: str, told: Entry) -> None:
        """A slice inside of a node's, until it goes on or ends."""
        lane = self._lanes.lane_of(path)
        self._waiting[path] = lane
        self._entry("B", lane, name, args=told)

    def _go_on(self, path: str) -> None:
        lane = self._waiting.pop(path, None)
        if lane is not None:
            self._entry("E", lane, "", args={})

    def _end(self, path: str, told: Entry, cause: Cancellation | None = None) -> None:
        self._go_on(path)
        lane = self._lanes.lane_of(path)
        if cause is not None:
            told |= {"cancelled by": cause.by or "outside", "reason": cause.reason}
            self._point_at(lane, cause)
        if self._lanes.end(path) is not None:
            self._entry("E", lane, "", args=told)

    def _point_at(self, lane: int, cause: Cancellation) -> None:
        """An arrow from who requested a cancellation to whom it ended."""
        request = self._requests.get((cause.by, cause.reason))
        if request is None:
            return
        self._arrows += 1
        shared: Entry = {"id": self._arrows, "cat": "cancellation"}
        self._entry("s", request[1], "cancels", at=request[0], **shared)
        self._entry("f", lane, "cancels", bp="e", **shared)

    def _entry(
        self, phase: str, lane: int, name: str, *, at: float | None = None, **more: Any
    ) -> None:
        at = self._now if at is None else at
        self._emit({"ph": phase, "pid": _PROCESS, "tid": lane, "ts": at, "name": name, **more})


def _told(error: BaseException | None) -> Entry:
    if error is None:
        return {}
    text = summary_of(error)
    return {"error": text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"}


@contextmanager
def writing_trace(path: Path) -> Iterator[Observer]:
    """An observer that writes the trace of one run to a file, which is there, whole, when the block has ended.

    However it ends: the trace of a run that failed is what one looks at. Until then it is beside the file, under
    another name. Raises OSError where it cannot be written.
    """
    place = followed(path)
    beside = name_beside(place)
    with open(open_new(beside), "w", encoding="utf-8") as file:
        file.write('{"displayTimeUnit": "ms", "traceEvents": [')
        separator = "\n"

        def emit(entry: Entry) -> None:
            nonlocal separator
            file.write(separator + json.dumps(entry, ensure_ascii=False))
            separator = ",\n"

        try:
            yield Trace(emit)
        finally:
            file.write("\n]}\n")
            file.close()
            os.replace(beside, place)
