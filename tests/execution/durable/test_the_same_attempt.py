"""Owns the tests of what a resumed run takes up: the same attempts, passes that go on, nothing done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable.coding import Coding
from flowscript_trio.execution.durable.entry_rows import entry_of
from flowscript_trio.types.events import NodeEnded

from crashing import Crashing, points, undisturbed


def leave_after(seconds: float) -> Callable[[fs.Run], Awaitable[None]]:
    async def leave(run: fs.Run) -> None:
        await trio.sleep(seconds)  # virtual
        run.leave()

    return leave


def test_what_is_done_again_takes_nothing_of_the_retries() -> None:
    text = """<workflow name="w"><source:act id="a" takes="2" fails="no" times="1">
      <on-error><retry max="1" when="true" base="1s"/></on-error></source:act></workflow>"""
    work = Crashing(text)
    for _ in range(2):
        assert work.process(during=leave_after(1)).run.status == "suspended"
        assert work.world.begun == [("a", 1)]
    last = work.process()
    assert last.outcome == ("completed", "a")
    assert work.world.begun == [("a", 1), ("a", 2)]


def test_a_block_that_had_begun_goes_on_and_is_no_further_attempt() -> None:
    text = """<workflow name="w"><parallel id="p"><branch><source:act id="a"/><source:act id="b" takes="5"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>"""
    work = Crashing(text)
    for _ in range(2):
        work.process(during=leave_after(3))
    assert work.process().outcome == ("completed", ["b"])
    assert work.world.done == ["a", "b"]
    assert work.world.begun == [("p/0/b", 1)]


def test_the_results_of_a_block_are_of_the_attempt_that_they_were_made_in() -> None:
    text = """<workflow name="w"><parallel id="trip"><branch><source:act id="book"/>
      <source:act id="pay" fails="no" times="1"/><source:act id="tell" takes="5"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>"""
    work = Crashing(text)
    work.process(during=leave_after(6))
    work.process()
    kept = [row.key for row in work.store.rows_of("r") if row.kind == "ended"]
    assert kept == ["trip/0/book", "trip~2/0/book", "trip~2/0/pay", "trip~2/0/tell"]
    assert len(work.world.keys["book"]) == 2


def test_passes_go_on_above_those_on_record() -> None:
    text = """<workflow name="w"><parallel id="p"><branch><source:act id="a"/></branch>
      <branch><source:act id="b" takes="3"/></branch></parallel></workflow>"""
    work = Crashing(text)
    work.process(during=leave_after(2))
    before = len(work.store.rows_of("r"))
    work.process()
    coding = Coding({})
    entries = [entry_of(row, coding.decode) for row in work.store.rows_of("r")]
    passes = [
        [getattr(e, "at", 0) for e in part if e.kind in ("ended", "jobs")]
        for part in (entries[:before], entries[before:])
    ]
    assert passes[0]
    assert passes[1]
    assert max(passes[0]) < min(passes[1]) < max(passes[0]) + 20


def test_what_is_restored_waits_for_no_token() -> None:
    text = """<workflow name="w"><source:act id="a"/><source:act id="b" takes="5" input="a"/></workflow>"""
    work = Crashing(text)
    work.process(during=leave_after(3))
    limiter = work.options["limiter"] = trio.CapacityLimiter(1)

    async def give_back(_: fs.Run) -> None:
        await trio.sleep(10)  # virtual
        limiter.release_on_behalf_of("another run")

    limiter.acquire_on_behalf_of_nowait("another run")
    last = work.process(during=give_back)
    ended = {
        each.path: (each.time, each.replayed) for each in last.events if isinstance(each, NodeEnded)
    }
    assert ended == {"a": (0, True), "b": (15, False)}


@pytest.mark.parametrize("first", ["a", "b"])
def test_what_is_owed_is_undone_in_reverse_order_of_completion_by_any_process(first: str) -> None:
    takes = {"a": 1, "b": 1, first: 0.5}
    nodes = "".join(
        f'<branch><source:act id="{name}" takes="{takes[name]}"><compensate><source:act id="undo-{name}"/>'
        "</compensate></source:act></branch>"
        for name in "ab"
    )
    text = f'<workflow name="w"><parallel id="p">{nodes}</parallel><source:act id="c" after="p" fails="no"/></workflow>'
    whole = undisturbed(text)
    second = "ba"["ab".index(first)]
    expected = [f"undo-{second}", f"undo-{first}"]
    assert whole.world.done[3:] == expected
    for at in points(whole.store.commits):
        work = Crashing(text)
        work.process(at)
        work.process()
        if first != "b":  # else which of them ends first may be another one after the crash
            undone = list(dict.fromkeys(each for each in work.world.done if "undo" in each))
            assert undone == expected, at


def test_an_interrupted_node_may_ask_a_person() -> None:
    text = """<workflow name="w"><source:act id="pay" takes="3" on-crash="fail">
      <on-error><fallback node="ask"/></on-error></source:act>
      <checkpoint id="ask" prompt="{{$error.type}}: was it paid?"><action id="yes"/></checkpoint>
      <source:act id="after" input="pay"/></workflow>"""
    work = Crashing(text)
    asked: list[str] = []

    async def answer(_: fs.Run) -> None:
        await trio.sleep(5)  # virtual
        (question,) = await work.store.questions("r")
        asked.append(question.prompt)
        await work.store.answer("r", question.key, "yes")

    work.process(during=leave_after(1))
    assert work.process(during=answer).outcome == ("completed", "after")
    assert asked == ["Interrupted: was it paid?"]
    assert work.world.done == ["after"]


COMPUTING = {
    "computes": ('<transform:template id="t" template="x"/>', set()),
    "fails": ('<transform:template id="t" template="{{1 / 0}}"><on-error><fallback node="f"/></on-error></transform:template><set id="f" var="v" value="1"/>', {"failed"}),
    "can be undone": ('<transform:template id="t" template="x"><compensate><source:act id="u"/></compensate></transform:template>', {"ended", "completed"}),
}  # fmt: skip


@pytest.mark.parametrize("shape", COMPUTING)
def test_a_node_that_computes_is_on_record_only_where_it_fails_or_can_be_undone(shape: str) -> None:
    text, kinds = COMPUTING[shape]
    rows = undisturbed(
        f'<workflow name="w">{text}<source:act id="z" after="t"/></workflow>'
    ).store.rows_of("r")
    assert {row.kind for row in rows if row.key == "t"} - {"retried"} == kinds


async def test_only_reads_that_may_not_be_done_again_are_on_disk_as_begun(tmp_path: Any) -> None:
    (tmp_path / "f.txt").write_text("x")
    text = """<workflow name="w"><source type="file" id="plain" path="f.txt"/>
      <source type="file" id="once" path="f.txt" on-crash="fail"/></workflow>"""
    store = fs.Store.memory()
    await fs.run(fs.loads(text), store=store, run_id="r", base=tmp_path)
    assert [row.key for row in store.rows_of("r") if row.kind == "started"] == ["once"]


async def test_settings_are_compared_with_secrets_by_name(autojump_clock: Any) -> None:
    registry = fs.Registry(base=fs.registry)
    sent: list[str] = []

    @registry.runtime("sink:send")
    async def send(params: fs.ExecutionParams) -> Any:
        await trio.sleep(2)  # virtual
        sent.append(params.config["token"])

    flow = fs.loads(
        '<workflow name="w"><secret name="KEY"/><sink:send id="a" token="Bearer {{$secrets.KEY}}"/></workflow>',
        registry=registry,
    )
    store = fs.Store.memory()
    async with fs.open_run(flow, store=store, run_id="r", secrets={"KEY": "old-secret-1"}) as run:
        await trio.sleep(1)  # virtual
        run.leave()
    done = await fs.resume(store, "r", registry=registry, secrets={"KEY": "new-secret-2"})
    assert done.status == "completed"
    assert sent == ["Bearer new-secret-2"]


def test_what_is_seen_of_an_error_is_what_was_seen_as_it_left_its_node() -> None:
    text = """<workflow name="w"><source:moody id="m"><on-error><fallback node="f"/></on-error></source:moody>
      <source:act id="f" takes="3"/><transform:template id="t" after="m, f" template="{{m.error.status}} {{m.error.message}}"/></workflow>"""
    work = Crashing(text)
    moods, asked = [501], list[int]()

    class Moody(Exception):
        @property
        def status(self) -> int:
            asked.append(moods[-1])
            return moods[-1]

    fs.register_error(Moody)

    @work.world.registry.runtime("source:moody")
    async def moody(params: fs.ExecutionParams) -> Any:
        raise Moody("not today")

    work.process(during=leave_after(1))
    assert set(asked) == {501}
    moods.append(502)
    assert work.process().outcome == ("completed", "501 not today")
    assert set(asked) == {501}


WAITING = """<workflow name="w"><source:act id="a"/><transform:template id="t" input="a" template="{{now()}}"/>
  <if id="i" condition="timestamp(now()) &gt; timestamp('2020-01-01T00:00:00Z')" after="t"><then><source:act id="b"/></then></if>
  <source:act id="c" fails="no" after="i"><on-error><fallback node="f"/></on-error></source:act><source:act id="f"/></workflow>"""


def test_ends_errors_choices_and_readings_of_the_clock_wait_for_nothing() -> None:
    assert undisturbed(WAITING).store.commits == 4 + 1  # of the nodes that act, and of the run


def test_nothing_acts_before_it_is_on_disk_that_it_begins() -> None:
    for at in points(undisturbed(WAITING).store.commits):
        work = Crashing(WAITING)
        work.process(at)
        rows = work.store.rows_of("r") if work.store.commits else []
        begun = {row.key for row in rows if row.kind == "started"}
        assert {path for path, _ in work.world.begun} <= begun, at


def test_whoever_runs_it_is_told_once_its_end_is_on_disk() -> None:
    last = undisturbed(WAITING).store.commits
    work = Crashing(WAITING)
    assert work.process(("before", last)).died
    assert work.store.rows_of("r")[-1].kind != "run-ended"
    assert work.process().outcome == ("completed", "f")
    assert work.store.rows_of("r")[-1].kind == "run-ended"
