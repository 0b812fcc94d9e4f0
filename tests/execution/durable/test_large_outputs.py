"""Owns the tests of large outputs in durable runs: made into bytes beside trio's thread, and kept once."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography.fernet import Fernet

import flowscript_trio as fs
from flowscript_trio.execution.durable import large
from flowscript_trio.journal import pieces, values

from crashing import check_every_crash

TEXT = "x" * 300_000
ROWS = [{"id": number, "name": "the name of something"} for number in range(5_000)]


def registry_of(output: Any) -> fs.Registry:
    registry = fs.Registry(base=fs.registry)

    async def give(params: fs.ExecutionParams) -> Any:
        await trio.lowlevel.checkpoint()
        return output() if callable(output) else output

    registry.runtime("source:give")(give)
    return registry


async def run(text: str, store: fs.Store, output: Any, **options: Any) -> fs.Run:
    registry = registry_of(output)
    flow = fs.loads(text, registry=registry)
    return await fs.run(flow, store=store, run_id="r", registry=registry, **options)


TWO = '<workflow name="w"><source:give id="a"/><source:give id="b" after="a"/></workflow>'


@pytest.mark.parametrize(
    "output",
    [TEXT, TEXT.encode(), ROWS, [(1, 2)] * 20_000],
    ids=["text", "bytes", "rows", "tuples"],
)
async def test_nothing_large_is_made_into_bytes_in_trios_thread(
    output: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted: every call that makes bytes of a value, and in which thread."""
    here = threading.get_ident()
    most = {"here": 0, "elsewhere": 0}

    def noting(make: Any) -> Any:
        def noted(*args: Any) -> Any:
            made = make(*args)
            size = (
                sum(map(len, made))
                if isinstance(made, list)
                else len(getattr(made, "packed", made))
            )
            where = "here" if threading.get_ident() == here else "elsewhere"
            most[where] = max(most[where], size)
            return made

        return noted

    monkeypatch.setattr(values, "dumped", noting(values.dumped))
    monkeypatch.setattr(pieces, "dumped", noting(pieces.dumped))
    monkeypatch.setattr(large, "packed", noting(large.packed))
    monkeypatch.setattr(pieces, "parts_of", noting(pieces.parts_of))
    run_ = await run(TWO, fs.Store(tmp_path / "runs.db"), output)
    assert run_.output == output
    assert most["here"] < 5_000
    assert most["elsewhere"] > 1_000


async def test_an_output_that_several_nodes_give_is_kept_once(tmp_path: Path) -> None:
    await run(TWO, fs.Store(tmp_path / "runs.db"), TEXT)
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        (kept,) = connection.execute("select count(*) from large").fetchone()
        (rows,) = connection.execute("select count(*) from rows where large <> 0").fetchone()
    assert (kept, rows) == (2, 3)  # the document, and the output of both nodes and of the run


CHANGES = """<workflow name="w"><source:give id="a"/><source:change id="c" input="a"/>
  <checkpoint id="stop" prompt="Go?" after="c"/>
  <transform:template id="t" template="{{length(a)}}" after="stop"/></workflow>"""


async def test_what_others_do_to_an_output_is_not_kept(tmp_path: Path) -> None:
    output = list(range(100_000))
    registry = registry_of(output)

    @registry.runtime("source:change")
    async def change(params: fs.ExecutionParams) -> None:
        output.clear()

    store = fs.Store(tmp_path / "runs.db")
    flow = fs.loads(CHANGES, registry=registry)
    left = await fs.run(flow, store=store, run_id="r", registry=registry, suspend_after=0.01)
    assert (left.status, output) == ("suspended", [])
    await store.answer("r", "stop", "approve")
    done = await fs.resume(store, "r", registry=registry)
    assert done.output == 100000


async def test_what_is_changed_while_it_is_kept_is_the_error_of_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = {f"key {number}": number for number in range(50_000)}

    def kept(*args: Any) -> Any:
        for key in output:
            output[f"new {key}"] = 1  # as another thread would

    monkeypatch.setattr("flowscript_trio.execution.durable.coding.encode_in_pieces", kept)
    with pytest.raises(fs.CannotKeep, match="it was changed while it was kept") as caught:
        await run(TWO, fs.Store(tmp_path / "runs.db"), output)
    failure = fs.failure_of(caught.value)
    assert failure is not None
    assert failure.node == "a"


async def test_what_cannot_be_kept_in_a_large_output_is_the_error_of_its_node(
    tmp_path: Path,
) -> None:
    text = """<workflow name="w"><source:give id="a"><on-error><fallback node="f"/></on-error></source:give>
      <transform:template id="f" template="{{$error.type}}"/></workflow>"""
    done = await run(text, fs.Store(tmp_path / "runs.db"), [*ROWS, object()])
    assert done.output == "CannotKeep"


RACE = """<workflow name="w"><parallel id="p" wait="any"><branch><source:give id="a"/></branch>
  <branch><source:soon id="b"/></branch></parallel></workflow>"""


async def test_a_node_whose_output_is_being_kept_has_done_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its branch loses the race meanwhile: it is cancelled, and what it gave is on record."""
    packing, lost = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()
    encode = large.packed

    def slowly(made: Any) -> Any:
        token.run_sync_soon(packing.set)
        assert lost.wait(10)
        return encode(made)

    monkeypatch.setattr(large, "packed", slowly)
    registry = registry_of(TEXT)

    @registry.runtime("source:soon")
    async def soon(params: fs.ExecutionParams) -> str:
        await packing.wait()
        return "first"

    def observe(event: Any) -> None:
        if type(event).__name__ == "CancelRequested":
            lost.set()

    store = fs.Store(tmp_path / "runs.db")
    flow = fs.loads(RACE, registry=registry)
    done = await fs.run(flow, store=store, run_id="r", registry=registry, observers=[observe])
    assert done.output == ["first"]
    with closing(sqlite3.connect(tmp_path / "runs.db")) as connection:
        found = connection.execute(
            "select kind, key from rows where kind = 'ended' order by number"
        ).fetchall()
    assert found == [("ended", b"p/1/b"), ("ended", b"p/0/a")]
    assert (await fs.resume(store, "r", registry=registry)).output == ["first"]


SECRET = "hidden-away-1234"


async def test_a_secret_in_a_large_output_is_kept_as_its_name(tmp_path: Path) -> None:
    text = TWO.replace('name="w">', 'name="w"><secret name="KEY"/>')
    output = ["x" * 299_990 + SECRET + "y" * 299_990]
    store = fs.Store(tmp_path / "runs.db")
    await run(text, store, output, secrets={"KEY": SECRET})
    journal = await store.open("r")
    kept = b"".join(row.data + row.value for row in journal.read())
    await journal.aclose()
    assert SECRET.encode() not in kept
    again = await fs.resume(store, "r", registry=registry_of(None), secrets={"KEY": SECRET})
    assert again.output == output


LARGE = """<workflow name="w"><parallel id="p"><branch><source:act id="a" gives="{{repeat('x', 70000)}}"/></branch>
  <branch><source:act id="b" takes="2" gives="{{repeat('y', 70000)}}"/></branch></parallel>
  <source:act id="z" after="p" gives="{{a}}"/></workflow>"""


def test_a_run_with_large_outputs_that_dies_at_any_commit_ends_as_it_must() -> None:
    assert check_every_crash(LARGE) > 5


@pytest.mark.parametrize("key", [Fernet.generate_key(), None], ids=["key", "no key"])
async def test_a_large_answer_that_sets_cookies_is_sealed_or_left_out(
    key: bytes | None, tmp_path: Path
) -> None:
    text = """<workflow name="w"><source:give id="a"/><checkpoint id="stop" prompt="Go?" after="a"/>
      <transform:template id="t" template="{{length(a.body)}}" after="stop"/></workflow>"""
    output = {"headers": {"Set-Cookie": "session=abc-123-def"}, "body": TEXT}
    given = []

    def give() -> Any:
        given.append(1)
        return output

    registry = registry_of(give)
    store = fs.Store(tmp_path / "runs.db", key=key)
    flow = fs.loads(text, registry=registry)
    await fs.run(flow, store=store, run_id="r", registry=registry, suspend_after=0.01)
    journal = await store.open("r")
    kept = b"".join(row.data + row.value for row in journal.read())
    await journal.aclose()
    assert b"abc-123" not in kept
    await store.answer("r", "stop", "approve")
    done = await fs.resume(store, "r", registry=registry)
    assert done.output == len(TEXT)
    assert len(given) == (1 if key else 2)  # without a key it is done again
