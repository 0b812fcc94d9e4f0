"""Owns the trace of a run in the format of Chrome's and Perfetto's trace viewers.

The format is "Trace Event Format" (Duiker, Google, 2016): slices begin (``B``) and end (``E``) on tracks, and
those of one track lie inside one another; instants (``i``); arrows from one slice (``s``) to another (``f``).
Times are in microseconds since the run began.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from ..types.looking import summary_of
from ..types.printing import json_on_lines
from ..types.results import Cancellation
from .private_files import followed, name_beside, open_new
from .pruning import cut
from .under_way import UnderWay

Entry = dict[str, Any]
_PROCESS = 1


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """An execution that is open, on its track."""

    execution: int
    path: str
    lane: int


class Lanes:
    """On which track a slice lies: on that of what it belongs to, unless something else runs there already.

    Tracks of what runs side by side are those of the block around them, and used again when they are free.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._stacks: list[list[Slice]] = []
        self._slices: UnderWay[Slice] = UnderWay()
        self._free: defaultdict[str, list[int]] = defaultdict(list)
        self._family: dict[int, str] = {}

    def begin(self, execution: int, path: str) -> int:
        around = None if execution == 0 else self._slices.around(path)
        lane = -1 if around is None else around.lane
        if around is None or self._stacks[lane][-1] is not around:
            lane = self._open("" if around is None else around.path)
        begun = Slice(execution, path, lane)
        self._stacks[lane].append(begun)
        self._slices.begin(execution, path, begun)
        return lane

    def end(self, execution: int) -> int | None:
        """The track that the slice lies on, which ends; None where no such slice has begun."""
        ended = self._slices.end(execution)
        if ended is None:
            return None
        stack = self._stacks[ended.lane]
        stack.remove(ended)
        if not stack:
            self._free[self._family[ended.lane]].append(ended.lane)
        return ended.lane

    def lane_of(self, execution: int, path: str) -> int:
        """The track of an execution that is open, or of what is open around its path."""
        found = self._slices.get(execution) if execution else self._slices.at(path)
        found = found or self._slices.around(path)
        return 0 if found is None else found.lane

    def still_open(self) -> list[Slice]:
        """What has not ended, the innermost first."""
        return [begun for stack in self._stacks for begun in reversed(stack)]

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
        self._waiting: dict[int, int] = {}
        """On which track the nodes lie that wait, for a token or for another attempt."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._began = event.time
        self._now = round((event.time - self._began) * 1e6, 3)
        match event:
            case RunStarted(name=name, run_id=run_id):
                self._begin(event, name or "run", {"run": run_id})
            case RunEnded(status=status, error=error):
                for left in self._lanes.still_open():
                    if left.execution:
                        self._end(left, {"status": "interrupted"})
                self._end(event, {"status": status, **_told(error)})
            case NodeStarted(path=path, node=node):
                self._begin(event, node.label, {"path": path, "type": node.type})
            case NodeEnded(result=result, replayed=replayed):
                told: Entry = {"status": result.status, **_told(result.error)}
                if result.attempts > 1:
                    told["attempts"] = result.attempts
                if result.worker is not None:
                    told["worker"] = result.worker
                if replayed:
                    told["replayed"] = True
                self._end(event, told, result.cancelled_by)
            case TokenAwaited(awaited=awaited):
                self._wait(event, f"waits for {awaited}", {})
            case AttemptFailed(attempt=attempt, error=error):
                self._wait(event, f"waits for attempt {attempt + 1}", _told(error))
            case TokenTaken() | AttemptStarted():
                self._go_on(event)
            case BranchStarted(path=path, index=index):
                self._begin(event, f"branch {index}", {"path": path})
            case BranchEnded(status=status, error=error, cancelled_by=cause):
                self._end(event, {"status": status, **_told(error)}, cause)
            case CancelRequested(cancellation=cancellation):
                lane = self._lanes.lane_of(event.execution, event.path)
                self._requests[cancellation.by, cancellation.reason] = self._now, lane
                self._entry("i", lane, f"cancels: {cancellation.reason}", s="t")
            case RunWarning(message=message):
                lane = self._lanes.lane_of(event.execution, event.path)
                self._entry("i", lane, f"warning: {message}", s="t")

    def _begin(self, event: Event, name: str, told: Entry) -> None:
        known = len(self._lanes.names)
        lane = self._lanes.begin(event.execution, event.path)
        if lane >= known:
            name_of_lane = {"name": self._lanes.names[lane]}
            self._entry("M", lane, "thread_name", at=0, args=name_of_lane)
        self._entry("B", lane, name, args=told)

    def _wait(self, event: Event, name: str, told: Entry) -> None:
        """A slice inside a node's, until it goes on or ends."""
        lane = self._lanes.lane_of(event.execution, event.path)
        self._waiting[event.execution] = lane
        self._entry("B", lane, name, args=told)

    def _go_on(self, event: Event | Slice) -> None:
        lane = self._waiting.pop(event.execution, None)
        if lane is not None:
            self._entry("E", lane, "", args={})

    def _end(self, event: Event | Slice, told: Entry, cause: Cancellation | None = None) -> None:
        self._go_on(event)
        lane = self._lanes.lane_of(event.execution, event.path)
        if cause is not None:
            told |= {"cancelled by": cause.by or "outside", "reason": cause.reason}
            self._point_at(lane, cause)
        if self._lanes.end(event.execution) is not None:
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
    return {"error": cut(summary_of(error))}


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
            file.write(separator + json_on_lines(json.dumps(entry, ensure_ascii=False)))
            separator = ",\n"

        try:
            yield Trace(emit)
        finally:
            file.write("\n]}\n")
            file.close()
            os.replace(beside, place)
