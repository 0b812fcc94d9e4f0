"""Owns the chronicle of a run that is in a store: what its journal tells, as a record would have kept it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..execution.durable.opening import FindSecrets
from ..execution.retelling import Told, retell
from ..journal.rows import RunState
from ..journal.store import Store
from ..program.loading import Flow
from ..runtimes.registry import Registry
from ..types.events import RunEnded, RunWarning
from ..types.paths import is_within, job_in, levels_of
from .chronicle import Chronicle, Entry

_LOOPS = frozenset({"loop", "while"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A run of a store as it can be shown: its ``state``, its chronicle, and its workflow.

    The chronicle has no end where the run has none; ``flow`` is None of a run of which nothing has begun.
    Plain data: cancellation means nothing to it.
    """

    state: RunState
    entries: list[Entry]
    flow: Flow | None


async def read_stored(
    store: Store,
    run_id: str,
    *,
    secrets: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Stored:
    """What happened in a run of a store, whoever runs it now.

    The run is followed by its journal, and nothing acts; what only computes is computed again. Times are by the
    wall clock, and as exact as the journal: to a tenth of a second.

    Args:
        store: the store of the run.
        run_id: the run.
        secrets: values of ``$secrets`` by name, which are not shown; one that is missing is ``***``.
        registry: other runtimes than the default ones, as of :func:`~flowscript_trio.resume`.

    Raises InputError where there is no such run, or it cannot be followed with what is given here; StoreFailed;
    WorkflowInvalid where the registry does not have what the document needs. A cancellation waits for it.
    """
    return await read_stored_with(store, run_id, lambda _: secrets or {}, registry)


async def read_stored_with(
    store: Store, run_id: str, find_secrets: FindSecrets, registry: Registry | None = None
) -> Stored:
    """:func:`read_stored`; ``find_secrets`` gives the secrets by the names that the run began with."""
    entries: list[Entry] = []
    chronicle = Chronicle(entries.append)
    told = await retell(store, run_id, chronicle, find_secrets, registry)
    if told.flow is None or told.started is None:
        return Stored(told.state, [_began(told)], None)
    _set_right(entries, told)
    began = entries[0]
    began["file"] = told.flow.document.source.file
    began["started"] = told.started.astimezone(UTC).isoformat(timespec="milliseconds")
    last = told.moments.last
    for path, message in _notes(entries, told):
        entries.append(_told(RunWarning(time=last, path=path, message=message)))
    if (end := told.moments.end) is not None:
        ended = RunEnded(time=last, path="", status=end.status, error=told.error)
        entries.append(_told(ended))
    elif told.state.owned:  # what runs has run until now
        now = (datetime.now(UTC) - told.started).total_seconds()
        entries.append({"event": "looked", "time": round(max(now, last), 9), "path": ""})
    elif told.state.state == "suspended":
        entries.append(_told(RunEnded(time=last, path="", status="suspended", error=None)))
    return Stored(told.state, entries, told.flow)


def _began(told: Told) -> Entry:
    state = told.state
    return {
        "event": "run-started",
        "time": 0.0,
        "path": "",
        "run": state.run_id,
        "name": state.workflow,
        "file": "",
        "started": "",
    }


def _told(event: Any) -> Entry:
    """An event at a time since the beginning of the run, as an entry."""
    made: list[Entry] = []
    Chronicle(made.append)(event)
    return made[0]


def _set_right(entries: list[Entry], told: Told) -> None:
    """Give each entry the time that it had, and put them in order.

    What had begun and not ended is walked behind what had ended: it began when it was first on record.
    """
    begun: dict[int, float] = {}
    since: dict[str, float] = {}  # when what is there had begun, by its path
    latest: dict[str, float] = {}  # when the last had ended of what is in an execution
    for entry in entries:
        path, number = entry["path"], entry.get("execution", 0)
        cause: Entry | None = entry.get("cancelled_by")
        if entry["event"] == "cancel-requested":
            cause = entry
        if cause is not None:
            _date(cause, path, told)
        match entry["event"]:
            case "node-started" | "branch-started" | "block-started":
                earliest = max((since.get(each, 0.0) for each in levels_of(path)), default=0.0)
                beginning = max(_beginning(entry, told), earliest)
                entry["time"] = since[path] = begun.setdefault(number, beginning)
            case "attempt-started":
                known = told.moments.begun.get((path, entry["attempt"]))
                walked: float = entry["time"] if known is None else known
                entry["time"] = max(walked, begun.get(number, 0.0))
            case "cancel-requested":
                entry["time"] = entry["requested"]
            case "node-ended" | "branch-ended":
                _end(entry, begun.get(number, 0.0), latest.get(path, 0.0), told)
                for each in levels_of(path):
                    latest[each] = max(entry["time"], latest.get(each, 0.0))
    entries.sort(key=lambda entry: entry["time"])


def _beginning(entry: Entry, told: Told) -> float:
    moments, path = told.moments, entry["path"]
    time: float = entry["time"]
    known = moments.begun.get((path, 1)) if entry["event"] == "node-started" else None
    job = job_in(path)
    if job is not None and job[0] in moments.compacted:
        return moments.first.get(path, time)  # others had run before it, which are not walked
    assert told.flow is not None
    # With limits, what is on record may come behind a wait.
    if known is None or told.flow.program.limits is not None:
        known = time
    return min(known, moments.first.get(path, known))


def _end(entry: Entry, began: float, latest: float, told: Told) -> None:
    """Say when an execution had ended: one that was cancelled when that was asked for, and all in it had."""
    path, moments = entry["path"], told.moments
    cause = entry.get("cancelled_by")
    if cause is not None:
        entry["time"] = max(began, latest, cause["requested"])
        if "delivered" in entry:
            entry["delivered"] = max(began, cause["requested"])
    if entry["event"] == "branch-ended":
        job = job_in(path)
        known = None if job is None else moments.jobs.get(job)
        entry["time"] = max(entry["time"] if known is None else known, latest, began)
        return
    entry["time"] = max(entry["time"], began)
    entry["duration"] = round(entry["time"] - began, 9)
    if entry.pop("replayed", False) and path in moments.copied:
        entry["replayed"] = True  # by the run that this one was forked from


def _date(cause: Entry, path: str, told: Told) -> None:
    """Say when a cancellation was asked for: when the block around what is cancelled did so, or the run."""
    cancelled = told.moments.cancelled
    by = cause.get("by")
    around = [
        each for each in cancelled if each and by and is_within(by, each) and is_within(path, each)
    ]
    found = cancelled[max(around, key=len)] if around else cancelled.get("" if by is None else by)
    asked = cause.get("requested") or 0.0
    cause["requested"] = asked if found is None else found


def _notes(entries: list[Entry], told: Told) -> list[tuple[str, str]]:
    """What is said about what could not be drawn."""
    notes = []
    tags = {entry["path"]: entry["tag"] for entry in entries if entry["event"] == "node-started"}
    for path, count in told.moments.compacted.items():
        word = "round" if tags.get(path) in _LOOPS else "iteration"
        said = f"{count} {word}{'s are' if count > 1 else ' is'} compacted, of which nothing can be shown"
        notes.append((path, f"{path}: {said}"))
    if (forked := told.moments.forked) is not None:
        notes.append(
            (
                "",
                f"it was forked from the run {forked.run!r}, which did what was before {forked.before!r}",
            )
        )
    if told.undrawn:
        lacking = (
            f"; its secrets {', '.join(told.hidden)} are not known here" if told.hidden else ""
        )
        count, first = len(told.undrawn), repr(told.undrawn[0])
        said = (
            f"{count} executions that are on record, {first} first,"
            if count > 1
            else f"{first}, which is on record,"
        )
        notes.append(("", f"{said} could not be drawn: the run comes to others here{lacking}"))
    if told.state.orphaned:
        notes.append(("", "its process is gone; the run goes on where it is resumed"))
    return notes
