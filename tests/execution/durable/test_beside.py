"""Owns the tests of what a durable run works on beside trio's thread as it begins: its input and its journal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.given import SEMANTICS, write_given
from flowscript_trio.execution.durable.past import Past
from flowscript_trio.journal.values import decode_value

from crashing import Crashing

ROWS = [{"id": number, "name": "a row of a table", "price": 1.5} for number in range(5_000)]
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
    with pytest.raises(fs.InputError, match=r"cannot be kept: input\[5000\]"):
        await fs.run(
            fs.loads(FLOW), store=fs.Store(tmp_path / "runs.db"), input=[*ROWS, trio.Event()]
        )
