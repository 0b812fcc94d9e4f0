"""Owns the tests of proofs: sound workflows hold, and planted faults are found, in runtimes and in the engine."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

import flowscript_trio as fs
from flowscript_trio.runtimes import pace
from flowscript_trio.runtimes.transform import lists
from flowscript_trio.testing import Report, prove
from flowscript_trio.testing.proof import trial
from flowscript_trio.testing.proof.locks import locks_alive
from flowscript_trio.testing.proof.points import CancelAt, Points, RaiseAt
from flowscript_trio.testing.proof.shrinking import shrink
from flowscript_trio.testing.proof.stepping import limiters_alive

from loopback import loopback
from stubs import Stubs

pytestmark = pytest.mark.slow

NESTED = """
<parallel id="p" maxConcurrency="2">
  <branch>
    <foreach id="each" collection="[1, 2, 3]" maxConcurrency="2">
      <source:stub id="a" takes="1s" cleanup="{{if_else(item == 2, 'slow', null)}}"/>
      <if id="choice" condition="item > 1"><then><source:stub id="b" takes="1s"/></then></if>
    </foreach>
  </branch>
  <branch>
    <timeout id="bounded" duration="10s"><source:stub id="c" takes="2s" cleanup="slow"/></timeout>
    <source:stub id="d" takes="1s"><on-error><retry max="1" when="true"/></on-error></source:stub>
  </branch>
  <branch><source:stub id="e" takes="1s"/></branch>
</parallel>
<parallel id="race" wait="any" after="p">
  <branch><source:stub id="f" takes="2s" gives="slow"/></branch>
  <branch><source:stub id="g" takes="1s" gives="quick"/></branch>
</parallel>
"""
LIMITER = trio.CapacityLimiter(3)
SHARED: list[int] = []
NURSERY: trio.Nursery


@asynccontextmanager
async def application() -> AsyncIterator[None]:
    """What a program has around its runs: a nursery that everything may start tasks in."""
    global NURSERY
    async with trio.open_nursery() as NURSERY:
        yield
        NURSERY.cancel_scope.cancel()


def promises(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


def test_a_sound_workflow_holds_at_every_point() -> None:
    report = prove(Stubs().load(NESTED), pairs=300)
    assert report.violations == (), report.render()
    assert report.points > 300
    assert dict(report.tried)["cancellations"] > 20
    assert {"errors", "time limits that pass", "two errors"} <= dict(report.tried).keys()
    assert report.points == sum(count for _, count in report.tried)


async def swallow(params: fs.ExecutionParams) -> int:
    with contextlib.suppress(BaseException):  # the fault
        await trio.sleep(1)
    return 1


async def leak(params: fs.ExecutionParams) -> None:
    await trio.sleep(1)
    trio.lowlevel.spawn_system_task(trio.sleep_forever, name="leaky")


async def leak_into_a_nursery(params: fs.ExecutionParams) -> None:
    await trio.sleep(1)
    NURSERY.start_soon(trio.sleep_forever)


async def leak_from_a_task_of_its_own(params: fs.ExecutionParams) -> None:
    async def start() -> None:
        await trio.sleep(1)
        NURSERY.start_soon(trio.sleep_forever)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(start)


async def leak_a_thread(params: fs.ExecutionParams) -> None:
    started = threading.Thread(target=RELEASED.wait, name="left", daemon=True)
    started.start()
    LEFT.append(started)
    await trio.sleep(1)


async def keep_a_token(params: fs.ExecutionParams) -> None:
    await LIMITER.acquire_on_behalf_of(params)
    await trio.sleep(1)
    LIMITER.release_on_behalf_of(params)  # the fault: no `finally`


async def leave_a_generator(params: fs.ExecutionParams) -> int:
    async def lines() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await trio.sleep(1)

    KEPT.append(lines())
    await trio.sleep(1)
    return await anext(KEPT[-1])


async def hide_errors(params: fs.ExecutionParams) -> int:
    try:
        await trio.sleep(1)
    except Exception:  # the fault: too broad
        return 2
    return 1


async def wait_for_ever(params: fs.ExecutionParams) -> None:
    await trio.sleep_forever()


async def spin(params: fs.ExecutionParams) -> None:
    while True:
        await trio.lowlevel.checkpoint()


async def share(params: fs.ExecutionParams) -> list[int]:
    await trio.lowlevel.checkpoint()
    SHARED.append(1)
    return SHARED


async def toss(params: fs.ExecutionParams) -> None:
    for _ in range(random.SystemRandom().randrange(5)):
        await trio.lowlevel.checkpoint()


KEPT: list[AsyncIterator[int]] = []
LEFT: list[threading.Thread] = []
RELEASED = threading.Event()
FAULTS: list[tuple[Any, str, str]] = [
    (swallow, "nobody swallows cancelled", "let it pass"),
    (leak, "no task is left", "in a nursery that the runtime itself opens"),
    (leak_into_a_nursery, "no task is left", "in a nursery that the runtime itself opens"),
    (leak_from_a_task_of_its_own, "no task is left", "in a nursery that the runtime itself opens"),
    (leak_a_thread, "no thread is left", "wait for it"),
    (keep_a_token, "tokens come back", "take them with `async with limiter`"),
    (leave_a_generator, "what is entered is left", "contextlib.aclosing"),
    (hide_errors, "no error is lost", "catch only what is expected"),
    (wait_for_ever, "every run ends", "set a `timeout`, or stub the node"),
    (spin, "every run ends", "set a `timeout`, or stub the node"),
    (share, "outputs stay as given", "give away a copy"),
]


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    yield
    for token in list(LIMITER.statistics().borrowers):
        LIMITER.release_on_behalf_of(token)
    RELEASED.set()
    for thread in LEFT:
        thread.join()
    for kept in (SHARED, KEPT, LEFT):
        kept.clear()
    RELEASED.clear()


def faulty(fault: Any, text: str = '<source:faulty id="x"/>') -> fs.Flow:
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:faulty")(fault)
    return fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("fault", "promise", "advice"), FAULTS, ids=[f.__name__ for f, *_ in FAULTS]
)
def test_a_fault_of_a_runtime_is_found_and_the_report_says_whose_and_what_to_do(
    fault: Any, promise: str, advice: str
) -> None:
    flow = faulty(
        fault,
        """<parallel id="p">
          <branch><source:faulty id="x"/></branch>
          <branch><delay id="d" duration="2s"/><source:faulty id="y"/></branch>
        </parallel>""",
    )
    report = prove(flow, pairs=5, most=5 if fault is leak_a_thread else 1000, around=application)
    found = [violation for violation in report.violations if violation.promise == promise]
    assert found, report.render()
    assert advice in found[0].message
    named = {"what is entered is left": "lines", "no thread is left": "'left'"}
    assert named.get(promise, "source:faulty ('x')") in found[0].message
    assert found[0].message in report.render()


def test_chance_that_is_not_the_run_s_is_found() -> None:
    branch = '<branch><source:faulty id="{}"/></branch>'
    text = "".join(branch.format(name) for name in "abc")
    report = prove(faulty(toss, f'<parallel id="p">{text}</parallel>'), pairs=0, seeds=3)
    assert "the same seed gives the same events" in promises(report)


def test_a_violation_is_shown_with_the_fewest_and_earliest_points() -> None:
    report = prove(faulty(swallow), pairs=100)
    (violation,) = [v for v in report.violations if v.promise == "nobody swallows cancelled"]
    assert violation.points == (CancelAt(2),)
    assert violation.runs > 1


def test_what_is_found_by_a_pair_is_shrunk_to_the_one_point_that_shows_it() -> None:
    def shows(points: Points) -> bool:
        return any(isinstance(point, CancelAt) and point.step >= 7 for point in points)

    pair = (RaiseAt("x", 3, 2), CancelAt(90))
    assert shrink(pair, shows) == (CancelAt(7),)
    assert shrink(pair, lambda points: True) == (RaiseAt("x", 1, 0),)
    assert shrink(pair, lambda points: len(points) == 2) == (RaiseAt("x", 1, 0), CancelAt(1))


def test_the_points_are_sampled_and_what_is_left_out_is_said() -> None:
    whole = prove(Stubs().load(NESTED), pairs=0)
    part = prove(Stubs().load(NESTED), most=10, pairs=5, seed=7)
    assert part.points == 15
    assert part.left_out > 0
    assert "points left out, by chance" in part.render()
    assert "seed" in part.render()
    assert whole.points > part.points


def test_each_seed_is_an_order_of_its_own() -> None:
    one = prove(Stubs().load(NESTED), pairs=0, most=5)
    three = prove(Stubs().load(NESTED), pairs=0, most=5, seeds=3)
    assert three.points == 3 * one.points


def test_progress_is_told_after_each_run() -> None:
    told: list[tuple[int, int]] = []
    report = prove(
        Stubs().load(NESTED), pairs=0, most=10, progress=lambda done, all: told.append((done, all))
    )
    assert [done for done, _ in told] == list(range(1, report.runs + 1))
    assert all(done <= whole for done, whole in told)


def test_options_are_made_anew_for_each_run() -> None:
    made: list[list[int]] = []

    def options() -> dict[str, Any]:
        made.append([0])
        return {"input": made[-1]}

    report = prove(Stubs().load('<source:stub id="a" takes="1s"/>'), options=options, pairs=0)
    assert report.holds
    assert len(made) == report.runs + 1  # they are looked at once before


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(fs.InputError, match="max_concurrency"):
        prove(Stubs().load('<source:stub id="a"/>'), options={"max_concurrency": 0})


def test_real_runtimes_are_waited_for_in_real_time(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("[1, 2, 3]")
    flow = fs.loads("""<workflow name="files">
      <source:file id="read" path="in.json" timeout="1s"/>
      <parallel id="p">
        <branch><sink:file id="one" path="one.json" input="read"/></branch>
        <branch><sink:file id="two" path="two.json" input="read"/></branch>
      </parallel></workflow>""")
    report = prove(flow, options={"base": tmp_path}, pairs=30)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"
    assert {path.name for path in tmp_path.iterdir()} == {"in.json", "one.json", "two.json"}


def test_what_hangs_in_a_thread_since_before_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limiter, started, released = trio.CapacityLimiter(1), threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        released.wait()

    async def abandon() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                partial(trio.to_thread.run_sync, hang, abandon_on_cancel=True, limiter=limiter)
            )
            await trio.to_thread.run_sync(started.wait)
            nursery.cancel_scope.cancel()

    trio.run(abandon)
    assert limiter.borrowed_tokens == 1

    def refuse(seconds: float) -> None:
        raise AssertionError("a run of the proof waited")

    monkeypatch.setattr(trial.time, "sleep", refuse)
    try:
        assert prove(Stubs().load('<source:stub id="a" takes="1s"/>'), pairs=0).holds
    finally:
        released.set()


def test_a_real_database_is_proved_and_no_commit_is_lost_or_told_as_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        trial, "PATIENCE", 60.0
    )  # on a busy machine a disk takes more than a second
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("create table t (a integer)")
    flow = fs.loads("""<workflow name="database">
      <parallel id="p">
        <branch><source:database id="read" connection="sqlite:///x.db" query="select a from t"/></branch>
        <branch>
          <transform type="template" id="rows" template="{{[set({}, 'a', 1)]}}"/>
          <sink:database id="write" connection="sqlite:///x.db" table="t" input="rows"/>
        </branch>
      </parallel></workflow>""")
    report = prove(flow, options={"base": tmp_path}, pairs=10)
    assert report.holds, report.render()
    assert report.undisturbed == "completed"


def test_a_real_server_that_never_answers_is_proved_in_bounded_time() -> None:
    bases: list[str] = []

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        async with loopback() as server:
            server.hang("/hangs")
            bases.append(server.base)
            yield

    flow = fs.loads("""<workflow name="http">
      <source:http id="get" url="{{$input}}/hangs" timeout="5s"/></workflow>""")
    report = prove(
        flow,
        options=lambda: {"input": bases[-1] if bases else "http://127.0.0.1"},
        around=serving,
        most=4,
        pairs=0,
    )
    assert report.holds, report.render()
    assert "TooSlowError" in report.undisturbed


def test_a_workflow_that_fails_by_itself_is_proved_as_well() -> None:
    report = prove(Stubs().load('<source:stub id="a" takes="1s" fails="broken"/>'), pairs=10)
    assert report.holds
    assert report.undisturbed == "failed: ValueError: broken"


def test_a_report_is_ready_for_json() -> None:
    described = prove(faulty(swallow), pairs=0).as_dict()
    assert json.loads(json.dumps(described)) == described
    assert described["violations"][0]["points"][0]["kind"] == "CancelAt"


def test_an_interrupt_ends_a_proof_also_out_of_the_application_s_nursery() -> None:
    async def interrupt() -> None:
        raise KeyboardInterrupt

    @asynccontextmanager
    async def interrupted() -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt)
            yield

    with pytest.raises(KeyboardInterrupt):
        prove(Stubs().load('<source:stub id="a" takes="1s"/>'), around=interrupted)


async def commit(params: fs.ExecutionParams) -> str:
    with trio.CancelScope(shield=True):
        await trio.sleep(2)
    return "committed"


def test_a_sound_shielded_commit_is_not_accused() -> None:
    report = prove(faulty(commit), pairs=10)
    assert report.holds, report.render()


def test_what_real_time_decides_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine every item of a transform may take longer than the time after which it rests."""
    seconds = itertools.count()
    chance = random.SystemRandom()
    monkeypatch.setattr(pace, "perf_counter", lambda: next(seconds) * chance.random())
    monkeypatch.setattr(lists, "clock", lambda: next(seconds) * chance.random())
    text = """<source:stub id="s" gives="{{range(8)}}"/>
    <parallel id="p" after="s">
      <branch><transform type="filter" id="f" input="s" condition="item lt 3"/></branch>
      <branch><transform type="filter" id="g" input="s" condition="item lt 3"/></branch>
    </parallel>"""
    report = prove(Stubs().load(text), pairs=300, seeds=3)
    assert report.holds, report.render()


def test_what_a_command_has_frozen_is_looked_at_too() -> None:
    """The collector does not list it, and ``flowscript prove`` freezes what it has imported."""
    lock, limiter = trio.Lock(), trio.CapacityLimiter(3)
    gc.freeze()
    try:
        assert lock in locks_alive()
        assert limiter in limiters_alive()
    finally:
        gc.unfreeze()
