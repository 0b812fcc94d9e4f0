"""Owns the tests of places in durable runs: what runs elsewhere is one execution of the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.types import key_of
from flowscript_trio.testing.places import PlayedPlace
from flowscript_trio.types.errors import WorkerDied

from crashing import Crashing, check_every_crash
from travelling import REGISTRY

PART = """<workflow name="part"><parallel id="p"><branch><source:act id="x"/></branch>
  <branch><source:act id="y" takes="2"/></branch></parallel><finally><source:act id="f"/></finally></workflow>"""
SHAPES = {
    "leaf": """<workflow name="w"><source:act id="a" place="far"/>
      <source:act id="b" input="a" place="far"/></workflow>""",
    "leaf tried again": """<workflow name="w"><source:act id="a" place="far" fails="no" times="2">
      <on-error><retry max="3" when="true" base="1s"/></on-error></source:act></workflow>""",
    "branch": """<workflow name="w"><parallel id="p">
      <branch place="far"><source:act id="a"/><source:act id="a2"/>
        <finally><source:act id="fa"/></finally></branch>
      <branch><source:act id="b" takes="3"/></branch></parallel>
      <source:act id="z" after="p" gives="{{a}} {{a2}} {{b}} {{p}}"/></workflow>""",
    "branch that fails": """<workflow name="w"><parallel id="p" fail-fast="false">
      <branch place="far"><source:act id="a" fails="far away"/></branch>
      <branch><source:act id="b" takes="3"/></branch>
      <on-error><fallback node="h"/></on-error></parallel><source:act id="h"/>
      <source:act id="z" after="p" gives="{{p}} {{a.status}}"/></workflow>""",
    "branch that loses": """<workflow name="w"><parallel id="p" wait="any">
      <branch place="far"><source:act id="a" takes="5"/><finally><source:act id="fa"/></finally></branch>
      <branch><source:act id="b" takes="3"/></branch></parallel><source:act id="z" after="p"/></workflow>""",
    "block tried again": """<workflow name="w"><parallel id="p">
      <branch place="far"><source:act id="a"/></branch>
      <branch><source:act id="b" takes="2" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
    "iterations": """<workflow name="w"><foreach id="e" collection="[1,2,3]" max-concurrency="2" place="far">
      <source:act id="a" gives="{{item}}"/></foreach></workflow>""",
    "iterations that break": """<workflow name="w"><foreach id="e" collection="[1,2,3]" place="far">
      <source:act id="a" gives="{{item}}"/><break when="item == 2"/></foreach></workflow>""",
}
DOCUMENTS = {
    "call": """<workflow name="w"><call id="c" workflow="part.xml" place="far"/>
      <source:act id="z" input="c"/></workflow>""",
    "include": """<workflow name="w"><include id="c" workflow="part.xml" place="far"/>
      <source:act id="z" input="c"/></workflow>""",
    "call tried again": """<workflow name="w"><parallel id="p"><branch>
      <call id="c" workflow="part.xml" place="far"/></branch>
      <branch><source:act id="b" takes="5" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
    "calls": """<workflow name="w"><foreach id="e" collection="[1,2]">
      <call id="c" workflow="part.xml" place="far"/>
      </foreach></workflow>""",
}


def _places() -> dict[str, Any]:
    return {"far": PlayedPlace()}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_places_that_dies_at_any_commit_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], places=_places())


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_run_with_places_that_dies_again_in_its_resumption_ends_as_it_must(shape: str) -> None:
    check_every_crash(SHAPES[shape], places=_places(), twice=True)


@pytest.mark.parametrize("shape", DOCUMENTS)
def test_documents_that_run_elsewhere_end_as_they_must(shape: str, tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(PART)
    (tmp_path / "w.xml").write_text(DOCUMENTS[shape])
    check_every_crash(tmp_path / "w.xml", places=_places(), twice=True)


def _leaving(seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def leave(run: fs.Run) -> None:
        await trio.sleep(seconds)
        run.leave()

    return leave


@pytest.mark.parametrize(("seconds", "times"), [(1.5, 2), (2.5, 2), (3.5, 1)])
def test_what_runs_elsewhere_is_begun_again_whole_unless_it_had_ended(
    seconds: float, times: int
) -> None:
    text = SHAPES["branch"].replace('takes="3"', 'takes="5"')
    crashing = Crashing(text, places=_places())
    crashing.process(during=_leaving(seconds))
    assert crashing.process().run is not None
    assert crashing.world.done.count("a") == times


def test_a_process_dies_at_what_runs_elsewhere_so_many_times_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(PART)
    (tmp_path / "w.xml").write_text(DOCUMENTS["call"])
    crashing = Crashing(tmp_path / "w.xml", places=_places(), max_crashes=2)
    for _ in range(2):
        assert crashing.process(during=_leaving(0.5)).run is not None  # which does not count
        crashing.process(during=crashing.dying(0.5))
    assert isinstance(crashing.process().error, fs.Interrupted)
    assert "x" not in crashing.world.done


class Flaky(PlayedPlace):
    """A place whose first worker dies."""

    def __init__(self) -> None:
        self.carried = 0

    async def run_document(self, walk: Any, result: Any, attempt: Any) -> Any:
        self.carried += 1
        await trio.sleep(1)
        if self.carried == 1:
            raise WorkerDied("the worker died", "w1")
        return await super().run_document(walk, result, attempt)


def test_a_worker_that_was_lost_stays_lost(tmp_path: Path) -> None:
    (tmp_path / "part.xml").write_text(PART)
    text = """<workflow name="w"><call id="c" workflow="part.xml" place="far">
      <on-error><retry max="1" when="true" base="5s"/></on-error></call></workflow>"""
    (tmp_path / "w.xml").write_text(text)
    place = Flaky()
    crashing = Crashing(tmp_path / "w.xml", places={"far": place})
    crashing.process(during=_leaving(3))
    last = crashing.process()
    assert last.run is not None
    # One second until it died, five of waiting, one on the way, three there.
    assert last.run.duration == 10.0
    assert place.carried == 2
    assert last.run.results["c"].attempts == 2
    assert isinstance(last.run.results["c"].error, WorkerDied)


def test_what_ran_elsewhere_is_done_again_with_the_same_key() -> None:
    crashing = Crashing(SHAPES["iterations"], places=_places())

    crashing.process(during=_leaving(0.5))
    before = set(crashing.world.keys["a"])
    assert len(before) == 2
    assert None not in before
    crashing.process()
    assert before < crashing.world.keys["a"]
    assert len(crashing.world.keys["a"]) == 3


async def test_a_thread_is_a_place_of_a_durable_run() -> None:
    keys: list[Any] = []
    registry = fs.Registry(base=fs.registry)
    second = trio.Event()
    home = trio.lowlevel.current_trio_token()

    @registry.runtime("source:key")
    async def key(params: fs.ExecutionParams) -> Any:
        keys.append(params.run.idempotency_key)
        if len(keys) == 2:
            home.run_sync_soon(second.set)
            await trio.sleep_forever()
        return len(keys)

    text = """<workflow name="w"><source:key id="a" place="thread"/>
      <foreach id="e" collection="[1]" after="a"><source:key id="b" place="thread"/></foreach></workflow>"""
    flow = fs.loads(text, registry=registry)
    store = fs.Store.memory()
    async with fs.open_run(flow, store=store, run_id="r") as run:
        await second.wait()
        run.leave()
    run = await fs.resume(store, "r", registry=registry)
    assert run.output == [3]
    assert len(keys) == 3
    assert keys[1] == keys[2] != keys[0]
    assert None not in keys


@pytest.mark.parametrize("place", ["thread", "process"])
async def test_nodes_of_what_runs_elsewhere_have_their_keys(place: str) -> None:
    text = f"""<workflow name="w"><foreach id="e" collection="[1, 2]" place="{place}">
      <transform:where id="a"/></foreach></workflow>"""
    flow = fs.loads(text, registry=REGISTRY)
    store = fs.Store.memory()
    run = await fs.run(flow, store=store, run_id="r")
    assert [each["key"] for each in run.output] == [key_of("r", f"e[{at}]/a") for at in (0, 1)]
    again = await fs.resume(store, "r", registry=REGISTRY)
    assert again.output == run.output


ONCE = {
    "body": """<workflow name="w"><foreach id="e" collection="[1]" place="far">
      <source:act id="before"/><source:act id="a" takes="3" on-crash="fail"/></foreach></workflow>""",
    "node in a block": """<workflow name="w"><foreach id="e" collection="[1]" place="far">
      <if id="i" condition="true"><then><source:act id="a" takes="3" on-crash="fail"/></then></if>
      </foreach></workflow>""",
}


@pytest.mark.parametrize("shape", ONCE)
def test_what_may_begin_only_once_is_not_begun_again_with_the_whole_of_a_body(shape: str) -> None:
    crashing = Crashing(ONCE[shape], places=_places())
    crashing.process(during=_leaving(1.5))
    last = crashing.process()
    assert isinstance(last.error, fs.Interrupted)
    assert crashing.world.done.count("before") <= 1
    assert "a" not in crashing.world.done
    assert isinstance(crashing.process().error, fs.Interrupted)  # as it had ended


def test_what_may_begin_only_once_is_not_begun_again_with_the_whole_of_a_document(
    tmp_path: Path,
) -> None:
    part = PART.replace('takes="2"', 'takes="5" on-crash="fail"')
    (tmp_path / "part.xml").write_text(part)
    (tmp_path / "w.xml").write_text(DOCUMENTS["call"])
    crashing = Crashing(tmp_path / "w.xml", places=_places())
    crashing.process(during=_leaving(3))
    assert isinstance(crashing.process().error, fs.Interrupted)
    assert crashing.world.done.count("x") == 1


APPENDS = """<workflow name="w"><foreach id="e" collection="[1]" place="far">
  <sink type="file" id="k" path="log.txt" append="true" input="{{item}}"/></foreach></workflow>"""


async def test_what_a_body_elsewhere_would_have_to_keep_is_refused_before_it_is_changed(
    tmp_path: Path,
) -> None:
    flow = fs.loads(APPENDS)
    with pytest.raises(fs.CannotKeep):
        await fs.run(flow, store=fs.Store.memory(), places=_places(), base=tmp_path)
    assert not (tmp_path / "log.txt").exists() or not (tmp_path / "log.txt").read_text()


def test_what_a_part_spends_elsewhere_counts_for_the_budget_in_every_process() -> None:
    check_every_crash(SHAPES["branch"], places=_places(), budget=fs.Budget(nodes=99, rounds=9))
