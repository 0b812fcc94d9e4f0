"""Owns the tests of chronicles: what is told of a run, kept in a file, and read back."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

import flowscript_trio as fs
from flowscript_trio.observe import chronicle
from flowscript_trio.observe.chronicle import Chronicle, Entry, Lines, keeping_chronicle, line_of
from flowscript_trio.observe.outline import Row, outline
from flowscript_trio.observe.replay import ChronicleError, events_of, read_chronicle, read_ends
from flowscript_trio.observe.trace import Trace
from flowscript_trio.observe.tree import RunTree
from flowscript_trio.types import events
from flowscript_trio.types.errors import FlowScriptWarning
from flowscript_trio.types.events import Event

from stubs import Stubs

FAILING = """
<source:stub id="a" gives="first"/>
<parallel id="p" maxConcurrency="2" after="a">
  <branch><source:stub id="b" takes="2s" fails="broken">
    <on-error><retry max="1" base="1s" backoff="fixed" jitter="none" when="true"/></on-error>
  </source:stub></branch>
  <branch><source:stub id="c" hangs="true" cleanup="slow" input="a"/></branch>
  <branch><source:stub id="d"/></branch>
</parallel>
"""


async def told(body: str, *more: Any, **options: Any) -> list[Entry]:
    entries: list[Entry] = []
    observers = [Chronicle(entries.append, "w.xml"), *more]
    with contextlib.suppress(ValueError):
        await Stubs().run(body, observers=observers, **options)
    return entries


async def test_a_run_is_told_from_its_beginning_to_its_end(autojump_clock: MockClock) -> None:
    entries = await told(FAILING)
    assert [(e["event"], e["time"], e["path"]) for e in entries if e["path"].startswith("p/0")] == [
        ("branch-started", 0, "p/0"),
        ("node-started", 0, "p/0/b"),
        ("attempt-started", 0, "p/0/b"),
        ("attempt-failed", 2, "p/0/b"),
        ("attempt-started", 3, "p/0/b"),
        ("node-ended", 5, "p/0/b"),
        ("branch-ended", 5, "p/0"),
    ]
    by = {(e["event"], e["path"]): e for e in entries}
    assert by["run-started", ""]["file"] == "w.xml"
    assert by["block-started", "p"]["limit"] == 2
    failed = by["node-ended", "p/0/b"]
    assert failed["attempts"] == 2
    assert failed["error"]["type"] == "ValueError"
    assert failed["error"]["message"] == "broken"
    cancelled = by["node-ended", "p/1/c"]
    assert cancelled["status"] == "cancelled"
    assert cancelled["cancelled_by"] == {
        "by": "p/0",
        "reason": "p/0 failed: ValueError",
        "requested": 5,
    }
    assert (cancelled["delivered"], cancelled["time"]) == (5, 6)
    assert entries[-1]["status"] == "failed"
    assert by["node-ended", "a"]["output"] == "first"


async def test_an_input_is_told_where_it_is_not_that_of_the_node_around(
    autojump_clock: MockClock,
) -> None:
    entries = await told(FAILING, input={"given": 1})
    inputs = {
        e["path"]: e.get("input", "as around") for e in entries if e["event"] == "attempt-started"
    }
    assert inputs == {
        "a": {"given": 1},
        "p": {"given": 1},
        "p/0/b": "as around",
        "p/1/c": "first",
    }


async def test_every_event_of_every_kind_has_a_name_and_is_json(autojump_clock: MockClock) -> None:
    known = [kind for kind in vars(events).values() if isinstance(kind, type)]
    kinds = {kind for kind in known if issubclass(kind, Event) and kind is not Event}
    assert kinds == chronicle.NAMES.keys()
    for entry in await told(FAILING):
        assert json.loads(line_of(entry)) == entry


async def test_secrets_are_not_in_it(autojump_clock: MockClock) -> None:
    body = """<secret name="KEY"/><source:stub id="a" gives="{{$secrets.KEY}}"/>
    <source:stub id="b" input="a" fails="{{$secrets.KEY}}"/>"""
    entries = await told(body, secrets={"KEY": "hidden-word"})
    assert entries[-1]["status"] == "failed"
    assert "hidden-word" not in json.dumps(entries)


def shown(tree: RunTree) -> list[tuple[Any, ...]]:
    rows = [row.item for row in outline(tree.root, 100) if isinstance(row, Row)]
    start = tree.root.started
    return [
        (
            item.path,
            item.label,
            item.state,
            item.started - start,
            None if item.ended is None else item.ended - start,
            type(item.error).__name__,
            str(item.error),
            item.cancelled_by and item.cancelled_by.reason,
        )
        for item in rows
    ]


async def test_what_is_read_back_gives_the_same_tree_and_the_same_trace(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    live, trace = RunTree(), []
    with keeping_chronicle(tmp_path / "new" / "folder") as keep:
        await told(FAILING, keep, live, Trace(trace.append))
    (path,) = (tmp_path / "new" / "folder").iterdir()
    replayed, retraced = RunTree(), []
    again = Trace(retraced.append)
    for event in events_of(read_chronicle(path)):
        replayed(event)
        again(event)
    assert shown(replayed) == shown(live)
    assert replayed.root.state == "failed"
    for entry in [*trace, *retraced]:
        entry["ts"] = round(entry["ts"])
    assert retraced == trace


async def test_a_line_is_in_the_file_once_its_event_has_happened(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    seen: list[int] = []

    def look(event: Event) -> None:
        (path,) = tmp_path.iterdir()
        seen.append(len(path.read_bytes().splitlines()))

    with keeping_chronicle(tmp_path) as keep:
        await Stubs().run('<source:stub id="a"/>', observers=[keep, look])
    assert seen == [1, 2, 3, 4, 5]


START = b'{"event":"run-started","time":0,"path":"","run":"1","name":"w","file":"","started":"s"}\n'
WARNED = b'{"event":"warning","time":1,"path":"","message":"m"}\n'


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(START + WARNED + WARNED[:20])
    assert [entry["event"] for entry in read_chronicle(path)] == ["run-started", "warning"]
    assert read_ends(path)[1]["event"] == "warning"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "does not begin"),
        (WARNED, "does not begin"),
        (START + b"{\n" + WARNED, r"r\.jsonl:2: this is not a line"),
        (START + b"[1]\n", r"r\.jsonl:2: this is not an entry"),
        (b"\xff\xfe\n" + START, r"r\.jsonl:1: this is not a line"),
    ],
)
def test_what_is_no_chronicle_is_refused_with_its_line(
    text: bytes, found: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(text)
    with pytest.raises(ChronicleError, match=found):
        read_chronicle(path)


@pytest.mark.parametrize("length", [1, 100, 70_000, 200_000])
def test_the_ends_of_a_chronicle_are_found_however_long_its_last_line_is(
    length: int, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    last = WARNED.replace(b'"m"', b'"' + b"m" * length + b'"')
    path.write_bytes(START + WARNED * 1_000 + last)
    first, end = read_ends(path)
    assert first["event"] == "run-started"
    assert len(end["message"]) == length


def test_what_a_later_version_tells_is_left_out() -> None:
    entries = [json.loads(START), {"event": "news", "time": 1, "path": "x", "word": 1}]
    assert [type(event).__name__ for event in events_of(entries)] == ["RunStarted"]


def test_half_of_a_character_is_kept_as_json() -> None:
    assert json.loads(line_of({"output": "\ud800"})) == {"output": "\ud800"}


async def test_a_full_disk_is_told_once_and_the_run_goes_on(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    class Full:
        def write(self, line: bytes) -> None:
            written.append(line)
            if len(written) > 2:
                raise OSError(28, "No space left on device")

        def close(self) -> None:
            """Nothing is left to be written."""

    monkeypatch.setattr(chronicle.Keeper, "_open", lambda keeper, entry: Full())
    full = pytest.warns(FlowScriptWarning, match="not whole.*No space left")
    with keeping_chronicle(tmp_path) as keep, full as warned:
        run = await Stubs().run('<source:stub id="a" gives="1"/>', observers=[keep])
    assert run.output == "1"
    assert len(warned) == 1
    assert len(written) == 3


def test_lines_fall_silent_when_their_reader_has_gone() -> None:
    class Gone:
        writes = 0

        def write(self, line: bytes) -> None:
            self.writes += 1
            raise BrokenPipeError

    gone: Any = Gone()
    lines = Lines(gone)
    lines({"event": "a"})
    lines({"event": "b"})
    assert gone.writes == 1


async def test_a_run_that_is_prepared_wrongly_leaves_no_record(tmp_path: Path) -> None:
    with keeping_chronicle(tmp_path) as keep, pytest.raises(fs.InputError):
        await Stubs().run('<source:stub id="a"/>', observers=[keep], max_concurrency=0)
    assert not os.listdir(tmp_path)


async def test_the_record_of_a_run_whose_id_has_slashes_is_in_its_folder(tmp_path: Path) -> None:
    flow = fs.loads('<workflow name="w"><transform:template id="t" template="x"/></workflow>')
    folder = tmp_path / "records"
    with keeping_chronicle(folder) as keep:
        await fs.run(flow, store=fs.Store.memory(), run_id="a/../../b", observers=[keep])
    (path,) = folder.iterdir()
    assert path.name.endswith("-a_.._.._.jsonl")
    assert os.listdir(tmp_path) == ["records"]
