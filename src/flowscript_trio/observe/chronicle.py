"""Owns the chronicle of a run: each event as one JSON object, for machines, and kept as lines of a file."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

from pydantic_core import PydanticSerializationError, to_json

from ..types.ast import BaseNode
from ..types.errors import FlowScriptWarning
from ..types.events import (
    AttemptFailed,
    AttemptStarted,
    BlockStarted,
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
from ..types.exceptions import class_name
from ..types.looking import notes_of, text_of
from ..types.printing import json_on_lines
from ..types.results import Cancellation
from .private_files import open_new
from .pruning import cut, prune
from .under_way import UnderWay

Entry = dict[str, Any]
SUFFIX = ".jsonl"


class Chronicle:
    """An observer that gives each event of one run as an entry to ``emit``, in order.

    Times are in seconds since the run began. Entries hold the beginnings of inputs and outputs, without secrets. A
    node's input is recorded where it is not that of the node around it.
    """

    def __init__(self, emit: Callable[[Entry], object], file: str = "") -> None:
        self._emit = emit
        self._file = file
        self._began = 0.0
        self._inputs: UnderWay[Any] = UnderWay()
        """What the nodes were given that run now, by their paths."""
        self._named: dict[int, Entry] = {}
        """What is known about each node that has begun, by its identity: a loop begins it again and again."""
        tellers: dict[type[Event], Callable[[Any], Entry]] = {
            RunStarted: self._run_started,
            RunEnded: lambda e: {"status": e.status, **self._why(e.error, None)},
            RunWarning: lambda e: {"message": cut(e.message)},
            NodeStarted: lambda e: self._names_of(e.node),
            NodeEnded: self._node_ended,
            AttemptStarted: self._attempt_started,
            AttemptFailed: lambda e: {
                "attempt": e.attempt,
                "delay": e.delay,
                "error": _error(e.error),
            },
            TokenAwaited: _limits_of,
            TokenTaken: _limits_of,
            BlockStarted: lambda e: {
                "branches": e.branches,
                "limit": e.limit if isfinite(e.limit) else None,
            },
            BranchStarted: lambda e: {"index": e.index},
            BranchEnded: lambda e: {
                "index": e.index,
                "status": e.status,
                **self._why(e.error, e.cancelled_by),
                **({} if e.worker is None else {"worker": cut(e.worker)}),
            },
            CancelRequested: lambda e: self._cause(e.cancellation),
        }
        self._tellers = {kind: (NAMES[kind], tell) for kind, tell in tellers.items()}

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        kind = event.__class__
        if kind is RunStarted:
            self._began = event.time
        name, tell = self._tellers[kind]
        time = round(event.time - self._began, 9)
        entry: Entry = {"event": name, "time": time, "path": event.path}
        if event.execution:
            entry["execution"] = event.execution
        self._emit({**entry, **tell(event)})

    def _run_started(self, event: RunStarted) -> Entry:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {"run": event.run_id, "name": event.name, "file": self._file, "started": now}

    def _names_of(self, node: BaseNode) -> Entry:
        found = self._named.get(id(node))
        if found is None:
            found = self._named[id(node)] = _named(node)
        return found

    def _attempt_started(self, event: AttemptStarted) -> Entry:
        entry: Entry = {"attempt": event.attempt}
        if event.input is not self._inputs.around(event.path):
            entry["input"] = prune(event.input)
        self._inputs.begin(event.execution, event.path, event.input)
        return entry

    def _node_ended(self, event: NodeEnded) -> Entry:
        result = event.result
        self._inputs.end(event.execution)
        entry: Entry = {"status": result.status, "duration": result.duration}
        if result.attempts > 1:
            entry["attempts"] = result.attempts
        if result.worker is not None:
            entry["worker"] = cut(result.worker)
        if event.replayed:
            entry["replayed"] = True
        if result.status == "success":
            entry["output"] = prune(result.output)
        if event.delivered is not None:
            entry["delivered"] = self._since(event.delivered)
        if result.error is not None or result.cancelled_by is not None:
            entry.update(self._why(result.error, result.cancelled_by))
        if result.replaced is not None:
            entry["replaced"] = _error(result.replaced)
        return entry

    def _why(self, error: BaseException | None, cause: Cancellation | None) -> Entry:
        entry: Entry = {}
        if error is not None:
            entry["error"] = _error(error)
        if cause is not None:
            entry["cancelled_by"] = self._cause(cause)
        return entry

    def _cause(self, cause: Cancellation) -> Entry:
        asked = self._since(cause.requested) if isfinite(cause.requested) else None
        return {"by": cause.by, "reason": cut(cause.reason), "requested": asked}

    def _since(self, time: float) -> float:
        return round(time - self._began, 9)


NAMES: dict[type[Event], str] = {
    RunStarted: "run-started",
    RunEnded: "run-ended",
    RunWarning: "warning",
    NodeStarted: "node-started",
    NodeEnded: "node-ended",
    AttemptStarted: "attempt-started",
    AttemptFailed: "attempt-failed",
    TokenAwaited: "token-awaited",
    TokenTaken: "token-taken",
    BlockStarted: "block-started",
    BranchStarted: "branch-started",
    BranchEnded: "branch-ended",
    CancelRequested: "cancel-requested",
}
"""What each kind of event is called in a chronicle."""


def _named(node: BaseNode) -> Entry:
    place = node.location
    return {
        "key": node.key,
        "tag": node.tag,
        "type": node.type,
        "id": node.id,
        "label": node.label,
        "line": place.line,
        "column": place.column,
    }


def _error(error: BaseException) -> Entry:
    told: Entry = {"type": class_name(error), "message": cut(text_of(error))}
    if notes := notes_of(error):
        told["notes"] = [cut(note) for note in notes]
    return told


def line_of(entry: Entry) -> bytes:
    """An entry as a line of UTF-8; nothing in it ends a line for any reader, or steers a terminal."""
    try:
        line = to_json(entry)
    except PydanticSerializationError:  # half of a character, which UTF-8 has no bytes for
        return json.dumps(entry).encode("ascii") + b"\n"
    if not line.isascii() or b"\x7f" in line:
        line = json_on_lines(line.decode()).encode()
    return line + b"\n"


class Lines:
    """Writes entries to a stream as they come; it falls silent when nobody reads them any more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: BinaryIO | None = stream

    def __call__(self, entry: Entry) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(line_of(entry))
            self._stream.flush()
        except OSError:  # the reader has gone; the run does not fail for that
            self._stream = None


class Keeper:
    """Keeps the entries of one run in a file of a folder, named by when the run began and its id.

    A line is in the file once its event has happened: the record of a process that is killed is what had
    happened until then. Where the file cannot be written (a full disk), a warning says so and the run goes on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._is_done = False

    def __call__(self, entry: Entry) -> None:
        if self._is_done:
            return
        try:
            if self._file is None:
                self._file = self._open(entry)
            self._file.write(line_of(entry))
        except OSError as exc:
            self._is_done = True
            warnings.warn(
                f"the record of the run in {self._folder} is not whole: {exc}",
                FlowScriptWarning,
                stacklevel=2,
            )

    def _open(self, entry: Entry) -> BinaryIO:
        began = str(entry["started"]).replace(":", "").replace("+0000", "Z")
        run = re.sub(r"[^\w.-]", "_", entry["run"][:8])  # of a durable run it may have a slash
        path = self._folder / f"{began}-{run}{SUFFIX}"
        return open(open_new(path), "wb", buffering=0)

    def close(self) -> None:
        self._is_done = True
        if self._file is not None:
            with suppress(OSError):  # it was told when its line could not be written
                self._file.close()


@contextmanager
def keeping_chronicle(folder: Path, file: str = "") -> Iterator[Observer]:
    """An observer that keeps one run in a folder, which is made where it is not there.

    Args:
        folder: where the record goes.
        file: the name of the document, for the record.

    Raises OSError where the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keeper = Keeper(folder)
    try:
        yield Chronicle(keeper, file)
    finally:
        keeper.close()


def _limits_of(event: TokenAwaited | TokenTaken) -> Entry:
    return {"limits": list(event.limits)} if event.limits else {}
