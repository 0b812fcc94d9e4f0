"""Owns the tests of what a node has again in another process: draws, time, resources, and runs that it began."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.journal.sqlite import SqliteBackend
from flowscript_trio.journal.store import MemoryStore
from flowscript_trio.types.events import Event, TokenTaken

from crashing import Crashing, points, undisturbed


@pytest.mark.parametrize("value", ["{{random()}}", "{{uuid()}}", "{{now()}}"])
def test_an_attempt_that_is_done_again_draws_the_same_and_at_the_same_time(value: str) -> None:
    """Else it would have diverged, which is an error: its settings are others."""
    text = f"""<workflow name="w"><source:act id="a"/><source:act id="b" gives="{value}" input="a"/>
      <source:act id="c" after="b" gives="{{{{b}}}}"/></workflow>"""
    whole = undisturbed(text)
    for at in points(whole.store.commits):
        work = Crashing(text)
        first = work.process(at)
        assert first.died
        last = work.process()
        assert last.error is None
        if "now" not in value:
            assert last.outcome == whole.outcome
        assert len(work.world.keys.get("b", {""})) == 1


def test_a_further_attempt_draws_anew_in_any_process() -> None:
    text = """<workflow name="w"><source:act id="a" fails="{{to_string(random())}}" times="2"><on-error>
      <retry max="3" when="true" base="1s"/></on-error></source:act></workflow>"""
    whole = undisturbed(text)

    def said(work: Crashing) -> list[str]:
        return [row.data.decode() for row in work.store.rows_of("r") if row.kind == "failed"]

    messages = [each.partition("0.")[2][:8] for each in said(whole)]
    assert len(set(messages)) == 2
    for at in points(whole.store.commits):
        work = Crashing(text)
        work.process(at)
        work.process()
        assert [each.partition("0.")[2][:8] for each in said(work)] == messages


USES = """<workflow name="w"><source:uses id="a"/><source:uses id="b" after="a"/>
  <checkpoint id="stop" prompt="Go?" after="b"/><source:uses id="c" after="stop"/></workflow>"""


async def test_a_resource_is_opened_anew_in_each_process_and_closed_where_that_leaves(
    autojump_clock: Any,
) -> None:
    done: list[str] = []

    @asynccontextmanager
    async def pool() -> AsyncIterator[list[str]]:
        done.append("opened")
        try:
            yield []
        finally:
            await trio.lowlevel.checkpoint()
            done.append("closed")

    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:uses")
    async def uses(params: fs.ExecutionParams) -> int:
        left = await params.run.resource("pool", pool)
        left.append(params.node.label)
        done.append("".join(left))
        return len(left)

    store = fs.Store.memory()
    flow = fs.loads(USES, registry=registry)
    run = await fs.run(flow, store=store, run_id="r", registry=registry, suspend_after=1.0)
    assert (run.status, done) == ("suspended", ["opened", "a", "ab", "closed"])
    done.clear()
    await store.answer("r", "stop", "approve")
    run = await fs.resume(store, "r", registry=registry)
    assert (run.output, done) == (1, ["opened", "c", "closed"])


INNER = fs.loads(
    '<workflow name="inner"><delay id="d" duration="5s"/><transform:template id="t" template="done"/></workflow>'
)
OUTER = '<workflow name="outer"><source:runs id="a"/></workflow>'


class Outer:
    """A run whose node begins another one under its idempotency key, in the same store."""

    def __init__(self) -> None:
        self.store: MemoryStore = fs.Store.memory()
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:runs")(self.runs)
        self.calls = 0

    async def runs(self, params: fs.ExecutionParams) -> Any:
        self.calls += 1
        run = await fs.run(INNER, store=self.store, run_id=params.idempotency_key)
        return [run.output, run.elapsed]

    async def process(self) -> fs.Run:
        flow = fs.loads(OUTER, registry=self.registry)
        return await fs.run(flow, store=self.store, run_id="outer", registry=self.registry)


async def test_a_run_that_a_node_begins_goes_on_in_another_process(autojump_clock: Any) -> None:
    outer = Outer()

    async def killed() -> None:
        with pytest.raises(fs.StoreFailed):
            await outer.process()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(killed)
        await trio.sleep(2)
        outer.store.crash()
    assert {run.state for run in await outer.store.runs()} == {"running"}
    done = await outer.process()
    assert done.output[0] == "done"
    assert outer.calls == 2
    names = [run.workflow for run in await outer.store.runs("completed")]
    assert sorted(names) == ["inner", "outer"]


@pytest.mark.parametrize("given", ["config", "env", "input"])
async def test_what_a_run_is_given_and_cannot_be_kept_is_refused_by_its_place(given: str) -> None:
    flow = fs.loads(
        '<workflow name="w"><param name="a" required="false"/><transform:template id="t" template="x"/></workflow>'
    )
    store = fs.Store.memory()
    value = {"a": [1, {"b": trio.Lock()}]}
    with pytest.raises(fs.InputError) as caught:
        await fs.run(flow, store=store, run_id="r", **{given: value})  # type: ignore[arg-type]
    assert f"{given}.a[1].b: a 'Lock' cannot be kept" in str(caught.value)
    assert await store.runs() == []


async def test_a_token_goes_back_when_its_node_has_left_and_not_after_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit of an end waits until the next node has the token of the one that ended."""
    taken = threading.Event()
    commit = SqliteBackend.commit
    waited = []

    def later(self: SqliteBackend, batches: Any, waiting: Any) -> None:
        if any(row.kind == "ended" for batch in batches for row in batch.rows):
            waited.append(taken.wait(10))
        commit(self, batches, waiting)

    def observe(event: Event) -> None:
        if isinstance(event, TokenTaken):
            taken.set()

    monkeypatch.setattr(SqliteBackend, "commit", later)
    (tmp_path / "a.txt").write_text("read")
    text = """<workflow name="w"><parallel id="p"><branch><sink:file id="a" path="x.txt" input="$input"/></branch>
      <branch><sink:file id="b" path="y.txt" input="$input"/></branch></parallel></workflow>"""
    await fs.run(
        fs.loads(text),
        store=fs.Store(tmp_path / "runs.db"),
        base=tmp_path,
        input="text",
        limiter=trio.CapacityLimiter(1),
        observers=[observe],
    )
    assert waited
    assert all(waited)
