"""Owns the tests of streams in durable runs: they are opened again, and what was consumed is not done again."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.streams import Stream

from crashing import Crashing, check_every_crash, points, undisturbed

SHAPES = {
    "one after another": """<foreach id="e" collection="rows"><source:act id="a" gives="{{item}}"/></foreach>""",
    "side by side": """<foreach id="e" collection="rows" max-concurrency="2">
      <source:act id="a" gives="{{item.n}}"/><source:act id="b" gives="{{a}}!"/></foreach>""",
    "batches": """<foreach id="e" collection="rows" batch="2"><source:act id="a" gives="{{item}}"/></foreach>""",
    "throttle": """<foreach id="e" collection="rows" throttle="3s" merge="none"><source:act id="a"/></foreach>""",
    "debounce": """<foreach id="e" collection="rows" debounce="3s" merge="none"><source:act id="a"/></foreach>""",
    "a break": """<foreach id="e" collection="rows" max-concurrency="3">
      <source:act id="a" takes="{{item.n}}"/><break when="item.n == 2"/></foreach>""",
    "a failure": """<foreach id="e" collection="rows" max-concurrency="3">
      <source:act id="u"><compensate><source:act id="undo"/></compensate></source:act>
      <if id="i" condition="item.n == 2"><then><source:act id="a" fails="no"/></then></if></foreach>""",
}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"n": number}) + "\n" for number in range(1, 6)))
    return path


def _text(path: Path, body: str) -> str:
    return f"""<workflow name="w"><phase name="p"><source:file id="rows" path="{path}" stream="true"/>
      {body}</phase></workflow>"""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_a_stream_that_dies_at_any_commit_ends_as_it_must(
    shape: str, rows: Path
) -> None:
    check_every_crash(_text(rows, SHAPES[shape]))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_a_stream_that_dies_again_ends_as_it_must(shape: str, rows: Path) -> None:
    check_every_crash(_text(rows, SHAPES[shape]), twice=True)


def _leaving(seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def leave(run: fs.Run) -> None:
        await trio.sleep(seconds)
        run.leave()

    return leave


def test_no_iteration_over_a_stream_that_had_ended_is_done_again(rows: Path) -> None:
    crashing = Crashing(_text(rows, SHAPES["one after another"]))
    crashing.process(during=_leaving(2.5))
    assert crashing.world.done == ["a", "a"]
    last = crashing.process()
    assert last.run is not None
    assert last.run.output == [{"n": number} for number in range(1, 6)]
    assert crashing.world.done == ["a"] * 5


def test_a_stream_that_a_sink_had_consumed_is_not_opened_again(rows: Path, tmp_path: Path) -> None:
    sink = f'<sink:file id="out" path="{tmp_path / "out.jsonl"}" input="rows"/>'
    crashing = Crashing(_text(rows, sink + '<source:act id="z" after="out" takes="9"/>'))
    assert crashing.process(("after", 2)).died  # z had begun
    rows.unlink()
    assert crashing.process().outcome == ("completed", "z")


def test_a_stream_that_cannot_be_opened_again_fails_what_consumes_it(rows: Path) -> None:
    crashing = Crashing(_text(rows, SHAPES["one after another"]))
    crashing.process(during=_leaving(2.5))
    rows.unlink()
    assert isinstance(crashing.process().error, FileNotFoundError)


def test_a_sink_that_consumes_a_stream_is_done_again_as_a_whole(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    text = _text(rows, f'<sink:file id="out" path="{out}" input="rows"/><source:act id="z"/>')
    whole = undisturbed(text)
    assert len(out.read_text().splitlines()) == 5
    for at in points(whole.store.commits):
        out.unlink(missing_ok=True)
        crashing = Crashing(text)
        crashing.process(at)
        assert crashing.process().outcome == whole.outcome
        assert len(out.read_text().splitlines()) == 5


def test_a_stream_that_has_fewer_items_than_it_had_is_found_out(rows: Path) -> None:
    crashing = Crashing(_text(rows, SHAPES["one after another"]))
    crashing.process(during=_leaving(3.5))
    rows.write_text('{"n": 1}\n')
    error = crashing.process().error
    assert isinstance(error, fs.Diverged)
    assert "ended after 1 items" in str(error)


class _Counted:
    """Five items, one a second."""

    def __init__(self) -> None:
        self.next = 0

    async def fetch(self) -> list[int]:
        await trio.sleep(1)
        self.next += 1
        return [self.next] if self.next <= 5 else []

    async def aclose(self) -> None:
        self.next = 6


def _giving(crashing: Crashing, asked: list[str]) -> None:
    @crashing.world.registry.runtime("source:counted")
    async def counted(params: fs.ExecutionParams) -> Any:
        asked.append(params.node.label)
        return {"status": 200, "body": Stream(params.node.label, _Counted())}


@pytest.mark.parametrize("left_at", [0.5, 2.5, 4.5, 7.0])
def test_a_stream_beside_other_output_is_opened_again_too(left_at: float) -> None:
    asked: list[str] = []
    crashing = Crashing(
        """<workflow name="w"><phase name="p"><source:counted id="s"/>
          <foreach id="e" collection="s.body" max-concurrency="2">
            <source:act id="a" gives="{{item}} {{s.status}}"/></foreach>
          <source:act id="z" takes="3" gives="{{e}}"/></phase></workflow>"""
    )
    _giving(crashing, asked)
    crashing.process(during=_leaving(left_at))
    assert asked == ["s"]
    last = crashing.process()
    assert last.run is not None
    assert last.run.output == [f"{number} 200" for number in range(1, 6)]
    assert asked == ["s", "s"]


def test_a_run_that_waits_for_a_stream_to_be_read_again_can_be_left() -> None:
    crashing = Crashing(
        """<workflow name="w"><phase name="p"><source:slow id="s"/>
          <foreach id="e" collection="s"><source:act id="a"/></foreach></phase></workflow>"""
    )
    seconds = [1.0, 1e9]

    class Slow(_Counted):
        async def fetch(self) -> list[int]:
            await trio.sleep(seconds[0])
            return await super().fetch()

    @crashing.world.registry.runtime("source:slow")
    async def slow(params: fs.ExecutionParams) -> Any:
        return Stream(params.node.label, Slow())

    crashing.process(during=_leaving(4.5))
    assert crashing.world.done == ["a"]
    seconds.reverse()
    left = crashing.process(during=_leaving(100))
    assert left.run is not None
    assert left.run.status == "suspended"
    seconds.reverse()
    last = crashing.process()
    assert last.run is not None
    assert last.run.status == "completed"
    assert crashing.world.done == ["a"] * 5
