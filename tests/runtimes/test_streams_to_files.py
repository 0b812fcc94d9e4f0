"""Owns tests of streams that are written to files: part by part, whole or not at all."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.file import pouring
from flowscript_trio.testing import prove


def load(text: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{text}</workflow>')


async def write(items: Any, name: str, settings: str = "", *, base: Path) -> bytes:
    flow = load(f'<sink:file id="k" path="{name}" {settings}/>')
    output = (await fs.run(flow, base=base, input=iter(items))).output
    data = (base / name).read_bytes()
    assert output["path"] == name
    return data


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Parts of three; and no temporary file is left, whatever happened."""
    monkeypatch.setattr(pouring, "BATCH", 3)
    yield
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    ("name", "settings", "items", "content"),
    [
        ("a.jsonl", "", range(5), "0\n1\n2\n3\n4\n"),
        ("a.log", "", "abcd", "a\nb\nc\nd\n"),
        ("a.csv", "", [{"n": n} for n in range(4)], "n\n0\n1\n2\n3\n"),
        ("a.csv", "", [{"a": 1}, {"b": 2}, {}, {"b": 3}], "a,b\n1,\n,2\n,\n,3\n"),
        ("a.csv", "header='b,a'", [{"a": n} for n in range(4)], "b,a\n,0\n,1\n,2\n,3\n"),
        ("a.csv", "header='none'", [[n, "x"] for n in range(4)], "0,x\n1,x\n2,x\n3,x\n"),
        ("a.csv", "header='none'", [{"b": 1, "a": 2}] * 3 + [{"a": 4, "b": 3}], "1,2\n" * 3 + "3,4\n"),
        ("a.tsv", "", [{"a": 1, "b": 2}] * 4, "a\tb\n" + "1\t2\n" * 4),
        ("a.csv", "", [], ""),
        ("a.csv", "header='a,b'", [], "a,b\n"),
    ],
)  # fmt: skip
async def test_a_stream_is_written_as_a_list_is(
    name: str, settings: str, items: Any, content: str, tmp_path: Path
) -> None:
    assert await write(items, name, settings, base=tmp_path) == content.encode()


async def test_a_byte_order_mark_stands_once(tmp_path: Path) -> None:
    assert await write(
        "abcd", "a.log", "encoding='utf-16'", base=tmp_path
    ) == "a\nb\nc\nd\n".encode("utf-16")


async def test_the_bytes_of_all_parts_are_counted(tmp_path: Path) -> None:
    flow = load('<sink:file id="k" path="a.log"/>')
    assert (await fs.run(flow, base=tmp_path, input=iter("abcd"))).output["bytes"] == 8


@pytest.mark.parametrize("append", ["", 'append="true"'])
@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"a": 1}] * 7 + [{"b": 2}], "row 7 has the key 'b', which is not a column of the file"),
        ([{"a": 1}] * 7 + [5], "row 7 is not an object"),
        ([{"a": 1}] * 7 + [{"a": "\ud83d"}], "half of a surrogate pair"),
    ],
)
async def test_what_cannot_be_written_in_the_middle_leaves_the_old_file(
    items: Any, message: str, append: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("a\nold\n")
    with pytest.raises(fs.FlowScriptError, match=message):
        await write(items, "a.csv", append, base=tmp_path)
    assert (tmp_path / "a.csv").read_text() == "a\nold\n"


async def test_a_column_that_comes_late_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(fs.FlowScriptError) as caught:
        await write([{"a": 1}] * 3 + [{"b": 2}], "a.csv", base=tmp_path)
    assert any("its first 3 rows" in note for note in caught.value.__notes__)
    assert not (tmp_path / "a.csv").exists()


async def test_a_stream_is_added_to_what_stands_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2")
    rows = [{"b": n, "a": "x"} for n in range(4)]
    assert await write(rows, "a.csv", 'append="true"', base=tmp_path) == (
        b"a;b\n1;2\nx;0\nx;1\nx;2\nx;3\n"
    )
    assert await write(["c"], "a.log", 'append="true"', base=tmp_path) == b"c\n"


async def test_a_new_file_that_fails_to_be_added_to_is_taken_away(tmp_path: Path) -> None:
    with pytest.raises(fs.FlowScriptError, match="line break"):
        await write(["a"] * 4 + ["\n"], "a.log", 'append="true"', base=tmp_path)
    assert not (tmp_path / "a.log").exists()


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.txt", "a.bin"])
async def test_a_file_of_one_value_takes_no_stream(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        fs.FlowScriptError, match=r"is written whole, and the input is a stream; expected .* csv"
    ):
        await write([1], name, base=tmp_path)


async def test_those_who_add_to_one_file_at_once_take_turns(tmp_path: Path) -> None:
    """More than there are threads for files: who waits for the lock keeps nobody from going on."""
    (tmp_path / "in.log").write_text("x\n" * 20)
    flow = load(
        '<foreach id="e" collection="range(60)" maxConcurrency="60">'
        '<source:file id="s" path="in.log" stream="true"/>'
        '<sink:file id="k" input="s" path="out.log" append="true"/></foreach>'
    )
    with trio.fail_after(60):
        await fs.run(flow, base=tmp_path)
    assert (tmp_path / "out.log").read_text() == "x\n" * 1200


async def test_a_stream_that_breaks_off_leaves_the_old_file_and_is_closed(tmp_path: Path) -> None:
    closed = []

    async def items() -> Any:
        try:
            for number in range(7):
                await trio.lowlevel.checkpoint()
                yield number
            raise OSError("lost")
        finally:
            closed.append(True)

    (tmp_path / "a.jsonl").write_text("old")
    flow = load('<sink:file id="k" path="a.jsonl"/>')
    with pytest.raises(OSError, match="lost"):
        await fs.run(flow, base=tmp_path, input=items())
    assert (tmp_path / "a.jsonl").read_text() == "old"
    assert closed == [True]


@pytest.mark.slow
@pytest.mark.parametrize("append", ["", ' append="true"'])
def test_streams_from_file_to_file_are_proved(append: str, tmp_path: Path) -> None:
    """Cancelled at every step, and failed at every node: the file is whole or as it was."""
    (tmp_path / "a.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(8)))
    flow = load(
        '<source:file id="s" path="a.csv" stream="true"/>'
        f'<sink:file id="k" input="s" path="b.csv"{append}/>'
    )
    report = prove(flow, options={"base": tmp_path}, pairs=20)
    assert report.holds, report.render()
    lines = (tmp_path / "b.csv").read_text().split()
    assert lines[0] == "n"
    assert len(lines) > 8
    assert lines[1:] == list(map(str, range(8))) * (len(lines) // 8)


@pytest.mark.slow
async def test_a_large_file_goes_through_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pouring, "BATCH", 1000)
    (tmp_path / "a.csv").write_text("a,b\n" + f"{'x' * 40},{'y' * 40}\n" * 100_000)
    flow = load(
        '<source:file id="s" path="a.csv" stream="true"/><sink:file id="k" input="s" path="b.csv"/>'
    )
    tracemalloc.start()
    try:
        await fs.run(flow, base=tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    written = (tmp_path / "b.csv").read_bytes()
    assert written == (tmp_path / "a.csv").read_bytes()
    assert peak < 6_000_000 < len(written)
