"""Owns tests of streams: consumed once, as fast as somebody wants their items, and closed whatever happens."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.file import supply
from flowscript_trio.runtimes.streams import Stream, StreamError, Streams
from flowscript_trio.testing import prove

EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item}}"/></foreach>'
SOURCE = '<source:file id="s" path="a.log" stream="true"/>'
MAYBE = '<source:file id="s" path="a.log" stream="{{true}}"/>'
"""The same, which nobody knows to be a stream when the document is read."""


def load(text: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{text}</workflow>')


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    (tmp_path / "a.log").write_text("".join(f"{n}\n" for n in range(10)))
    return tmp_path


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    """Whatever a test does, no descriptor that it opened is left, and no thread of its own is at work."""
    before = open_files()
    yield
    assert open_files() <= before
    assert not [
        each for each in threading.enumerate() if each.name.startswith("flowscript database")
    ]


def open_files() -> set[str]:
    """What the descriptors of this process are connected to: regular files and pipes with a name."""
    found = set()
    for handle in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{handle}")
        except OSError:
            continue
        if target.startswith("/") and not target.startswith(("/dev", "/proc", "/sys")):
            found.add(target)
    return found


class Numbers:
    """A supply of numbers, so many at a time."""

    def __init__(self, total: int, step: int = 3) -> None:
        self.next, self.total, self.step = 0, total, step
        self.fetched = self.closed = 0

    async def fetch(self) -> list[int]:
        await trio.lowlevel.checkpoint()
        self.fetched += 1
        begin, self.next = self.next, min(self.next + self.step, self.total)
        return list(range(begin, self.next))

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.closed += 1


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 10, 11])
@pytest.mark.parametrize("step", [1, 3, 10])
async def test_items_are_taken_by_as_many_as_are_wanted(size: int, step: int) -> None:
    supply = Numbers(10, step)
    stream = Stream("s", supply)
    stream.claim()
    taken = []
    while part := await stream.take(size):
        taken.append(part)
    assert [item for part in taken for item in part] == list(range(10))
    assert all(len(part) == size for part in taken[:-1])
    assert await stream.take(size) == []
    assert supply.closed == 1


async def test_a_stream_fetches_no_more_than_is_asked_for() -> None:
    supply = Numbers(10)
    stream = Stream("s", supply)
    assert supply.fetched == 0
    async for item in stream:
        if item == 3:
            break
    assert supply.fetched == 2
    await stream.aclose()
    assert supply.closed == 1


async def test_a_stream_is_closed_at_its_end_and_once() -> None:
    supply = Numbers(2)
    stream = Streams().add(Stream("s", supply))
    assert [item async for item in stream] == [0, 1]
    await stream.aclose()
    assert supply.closed == 1


async def test_closing_a_stream_waits_until_it_is_done_even_when_cancelled() -> None:
    supply = Numbers(2)
    with trio.CancelScope() as scope:
        scope.cancel()
        await Stream("s", supply).aclose()
    assert supply.closed == 1


async def test_what_goes_wrong_in_closing_one_stream_leaves_no_other_open() -> None:
    class Bad(Numbers):
        async def aclose(self) -> None:
            raise OSError("bad")

    streams, good = Streams(), Numbers(1)
    streams.add(Stream("a", Bad(1)))
    streams.add(Stream("b", good))
    with pytest.raises(OSError, match="bad"):
        await streams.aclose()
    assert good.closed == 1


@pytest.mark.parametrize(
    ("name", "content", "items"),
    [
        ("a.csv", "a,b\n1,2\n3,4\n", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("a.tsv", "a\tb\n1\t2\n", [{"a": "1", "b": "2"}]),
        ("a.jsonl", '{"a": 1}\n\n[2]', [{"a": 1}, [2]]),
        ("a.log", "x\r\ny\n", ["x", "y"]),
        ("a.csv", "", []),
    ],
)
async def test_a_file_of_records_is_a_stream(
    name: str, content: str, items: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content.encode())
    flow = load(f'<source:file id="s" path="{name}" stream="true"/>{EACH}')
    assert (await fs.run(flow, base=tmp_path)).output == items


async def test_settings_of_csv_hold_for_streams(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("x\nn;day\n1;2026-01-02\n".encode("utf-16"))
    flow = load(
        '<source:file id="s" path="a.txt" stream="true" format="csv" skip="1" types="n: number"/>'
        + EACH
    )
    assert (await fs.run(flow, base=tmp_path)).output == [{"n": 1, "day": "2026-01-02"}]


def test_only_files_of_records_can_be_streams() -> None:
    with pytest.raises(fs.WorkflowInvalid, match=r"files of records \(csv, .*format is json"):
        load('<source:file id="s" path="a.json" stream="true"/>')


async def test_an_error_in_the_middle_is_the_consumers_and_says_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("1\n2\nx\n")
    flow = load(f'<source:file id="s" path="a.jsonl" stream="true"/>{EACH}')
    with pytest.raises(fs.FlowScriptError, match=r"a\.jsonl:3:1: not valid JSON") as caught:
        await fs.run(flow, base=tmp_path)
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "e"


async def test_a_file_that_is_missing_is_the_sources_error(tmp_path: Path) -> None:
    flow = load(
        '<source:file id="s" path="no.log" stream="true"><on-error><fallback node="f"/></on-error>'
        f'</source:file>{EACH}<transform:template id="f" template="{{{{ [7] }}}}"/>'
    )
    assert (await fs.run(flow, base=tmp_path)).output == [7]


async def test_a_stream_is_consumed_once(lines: Path) -> None:
    second = '<foreach id="f" collection="s" after="e"><set var="x" value="1"/></foreach>'
    with pytest.raises(StreamError, match="the stream of 's' was consumed already"):
        await fs.run(load(MAYBE + EACH + second), base=lines)


async def test_of_two_who_want_a_stream_one_gets_all_of_it(lines: Path) -> None:
    branch = (
        '<branch><foreach id="{0}" collection="s">'
        '<transform:template id="t{0}" template="{{{{item}}}}"/></foreach></branch>'
    )
    flow = load(
        f'{MAYBE}<parallel id="p" tolerate="1">{branch.format("a")}{branch.format("b")}</parallel>'
    )
    output = (await fs.run(flow, base=lines)).output
    assert sorted(map(str, output)) == sorted([str(list(map(str, range(10)))), "None"])


async def test_a_stream_that_nobody_consumes_is_closed_with_its_run(lines: Path) -> None:
    run = await fs.run(load(SOURCE), base=lines)
    with pytest.raises(StreamError, match="the stream of 's' was closed when its run ended"):
        aiter(run.output)


@pytest.mark.parametrize(
    "text",
    [
        '<transform:template id="t" template="it is {{s}}"/>',
        '<transform:template id="t" template="{{s.length}}"/>',
        '<transform:template id="t" template="{{s[0]}}"/>',
        '<transform:template id="t" template="{{ s.map(x => x) }}"/>',
        '<transform:template id="t" template="{{ slice(s, 1) }}"/>',
        '<transform:map id="t" input="s" expression="item"/>',
        '<sink:http id="t" input="s" url="http://127.0.0.1:1/"/>',
    ],
)
async def test_a_stream_is_no_value_to_count_or_to_show(text: str, lines: Path) -> None:
    with pytest.raises(fs.FlowScriptError, match="a <foreach> or a sink consumes it, once"):
        await fs.run(load(MAYBE + text), base=lines)


async def test_a_runtime_may_consume_a_stream(lines: Path) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("transform:total")
    async def total(params: fs.ExecutionParams) -> int:
        return sum([int(line) async for line in params.input])

    text = f'<workflow name="w">{SOURCE}<transform:total id="t" input="s"/></workflow>'
    run = await fs.run(fs.loads(text, registry=registry), base=lines, registry=registry)
    assert run.output == 45
    assert not run.record.warnings


async def test_a_file_is_read_as_its_items_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back-pressure: while an iteration waits, nothing is read."""
    monkeypatch.setattr(supply, "CHUNK", 10)
    (tmp_path / "a.log").write_text("12345678\n" * 100)
    read = []
    feed = supply.Records.feed
    monkeypatch.setattr(
        supply.Records, "feed", lambda *args, **last: read.append(1) or feed(*args, **last)
    )
    flow = load(SOURCE + '<foreach id="e" collection="s"><delay id="d" duration="1h"/></foreach>')
    with trio.move_on_after(0.2):
        await fs.run(flow, base=tmp_path)
    assert len(read) <= 3


async def test_breaking_out_of_a_foreach_closes_its_stream(lines: Path) -> None:
    flow = load(
        f'{SOURCE}<foreach id="e" collection="s"><break when="index == 2"/>'
        '<transform:template id="t" template="{{item}}"/></foreach><delay id="d" duration="1h" after="e"/>'
    )
    with trio.move_on_after(0.5):
        await fs.run(flow, base=lines)
        pytest.fail("it waits for an hour")
    # and while it waits: see _nothing_is_left_open, which looks once the run has ended, too


async def test_a_foreach_that_fails_closes_its_stream_before_its_error_surfaces(
    lines: Path,
) -> None:
    found: list[bool] = []
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:look")
    async def look(params: fs.ExecutionParams) -> None:
        found.append(str(lines / "a.log") in open_files())

    text = (
        f'<workflow name="w">{SOURCE}<foreach id="e" collection="s"><source:look id="l"/>'
        '<transform:map id="t" input="l" expression="1 / 0"/><transform:template id="u" template="{{1 / 0}}"/>'
        '<on-error><fallback node="h"/></on-error></foreach><source:look id="h"/></workflow>'
    )
    await fs.run(fs.loads(text, registry=registry), base=lines, registry=registry)
    assert found == [True, False]


async def test_a_stream_of_a_pipe_gives_what_is_in_it_and_a_cancellation_holds_no_thread(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "a.log")
    seen: list[str] = []
    registry = fs.Registry(base=fs.registry)
    got = trio.Event()

    @registry.runtime("sink:see")
    async def see(params: fs.ExecutionParams) -> None:
        seen.append(params.state["item"])
        got.set()

    text = f'<workflow name="w">{SOURCE}<foreach id="e" collection="s"><sink:see id="k"/></foreach></workflow>'
    flow = fs.loads(text, registry=registry)
    threads = threading.active_count()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: fs.run(flow, base=tmp_path, registry=registry))
        handle = await trio.to_thread.run_sync(os.open, tmp_path / "a.log", os.O_WRONLY)
        os.write(handle, b"one\n")
        await got.wait()
        nursery.cancel_scope.cancel()
    os.close(handle)
    assert seen == ["one"]
    assert threading.active_count() <= threads + 2  # trio keeps idle ones for a while


@pytest.mark.slow
@pytest.mark.parametrize(
    "each",
    [
        '<foreach id="e" collection="s" {}>',
        '<foreach id="e" collection="s" batch="3" {}>',
        '<foreach id="e" collection="s" batch="3" maxConcurrency="2" tolerate="1" {}>',
    ],
)
def test_a_stream_of_a_file_is_proved(each: str, lines: Path) -> None:
    """Cancelled at every step, and failed at every node, it leaves nothing open."""
    text = each.format("") + '<transform:template id="t" template="{{item}}"/></foreach>'
    report = prove(load(SOURCE + text), options={"base": lines}, pairs=30)
    assert report.holds, report.render()


async def numbers(total: int) -> AsyncIterator[int]:
    for number in range(total):
        await trio.lowlevel.checkpoint()
        yield number


@pytest.mark.parametrize(
    "collection",
    [
        [0, 1, 2, 3, 4],
        (0, 1, 2, 3, 4),
        range(5),
        dict.fromkeys(range(5)).keys(),
        lambda count: iter(range(count)),
        numbers,
    ],
)
async def test_a_batch_is_a_list_of_so_many_items_of_any_collection(collection: Any) -> None:
    given = collection(5) if callable(collection) else collection
    flow = load(
        '<foreach id="e" collection="input" batch="2" maxConcurrency="2">'
        '<transform:template id="t" template="{{ [index, item] }}"/></foreach>'
    )
    run = await fs.run(flow, input=given)
    assert run.output == [[0, [0, 1]], [1, [2, 3]], [2, [4]]]


async def test_batches_know_the_last_one_and_all_items_where_that_can_be_known() -> None:
    text = (
        '<foreach id="e" collection="input" batch="2">'
        '<transform:template id="t" template="{{ [$last, length($items)] }}"/></foreach>'
    )
    assert (await fs.run(load(text), input=[1, 2, 3])).output == [[False, 3], [True, 3]]
    assert (await fs.run(load(text), input=iter([1, 2, 3]))).output == [[None, 0], [None, 0]]


@pytest.mark.parametrize("batch", ["0", "-1", "1.5", "x"])
def test_a_batch_is_a_whole_number_above_0(batch: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match="batch"):
        load(
            f'<foreach id="e" collection="input" batch="{batch}"><set var="x" value="1"/></foreach>'
        )


async def test_a_race_counts_batches() -> None:
    text = '<foreach id="e" collection="input" batch="2" wait="n(3)"><set var="x" value="1"/></foreach>'
    with pytest.raises(fs.SettingError, match="waits for 3 of its branches to succeed, and has 2"):
        await fs.run(load(text), input=[1, 2, 3])
