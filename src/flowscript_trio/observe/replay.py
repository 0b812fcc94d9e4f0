"""Owns reading a chronicle back: its lines as entries, and the entries as the events that they tell of."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from math import inf, nan
from os import SEEK_END
from pathlib import Path
from typing import Any

from ..types.ast import BaseNode
from ..types.errors import FlowScriptError, RecordedError
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
    RunEnded,
    RunStarted,
    RunWarning,
    TokenAwaited,
    TokenTaken,
)
from ..types.location import Location
from ..types.looking import add_note, notes_of
from ..types.paths import label_by_place
from ..types.results import Cancellation, NodeResult
from .chronicle import Entry


class ChronicleError(FlowScriptError):
    """A file is not the chronicle of a run; the message names the file and the line."""


def read_chronicle(path: Path) -> list[Entry]:
    """The entries of a chronicle. The last line may be cut off where the process was killed: it is left out.

    Raises ChronicleError where the file is not one, OSError where it cannot be read.
    """
    return _entries(path, path.read_bytes().split(b"\n"))


def _entries(path: Path, lines: list[bytes]) -> list[Entry]:
    entries = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            if number == len(lines):
                break
            raise ChronicleError(f"{path}:{number}: this is not a line of a chronicle") from None
        if not isinstance(entry, dict) or not {"event", "time", "path"} <= entry.keys():
            raise ChronicleError(f"{path}:{number}: this is not an entry of a chronicle")
        entries.append(entry)
    if not entries or entries[0]["event"] != "run-started":
        raise ChronicleError(
            f"{path}: this is not the chronicle of a run; it does not begin with one"
        )
    return entries


def read_ends(path: Path) -> tuple[Entry, Entry]:
    """The first and the last entry of a chronicle, read no further; raises as :func:`read_chronicle`."""
    with open(path, "rb") as file:
        first = file.readline()
        room = 1 << 16
        tail = b""
        size = file.seek(0, SEEK_END)
        while tail.count(b"\n") < 3 and len(tail) < size:
            start = max(size - room, 0)
            file.seek(start)
            tail = file.read()
            room *= 2
    lines = [line for line in tail.split(b"\n")[-3:] if line]
    ends = _entries(path, [first.rstrip(b"\n"), *lines])
    return ends[0], ends[-1]


def events_of(entries: Iterable[Entry]) -> Iterator[Event]:
    """The events of a chronicle, at times in seconds since the run began.

    Nodes, errors and outputs are as far there as the chronicle tells of them. What a later version of it
    tells besides is left out.
    """
    replay = _Replay()
    for entry in entries:
        event = replay.event(entry)
        if event is not None:
            yield event


class _Replay:
    """The nodes that run now by their paths, and the errors: those that say the same are one object."""

    def __init__(self) -> None:
        self._file = ""
        self._nodes: dict[Hashable, BaseNode] = {}
        self._errors: dict[tuple[str, str], RecordedError] = {}

    def event(self, entry: Entry) -> Event | None:
        number = entry.get("execution") or entry["path"]  # old chronicles have no numbers
        if "key" in entry and number not in self._nodes:
            self._nodes[number] = self._node(entry)
        node = self._nodes.get(number)
        event = self._event_of_run(entry)
        if event is None and node is not None:
            event = self._event_of_node(entry, node)
        if entry["event"] == "node-ended":
            self._nodes.pop(number, None)
        return event

    def _event_of_run(self, entry: Entry) -> Event | None:
        at = _at(entry)
        match entry["event"]:
            case "run-started":
                self._file = entry.get("file", "")
                return RunStarted(**at, run_id=entry["run"], name=entry["name"])
            case "run-ended":
                return RunEnded(**at, status=entry["status"], error=self._error(entry))
            case "block-started":
                limit = inf if entry["limit"] is None else entry["limit"]
                return BlockStarted(**at, branches=entry["branches"], limit=limit)
            case "branch-started":
                return BranchStarted(**at, index=entry["index"])
            case "branch-ended":
                return BranchEnded(
                    **at,
                    index=entry["index"],
                    status=entry["status"],
                    error=self._error(entry),
                    cancelled_by=_cause(entry.get("cancelled_by")),
                    worker=entry.get("worker"),
                )
            case "cancel-requested":
                return CancelRequested(**at, cancellation=_known_cause(entry))
            case "warning":
                return RunWarning(**at, message=entry["message"])
        return None

    def _event_of_node(self, entry: Entry, node: BaseNode) -> Event | None:
        at = _at(entry)
        match entry["event"]:
            case "node-started":
                return NodeStarted(**at, node=node)
            case "attempt-started":
                given = entry.get("input")
                return AttemptStarted(**at, node=node, attempt=entry["attempt"], input=given)
            case "attempt-failed":
                error = self._error(entry) or RecordedError("", type="Exception")
                delay = entry["delay"]
                return AttemptFailed(
                    **at, node=node, attempt=entry["attempt"], error=error, delay=delay
                )
            case "token-awaited":
                return TokenAwaited(**at, node=node, limits=tuple(entry.get("limits", ())))
            case "token-taken":
                return TokenTaken(**at, node=node, limits=tuple(entry.get("limits", ())))
            case "node-ended":
                result = self._result(entry, node)
                return NodeEnded(
                    **at,
                    node=node,
                    result=result,
                    delivered=entry.get("delivered"),
                    replayed=entry.get("replayed", False),
                )
        return None

    def _result(self, entry: Entry, node: BaseNode) -> NodeResult:
        replaced = self._error(entry, "replaced")
        return NodeResult(
            node.id,
            node.label,
            entry["path"],
            entry["status"],
            entry.get("output"),
            entry["time"] - entry["duration"],
            entry["duration"],
            node.location,
            error=self._error(entry),
            attempts=entry.get("attempts", 1),
            earlier=() if replaced is None else (replaced,) * int(entry.get("attempts", 1)),
            cancelled_by=_cause(entry.get("cancelled_by")),
            worker=entry.get("worker"),
        )

    def _node(self, entry: Entry) -> BaseNode:
        return BaseNode(
            kind=_kind(entry["type"]),
            key=entry["key"],
            tag=entry["tag"],
            type=entry["type"],
            id=_id(entry),
            location=Location(self._file, entry["line"], entry["column"]),
            offset=0,
            shares_line=entry["label"]
            == label_by_place(entry["tag"], entry["line"], entry["column"]),
        )

    def _error(self, entry: Entry, name: str = "error") -> RecordedError | None:
        told = entry.get(name)
        if told is None:
            return None
        key = told["type"], told["message"]
        if key not in self._errors:
            named: type[RecordedError] = type(told["type"], (RecordedError,), {})
            self._errors[key] = named(told["message"], type=told["type"])
        error = self._errors[key]
        for note in told.get("notes", ()):  # it gets more of them on its way up
            if note not in notes_of(error):
                add_note(error, note)
        return error


def _kind(type_: str) -> str:
    """The element that a node is, by the name of its runtime: ``source:http``, ``control:parallel``."""
    family, _, name = type_.partition(":")
    return name if family == "control" else family


def _id(entry: Entry) -> str | None:
    """The id of a node, or what it is called instead (the name of a phase)."""
    by_place = (
        label_by_place(entry["tag"], entry["line"]),
        label_by_place(entry["tag"], entry["line"], entry["column"]),
    )
    return entry["id"] or (None if entry["label"] in by_place else entry["label"])


def _at(entry: Entry) -> dict[str, Any]:
    return {
        "time": entry["time"],
        "path": entry["path"],
        "execution": entry.get("execution", 0),
    }


def _cause(told: Entry | None) -> Cancellation | None:
    return None if told is None else _known_cause(told)


def _known_cause(told: Entry) -> Cancellation:
    requested = told.get("requested")
    return Cancellation(told["by"], told["reason"], nan if requested is None else requested)
