"""Owns the tests of ``work``: which runs a worker takes, how many, and that it leaves them when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution import worker
from flowscript_trio.journal.rows import RunState
from flowscript_trio.journal.store import MemoryStore
from flowscript_trio.testing.places import PlayedPlace
from flowscript_trio.types.events import Observer

ONE = '<workflow name="one"><source:act id="a"/><finally><source:act id="clean"/></finally></workflow>'
FAILS = '<workflow name="fails"><source:act id="a" fails="broken"/></workflow>'


class Shop:
    """A store, the runtimes of its workers, and what they did."""

    def __init__(self) -> None:
        self.store: MemoryStore = fs.Store.memory(clock=trio.current_time)
        self.registry = fs.Registry(base=fs.registry)
        self.registry.runtime("source:act")(self.act)
        self.begun: list[str] = []
        self.done: list[str] = []
        self.most = 0
        self._busy = 0
        self.told: list[fs.WorkEvent] = []

    async def act(self, params: fs.ExecutionParams) -> Any:
        name = f"{params.run.id}/{params.node.id}"
        self.begun.append(name)
        self._busy += 1
        self.most = max(self.most, self._busy)
        try:
            await trio.sleep(float(params.config.get("takes", 1)))
        finally:
            self._busy -= 1
        if "fails" in params.config:
            raise ValueError(params.config["fails"])
        self.done.append(name)
        return name

    async def submit(self, text: str, *ids: str, **given: Any) -> None:
        for run_id in ids:
            flow = fs.loads(text, registry=self.registry)
            await fs.submit(flow, store=self.store, run_id=run_id, **given)

    async def work(self, **options: Any) -> int:
        options.setdefault("registry", self.registry)
        return await fs.work(self.store, report=self.told.append, **options)

    @property
    def lines(self) -> list[str]:
        return [f"{event.what} {event.run_id}" for event in self.told]

    async def states(self) -> dict[str, str]:
        return {
            run.run_id: "orphaned" if run.orphaned else run.state for run in await self.store.runs()
        }


async def test_queued_runs_are_brought_to_their_ends_the_oldest_first(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(ONE, "a", "b", "c")
    assert await shop.work(at_once=1, until_empty=True) == 3
    assert shop.done == ["a/a", "a/clean", "b/a", "b/clean", "c/a", "c/clean"]
    assert shop.lines == [f"{what} {run_id}" for run_id in "abc" for what in ("begun", "completed")]
    assert shop.told[1].seconds == pytest.approx(2)
    assert await shop.states() == dict.fromkeys("abc", "completed")


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (3, 3), (inf, 8)])
async def test_so_many_runs_are_under_way_at_once_as_are_told(
    at_once: float, most: int, autojump_clock: Any
) -> None:
    shop = Shop()
    await shop.submit(ONE, *"abcdefgh")
    assert await shop.work(at_once=at_once, until_empty=True) == 8
    assert shop.most == most


async def test_a_run_that_fails_does_not_stop_the_worker(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(FAILS, "bad")
    await shop.submit(ONE, "good")
    assert await shop.work(at_once=1, until_empty=True) == 2
    assert await shop.states() == {"bad": "failed", "good": "completed"}
    failed = shop.told[1]
    assert (failed.what, failed.reason) == ("failed", "ValueError: broken")
    assert isinstance(failed.error, ValueError)


async def test_a_worker_waits_for_runs_that_come_later(autojump_clock: Any) -> None:
    shop = Shop()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shop.work)
        await trio.sleep(100)  # virtual
        await shop.submit(ONE, "late")
        await trio.sleep(4)  # virtual
        assert await shop.states() == {"late": "completed"}
        nursery.cancel_scope.cancel()


async def test_a_worker_that_is_cancelled_leaves_its_runs_and_another_goes_on(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    await shop.submit(ONE, "a", "b")
    with trio.move_on_after(0.5) as scope:
        await shop.work()
    assert scope.cancelled_caught
    assert sorted(shop.lines[2:]) == ["left a", "left b"]
    assert shop.done == []
    assert await shop.states() == dict.fromkeys("ab", "orphaned")
    rows = {row.kind for run_id in "ab" for row in shop.store.rows_of(run_id)}
    assert rows == {"began", "ran", "started", "left"}
    shop.told.clear()
    assert await shop.work(until_empty=True) == 2
    assert sorted(shop.done) == ["a/a", "a/clean", "b/a", "b/clean"]
    assert sorted(shop.lines) == ["completed a", "completed b", "resumed a", "resumed b"]


async def test_a_worker_that_is_cancelled_at_any_pass_has_cancelled_no_run(
    autojump_clock: Any,
) -> None:
    for passes in range(30):
        shop = Shop()
        await shop.submit(ONE, "a", "b", "c")
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def stop(passes: int = passes, scope: trio.CancelScope = scope) -> None:
                    for _ in range(passes):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

                nursery.start_soon(stop)
                nursery.start_soon(shop.work)
        kinds = {row.kind for run_id in "abc" for row in shop.store.rows_of(run_id)}
        assert kinds <= {"began", "ran", "started", "left"}
        assert shop.done == []
        assert await shop.work(until_empty=True) == 3
        assert len(shop.done) == 6


async def test_a_store_that_fails_stops_the_worker_and_its_other_runs_are_left(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    await shop.submit(ONE, "a", "b")
    commit = shop.store._backend.commit

    def full(batches: Any, waiting: Callable[[], bool]) -> None:
        if trio.current_time() > start + 0.5:
            raise fs.StoreFailed("the disk is full")
        commit(batches, waiting)

    start = trio.current_time()
    monkeypatch.setattr(shop.store._backend, "commit", full)
    with pytest.raises(fs.StoreFailed, match="the disk is full"):
        await shop.work()
    assert set(shop.lines[2:]) == {"left a", "left b"}
    assert not any("clean" in name for name in shop.begun)


async def test_a_store_that_cannot_be_asked_at_first_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    out = _Outage(shop.store, monkeypatch)
    out.until = inf
    with pytest.raises(fs.StoreFailed, match="no route"):
        await shop.work()
    assert trio.current_time() == pytest.approx(out.start)


class _Outage:
    """A store that cannot be asked for its runs until some time."""

    def __init__(self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.start = trio.current_time()
        self.until = 0.0
        self._ready = store._backend.ready
        monkeypatch.setattr(store._backend, "ready", self.ready)

    def ready(self, limit: int, skip: frozenset[str]) -> list[RunState]:
        if trio.current_time() < self.until:
            raise fs.StoreFailed("no route")
        return self._ready(limit, skip)


async def test_a_store_that_is_out_of_reach_for_a_while_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    out = _Outage(shop.store, monkeypatch)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shop.work)
        await trio.sleep(1.5)  # virtual
        out.until = trio.current_time() + 20
        await shop.submit(ONE, "a")
        await trio.sleep(25)  # virtual
        assert await shop.states() == {"a": "completed"}
        assert [line for line in shop.lines if "unreachable" in line] == ["unreachable "]
        assert shop.told[0].reason == "no route"
        nursery.cancel_scope.cancel()


async def test_a_store_that_stays_out_of_reach_stops_the_worker(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    out = _Outage(shop.store, monkeypatch)

    async def cut() -> None:
        await trio.sleep(1.5)  # virtual
        out.until = inf

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cut)
        with pytest.raises(fs.StoreFailed, match="no route"):
            await shop.work(until_empty=False)
    assert trio.current_time() - out.start == pytest.approx(worker.PATIENCE + 2, abs=1)


async def test_a_run_that_is_taken_over_is_lost_and_the_worker_goes_on(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(ONE, "a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shop.work)
        await trio.sleep(0.5)  # virtual
        shop.store.crash()  # as far as the run goes: its lease has ended
        await trio.sleep(5)  # virtual
        nursery.cancel_scope.cancel()
    assert shop.lines == ["begun a", "lost a", "resumed a", "completed a"]
    assert shop.done == ["a/a", "a/clean"]


async def test_a_run_that_others_own_is_not_touched(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(ONE, "a")
    journal = await shop.store.open("a")
    assert await shop.work(until_empty=True) == 0
    assert shop.told == []
    await journal.aclose()
    assert await shop.work(until_empty=True) == 1


async def test_a_run_that_another_worker_takes_first_is_not_spoken_of(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    await shop.submit(ONE, "a")
    (stale,) = await shop.store.ready()
    journal = await shop.store.open("a")
    looks = [[stale], []]
    monkeypatch.setattr(shop.store._backend, "ready", lambda limit, skip: looks.pop(0))
    assert await shop.work(until_empty=True) == 0
    assert shop.told == []
    await journal.aclose()


async def test_workers_on_one_store_never_run_one_run_twice(autojump_clock: Any) -> None:
    shop = Shop()
    names = [f"run-{number}" for number in range(20)]
    await shop.submit(ONE, *names)
    told: list[list[fs.WorkEvent]] = [[], [], []]
    async with trio.open_nursery() as nursery:
        for each in told:
            worker = partial(fs.work, shop.store, registry=shop.registry, report=each.append)
            nursery.start_soon(partial(worker, at_once=3, until_empty=True))
    assert sorted(shop.begun) == sorted(
        f"{name}/{part}" for name in names for part in ("a", "clean")
    )
    assert all(each for each in told)
    assert {event.what for each in told for event in each} == {"begun", "completed"}


@pytest.mark.parametrize("text", [ONE, FAILS])
async def test_a_run_that_another_worker_has_ended_by_then_is_not_spoken_of(
    text: str, monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    await shop.submit(text, "a")
    (stale,) = await shop.store.ready()
    assert await shop.work(until_empty=True) == 1
    shop.told.clear()
    looks = [[stale], []]
    monkeypatch.setattr(shop.store._backend, "ready", lambda limit, skip: looks.pop(0))
    assert await shop.work(until_empty=True) == 0
    assert shop.told == []


async def test_a_report_that_raises_ends_the_worker_which_leaves_its_runs(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    await shop.submit(ONE, "a", "b")

    def report(event: fs.WorkEvent) -> None:
        if event.run_id == "b":
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await fs.work(shop.store, registry=shop.registry, report=report)
    assert await shop.states() == dict.fromkeys("ab", "orphaned")
    assert "cancelling" not in {row.kind for run_id in "ab" for row in shop.store.rows_of(run_id)}


# -- what a worker cannot run


async def _passed_over(shop: Shop, **options: Any) -> str:
    """Why the run 'x' is passed over, which is said once, while 'a' behind it runs."""
    await shop.submit(ONE, "a")
    with trio.move_on_after(10_000):  # virtual: long enough to try it several times
        await shop.work(at_once=1, every=20, **options)
    assert shop.lines == ["passed over x", "begun a", "completed a"]
    states = await shop.states()
    assert states["x"] == "queued"
    assert shop.store.rows_of("x") == []
    return shop.told[0].reason


async def test_a_run_whose_secret_is_missing_is_passed_over(autojump_clock: Any) -> None:
    shop = Shop()
    text = ONE.replace('<source:act id="a"/>', '<secret name="TOKEN"/><source:act id="a"/>')
    await shop.submit(text, "x", secrets={"MORE": None})
    said = await _passed_over(shop, secrets={"TOKEN": "abc"})
    assert said == "the run was given secrets that are missing now: MORE"
    assert await shop.work(until_empty=True, secrets={"TOKEN": "abc", "MORE": "def"}) == 1


async def test_a_run_gets_the_secrets_that_it_was_submitted_with_and_no_others(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    seen: dict[str, Any] = {}

    @shop.registry.runtime("source:look")
    async def look(params: fs.ExecutionParams) -> Any:
        seen.update(params.run.secrets)

    await shop.submit('<workflow name="w"><secret name="A"/><source:look id="l"/></workflow>', "x")
    assert await shop.work(until_empty=True, secrets={"A": "aaaa", "PATH": "bbbb"}) == 1
    assert seen == {"A": "aaaa"}


async def test_a_run_whose_runtime_is_missing_is_passed_over(autojump_clock: Any) -> None:
    shop = Shop()
    more = fs.Registry(base=shop.registry)

    @more.runtime("source:rare")
    async def rare(params: fs.ExecutionParams) -> Any:
        return 1

    flow = fs.loads('<workflow name="w"><source:rare id="r"/></workflow>', registry=more)
    await fs.submit(flow, store=shop.store, run_id="x")
    assert "rare" in await _passed_over(shop)
    assert await shop.work(until_empty=True, registry=more) == 1


async def test_a_run_of_other_semantics_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    shop = Shop()
    monkeypatch.setattr("flowscript_trio.execution.durable.given.SEMANTICS", 99)
    await shop.submit(ONE, "x")
    monkeypatch.undo()
    assert "a release whose workflows or journals mean something else" in await _passed_over(shop)


async def test_a_run_that_cannot_be_read_is_passed_over(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.store.submit("x", b"no document")
    assert await _passed_over(shop)


async def test_many_runs_that_are_passed_over_do_not_hide_one_that_can_run(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    text = '<workflow name="w"><secret name="NONE"/><source:act id="a"/></workflow>'
    await shop.submit(text, *map(str, range(300)))
    await shop.submit(ONE, "a")
    assert await shop.work(at_once=1, until_empty=True) == 1
    assert shop.done == ["a/a", "a/clean"]


async def test_a_run_whose_end_cannot_be_written_is_not_taken_again_at_once(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: Any
) -> None:
    async def finish(*_: Any) -> None:
        raise TypeError("a bug")

    shop = Shop()
    await shop.submit(ONE, "a")
    monkeypatch.setattr("flowscript_trio.execution.durable.recorder.Recorder.finish", finish)
    assert await shop.work(until_empty=True) == 0
    assert shop.lines == ["begun a", "passed over a"]
    assert shop.told[1].reason == "TypeError: a bug"


# -- runs that wait


ASKS = """<workflow name="asks"><checkpoint id="c" prompt="Go on?"><action id="go"/></checkpoint>
  <source:act id="a" after="c"/></workflow>"""
WAITS = """<workflow name="waits"><delay id="d" duration="1h"/><source:act id="a" after="d"/></workflow>"""


def _now() -> datetime:
    return datetime.fromtimestamp(trio.current_time(), UTC)


async def test_a_run_that_waits_for_a_person_gives_its_place_away_and_goes_on_when_answered(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    await shop.submit(ASKS, "ask")
    await shop.submit(ONE, "one")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(shop.work, at_once=1, every=60, suspend_after=30, now=_now))
        await trio.sleep(3 * 86400)  # virtual
        assert await shop.states() == {"ask": "suspended", "one": "completed"}
        await shop.store.answer("ask", (await shop.store.show("ask")).waits_for[0], "go")
        await trio.sleep(70)  # virtual
        assert await shop.states() == dict.fromkeys(["ask", "one"], "completed")
        nursery.cancel_scope.cancel()
    assert shop.lines == [
        "begun ask",
        "suspended ask",
        "begun one",
        "completed one",
        "resumed ask",
        "completed ask",
    ]


async def test_a_run_is_taken_again_when_it_is_due(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(WAITS, "x")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(shop.work, every=5, suspend_after=30, now=_now))
        await trio.sleep(3595)  # virtual
        assert await shop.states() == {"x": "suspended"}
        await trio.sleep(10)  # virtual
        assert await shop.states() == {"x": "completed"}
        nursery.cancel_scope.cancel()
    assert shop.done == ["x/a"]


async def test_a_run_that_others_want_cancelled_is_cancelled_by_a_worker(
    autojump_clock: Any,
) -> None:
    shop = Shop()
    await shop.submit(
        ASKS.replace("</workflow>", "<finally><source:act id='f'/></finally></workflow>"), "x"
    )
    assert await shop.work(until_empty=True, suspend_after=30, now=_now) == 0
    assert await shop.states() == {"x": "suspended"}
    await shop.store.cancel("x", "not needed")
    assert await shop.work(until_empty=True, suspend_after=30, now=_now) == 1
    assert await shop.states() == {"x": "cancelled"}
    assert shop.done == ["x/f"]


async def test_a_suspended_run_that_cannot_go_on_here_stays_suspended(autojump_clock: Any) -> None:
    shop = Shop()
    await shop.submit(ASKS, "x", secrets={"TOKEN": None})
    secrets = {"TOKEN": "abcdef"}
    await shop.work(until_empty=True, suspend_after=30, now=_now, secrets=secrets)
    await shop.store.cancel("x")
    rows = shop.store.rows_of("x")
    assert await shop.work(until_empty=True, now=_now) == 0
    assert await shop.states() == {"x": "suspended"}
    assert shop.store.rows_of("x") == rows
    assert await shop.work(until_empty=True, now=_now, secrets=secrets) == 1


# -- around a run


async def test_each_run_has_observers_of_its_own(autojump_clock: Any) -> None:
    shop = Shop()
    seen: dict[str, list[Any]] = {}

    @contextmanager
    def observing(state: RunState) -> Iterator[Sequence[Observer]]:
        events = seen[state.run_id] = []
        yield [events.append]
        events.append("over")

    await shop.submit(ONE, "a", "b")
    await shop.work(until_empty=True, observing=observing)
    assert seen.keys() == {"a", "b"}
    assert all(type(events[0]).__name__ == "RunStarted" for events in seen.values())
    assert all(events[-1] == "over" for events in seen.values())


async def test_an_interrupt_of_a_node_leaves_the_other_runs(autojump_clock: Any) -> None:
    shop = Shop()

    @shop.registry.runtime("source:exit")
    async def leave(params: fs.ExecutionParams) -> Any:
        await trio.sleep(0.5)
        raise SystemExit(3)

    await shop.submit(ONE, "a")
    await shop.submit('<workflow name="w"><source:exit id="e"/></workflow>', "x")
    with pytest.raises(SystemExit):
        await shop.work()
    assert (await shop.states())["a"] == "orphaned"
    kinds = {row.kind for row in shop.store.rows_of("a")}
    assert kinds == {"began", "ran", "started", "left"}


@pytest.mark.parametrize(
    ("options", "said"),
    [({"at_once": 0}, "at_once is 0"), ({"at_once": 1.5}, "at_once"), ({"every": 0}, "every is 0")],
)
async def test_what_is_wrong_with_the_arguments_is_said(
    options: Any, said: str, autojump_clock: Any
) -> None:
    with pytest.raises(fs.InputError, match=said):
        await Shop().work(**options)
    with pytest.raises(fs.InputError, match="expected a Store"):
        await fs.work("runs.db")  # type: ignore[arg-type]


class OneSeat(PlayedPlace):
    """A place that notes what came to it."""

    def __init__(self) -> None:
        self.came: list[str] = []

    async def execute(self, runtime: Any, params: fs.ExecutionParams) -> Any:
        self.came.append(params.run.id)
        return await super().execute(runtime, params)


FAR = """<workflow name="far"><limit name="seats" max="1"/><source:act id="a" place="far" limit="seats"/>
<foreach id="e" collection="[1, 2]" place="far"><source:act id="b"/></foreach></workflow>"""


async def test_a_run_is_passed_over_where_its_place_is_missing_and_taken_where_it_is_known(
    autojump_clock: Any,
) -> None:
    shop, place = Shop(), OneSeat()
    flow = fs.loads(FAR, registry=shop.registry)
    for run_id in "ab":
        await fs.submit(flow, store=shop.store, run_id=run_id)
    assert await shop.work(until_empty=True) == 0
    assert shop.lines == ["passed over a", "passed over b"]
    assert "'far'" in shop.told[0].reason
    assert shop.begun == []
    assert await shop.states() == {"a": "queued", "b": "queued"}
    assert await shop.work(places={"far": place}, until_empty=True) == 2
    assert sorted(place.came) == ["a", "b"]
    assert await shop.states() == {"a": "completed", "b": "completed"}


async def test_a_worker_takes_what_another_one_passes_over_for_a_place(
    autojump_clock: Any,
) -> None:
    shop, place = Shop(), OneSeat()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shop.work)
        nursery.start_soon(partial(shop.work, places={"far": place}))
        for run_id in "abcd":
            await fs.submit(fs.loads(FAR, registry=shop.registry), store=shop.store, run_id=run_id)
        await trio.sleep(100)  # virtual
        assert set((await shop.states()).values()) == {"completed"}
        nursery.cancel_scope.cancel()
    assert sorted(place.came) == list("abcd")
    most = [name for name in shop.begun if name.endswith("/a")]
    assert len(most) == 4


async def test_a_limit_that_the_worker_lacks_passes_a_run_over(autojump_clock: Any) -> None:
    shop = Shop()
    text = '<workflow name="w"><source:act id="a" limit="seats"/></workflow>'
    await fs.submit(fs.loads(text, registry=shop.registry), store=shop.store, run_id="a")
    assert await shop.work(until_empty=True) == 0
    assert "takes the limit 'seats', which is neither declared nor given" in shop.told[0].reason
    assert await shop.work(limits={"seats": fs.Limit(max=1)}, until_empty=True) == 1
