"""Owns the tests of what a durable run works on beside trio's thread as it begins: its input and its journal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.given import SEMANTICS, write_given
from flowscript_trio.execution.durable.past import Past
from flowscript_trio.journal.values import decode_value

from crashing import Crashing, World, undisturbed

ROWS = [{"id": number, "name": "a row of a table", "price": 1.5} for number in range(2_000)]
SMALL = [{"id": 1}]
FLOW = """<workflow name="w"><foreach id="f" collection="{{$input}}" maxConcurrency="100" merge="none">
  <transform:template id="t" template="{{item.id}}"/></foreach>
  <set var="x" value="{{length($input)}}"/></workflow>"""


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[bool]]:
    """For what takes long: whether it was done in the main thread."""
    found: dict[str, set[bool]] = {}

    def watch(owner: type, name: str) -> None:
        whole: Callable[..., Any] = getattr(owner, name)

        def watched(self: Any, *args: Any) -> Any:
            is_main = threading.current_thread() is threading.main_thread()
            found.setdefault(name, set()).add(is_main)
            return whole(self, *args)

        monkeypatch.setattr(owner, name, watched)

    watch(Coding, "encode_in_pieces")
    watch(Past, "take_in")
    return found


async def test_a_large_input_is_encoded_and_read_in_a_thread_and_a_journal_is_read_in_one(
    tmp_path: Path, threads: dict[str, set[bool]]
) -> None:
    flow, store = fs.loads(FLOW), fs.Store(tmp_path / "runs.db")
    run = await fs.run(flow, store=store, run_id="r", input=ROWS)
    assert threads == {"encode_in_pieces": {False}}
    again = await fs.run(flow, store=store, run_id="r", input=ROWS)
    resumed = await fs.resume(store, "r")
    assert threads == {"encode_in_pieces": {False}, "take_in": {False}}
    assert run.output == again.output == resumed.output == len(ROWS)
    with pytest.raises(fs.InputError, match="with another document, input or config"):
        await fs.run(flow, store=store, run_id="r", input=ROWS[1:])


async def test_what_is_small_takes_no_thread(tmp_path: Path, threads: dict[str, set[bool]]) -> None:
    await fs.run(fs.loads(FLOW), store=fs.Store(tmp_path / "runs.db"), run_id="r", input=SMALL)
    assert threads == {}


def test_what_may_live_in_virtual_time_takes_no_thread(threads: dict[str, set[bool]]) -> None:
    work = Crashing(FLOW, input=ROWS)
    assert work.process().outcome == ("completed", len(ROWS))
    assert work.process().outcome == ("completed", len(ROWS))
    assert threads == {"encode_in_pieces": {True}, "take_in": {True}}


async def test_a_fork_has_the_large_input(tmp_path: Path) -> None:
    flow, store = fs.loads(FLOW), fs.Store(tmp_path / "runs.db")
    await fs.run(flow, store=store, run_id="r", input=ROWS)
    new = await fs.fork(store, "r", at="f")
    assert (await fs.resume(store, new)).output == len(ROWS)


async def test_a_large_input_with_secrets_is_submitted(tmp_path: Path) -> None:
    store = fs.Store(tmp_path / "runs.db")
    text = FLOW.replace("<foreach", '<secret name="KEY"/><foreach')
    rows = [*ROWS, {"id": "it is hidden-away-1234 there"}]
    await fs.submit(
        fs.loads(text), store=store, run_id="r", input=rows, secrets={"KEY": "hidden-away-1234"}
    )
    assert b"hidden-away" not in (tmp_path / "runs.db").read_bytes()
    run = await fs.resume(store, "r", secrets={"KEY": "hidden-away-1234"})
    assert run.output == len(rows)


def test_what_is_large_is_given_in_pieces_of_which_none_is_long() -> None:
    for given in ({"input": ROWS}, {"input": {1: ROWS}}, {"input": b"x" * 1_000_000}):
        coding = Coding({})
        semantics, names, pieces, count = decode_value(write_given(coding, ["A"], given, True, 3))
        assert (semantics, names, count) == (SEMANTICS, ["A"], 3)
        assert max(map(len, pieces)) <= 256 * 1024
        assert coding.decode(b"".join(pieces)) == given


async def test_an_input_that_cannot_be_kept_is_named_in_a_thread_too(tmp_path: Path) -> None:
    with pytest.raises(fs.InputError, match=r"cannot be kept: input\[2000\]"):
        await fs.run(
            fs.loads(FLOW), store=fs.Store(tmp_path / "runs.db"), input=[*ROWS, trio.Event()]
        )


LARGE = "x" * 200_000
STATE = """<workflow name="w"><set var="n" value="{{0}}"/><loop id="l" max="{rounds}">
  <source:act id="a" gives="{{LARGE}}"/><set var="n" value="{{{{n + 1}}}}"/>
  <set var="all" value="{{{{a}}}}"/></loop>
  <source:act id="z" after="l" gives="{{{{n}}}} {{{{length(l)}}}} {{{{length(all)}}}}"/></workflow>"""


def rounds(count: int) -> str:
    return STATE.format(rounds=count).replace("{LARGE}", LARGE)


def test_a_loop_with_a_large_state_that_dies_anywhere_has_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 8)
    monkeypatch.setattr(compacting, "MOST_BYTES", 1 << 30)
    whole = undisturbed(rounds(12))
    kinds = [row.kind for row in whole.store.rows_of("r")]
    assert "compacted" in kinds
    assert kinds.count("ended") < 12
    for at in [("after", number) for number in range(1, whole.store.commits + 1, 3)]:
        work = Crashing(rounds(12))
        work.process(at)
        assert work.process().outcome == whole.outcome


async def test_the_large_state_of_a_loop_is_packed_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: dict[str, set[bool]]
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 8)
    world, store = World(), fs.Store(tmp_path / "runs.db")
    text = rounds(6).replace("<source:act", '<source:act takes="0"')
    run = await fs.run(fs.loads(text, registry=world.registry), store=store, run_id="r")
    assert run.status == "completed"
    assert threads["encode_in_pieces"] == {False}
    assert (await fs.resume(store, "r", registry=world.registry)).output == run.output
    kinds = [row.kind for _, row in (await store.copy("r"))[2]]
    assert "compacted" in kinds


@pytest.mark.parametrize("merge", ["array", "none"])
def test_iterations_with_large_outputs_are_compacted_where_these_are_not_kept(
    monkeypatch: pytest.MonkeyPatch, merge: str
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 8)
    text = f"""<workflow name="w"><foreach id="e" collection="range(0, 20)" max-concurrency="3" merge="{merge}">
      <source:act id="a" gives="{{{{item % 4 == 3 ? '{LARGE}' : item}}}}"/></foreach>
      <source:act id="z" after="e" gives="{{{{e == null}}}}"/></workflow>"""
    whole = undisturbed(text)
    rows = whole.store.rows_of("r")
    large = [row for row in rows if row.kind == "ended" and len(row.data + row.value) > 100_000]
    assert "compacted" in {row.kind for row in rows}
    assert len(large) == 5 if merge == "array" else len(large) < 5
    assert all(len(row.data) < 100_000 for row in rows if row.kind == "compacted")
    for at in [("after", number) for number in range(1, whole.store.commits + 1, 3)]:
        work = Crashing(text)
        work.process(at)
        assert work.process().outcome == whole.outcome
