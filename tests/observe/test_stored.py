"""Owns the tests of what a store tells of a run: the same that a record of it would have."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.execution.durable import compacting
from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.report import render_report, story_of
from flowscript_trio.observe.stored import Stored, read_stored

from crashing import Crashing

SHAPES = {
    "a graph": """<workflow name="w"><source:act id="a" takes="3"/><source:act id="b"/>
      <source:act id="c" input="a, b"/></workflow>""",
    "a race": """<workflow name="w"><parallel id="p" wait="n(2)">
      <branch><source:act id="a" takes="3"/><transform:template id="t" template="{{a}}"/></branch>
      <branch><source:act id="b" takes="1"/></branch><branch><source:act id="c" takes="9"/></branch></parallel>
      <source:act id="z" after="p"/></workflow>""",
    "a first error, with clean-up": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a" takes="3"/><finally><source:act id="clean"/></finally></branch>
      <branch><source:act id="b" takes="1" fails="early"/></branch>
      </parallel><finally><source:act id="last"/></finally></workflow>""",
    "what is tolerated": """<workflow name="w"><parallel id="p" tolerate="1">
      <branch><source:act id="a" takes="3"/></branch><branch><source:act id="b" takes="1" fails="early"/></branch>
      </parallel><transform:template id="t" template="{{b.status}} {{p.failures[0].message}}"/></workflow>""",
    "attempts and a fallback": """<workflow name="w"><source:act id="a" fails="no">
      <on-error><retry max="2" when="true" base="1s"/><fallback node="f"/></on-error></source:act>
      <source:act id="f"/><source:act id="g" input="a"/></workflow>""",
    "a block that is tried again and undone": """<workflow name="w"><parallel id="trip">
      <branch><source:act id="book"><compensate><source:act id="unbook"/></compensate></source:act></branch>
      <branch><source:act id="pay" takes="2" fails="no" times="1"/></branch>
      <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>""",
    "compensations": """<workflow name="w"><source:act id="a"><compensate><source:act id="ua"/>
      </compensate></source:act>
      <source:act id="b" input="a"><compensate><source:act id="ub"/></compensate></source:act>
      <source:act id="c" input="b" fails="no"/>
      <on-workflow-error><source:act id="w"/></on-workflow-error></workflow>""",
    "iterations": """<workflow name="w"><foreach id="each" collection="[1,2,3,4]" max-concurrency="2">
      <source:act id="a" takes="{{item}}"/><set var="x" value="{{item}}"/>
      <transform:template id="t" template="{{x}} {{a}}"/></foreach></workflow>""",
    "a break": """<workflow name="w"><foreach id="each" collection="[3,1,2,9]" max-concurrency="3">
      <source:act id="a" takes="{{item}}"/><break when="item == 1"/><source:act id="b"/></foreach></workflow>""",
    "rounds": """<workflow name="w"><loop id="l" max="4" break="$iteration == 2"><source:act id="a"/>
      <transform:template id="t" template="{{$iteration}} {{t}}"/></loop></workflow>""",
    "the clock": """<workflow name="w">
      <while id="l" condition="timestamp(now()) &lt; timestamp('2030-01-01T00:00:03.500Z')"
      max="50"><source:act id="a"/></while></workflow>""",
    "choices": """<workflow name="w"><source:act id="a"/>
      <if id="i" condition="a == 'a'"><then><source:act id="b"/></then>
      <else><source:act id="c"/></else></if><branch id="br"><case when="false"><source:act id="d"/></case>
      <default><source:act id="e"/></default></branch></workflow>""",
    "time limits": """<workflow name="w"><timeout id="t" duration="3s" on-timeout="h">
      <source:act id="a"/><source:act id="b" takes="9" after="a"/></timeout><source:act id="h"/>
      <source:act id="late" timeout="2s" takes="5" after="t"><on-error><fallback node="h2"/>
      </on-error></source:act>
      <source:act id="h2"/></workflow>""",
    "clean-up that is too late": """<workflow name="w"><parallel id="p">
      <branch><source:act id="a"/>
      <finally timeout="2s"><source:act id="c"/><source:act id="d" takes="9"/></finally></branch>
      <on-error><fallback node="f"/></on-error></parallel><source:act id="f"/></workflow>""",
    "a delay": """<workflow name="w"><delay id="d" duration="5s"/><source:act id="a" input="d"/></workflow>""",
    "limits": """<workflow name="w"><limit name="db" max="1"/><parallel id="p">
      <branch><source:act id="a" limit="db" takes="2"/></branch><branch><source:act id="b" limit="db"/></branch>
      </parallel></workflow>""",
    "a checkpoint": """<workflow name="w"><checkpoint id="c" prompt="Go?"/><source:act id="a" after="c"/>
      </workflow>""",
}
MOMENTS = ("time", "duration", "requested", "delivered", "started")


async def say_yes(prompt: str, actions: Any) -> str:
    await trio.sleep(2)
    return "approve"


def without_moments(entry: Entry) -> Entry:
    made = {
        name: value for name, value in entry.items() if name not in (*MOMENTS, "execution", "file")
    }
    if "error" in made and made["event"] != "run-ended":  # it gets more notes on its way
        made["error"] = {**made["error"], "notes": []}
    if "cancelled_by" in made:
        made["cancelled_by"] = without_moments(made["cancelled_by"])
    return made


def told(entries: list[Entry]) -> list[Entry]:
    """What entries say, whatever the moments and the order of what went on at the same time."""
    kinds = (
        "token-awaited",
        "token-taken",
        "attempt-failed",
    )  # nothing waits for a token that does not act
    made = [without_moments(each) for each in entries if each["event"] not in kinds]
    return sorted(made, key=repr)


def recorded(events: list[Any]) -> list[Entry]:
    entries: list[Entry] = []
    chronicle = Chronicle(entries.append)
    for event in events:
        chronicle(event)
    return entries


def stored(work: Crashing, **options: Any) -> Stored:
    read = partial(read_stored, work.store, "r", registry=work.world.registry, **options)
    return trio.run(read)


def ends(entries: list[Entry]) -> dict[str, tuple[float, float]]:
    """When each node ended, and how long it took."""
    ended = [each for each in entries if each["event"] == "node-ended"]
    return {each["path"]: (each["time"], each["duration"]) for each in ended}


@pytest.mark.parametrize("name", SHAPES)
def test_a_store_tells_what_a_record_would_have(name: str) -> None:
    work = Crashing(SHAPES[name], decider=say_yes)
    process = work.process()
    kept, found = recorded(process.events), stored(work)
    assert told(found.entries) == told(kept)
    moments, others = ends(kept), ends(found.entries)
    for path, (ended, took) in moments.items():
        assert others[path] == pytest.approx((ended, took), abs=0.101), path
    assert render_report(found.entries)


@pytest.mark.parametrize("name", SHAPES)
def test_a_store_tells_of_all_processes_of_a_run(name: str) -> None:
    """Each dies at a commit that chance chooses; what the last one was at is running, or had not begun."""
    chance = random.Random(name)
    whole = Crashing(SHAPES[name], decider=say_yes)
    kept = recorded(whole.process().events)
    for _ in range(3):
        work = Crashing(SHAPES[name], decider=say_yes)
        work.process(("after", chance.randint(1, whole.store.commits)))
        at = [each for each in stored(work).entries if each["event"] == "node-ended"]
        known = [(each["path"], each["status"]) for each in kept if each["event"] == "node-ended"]
        assert {(each["path"], each["status"]) for each in at} <= set(known)
        work.process()
        work.process()
        found = stored(work).entries
        # A run that had ended before it died has nothing else to tell, and another has all of it.
        assert [each for each in told(found) if each["event"] == "node-ended"] == [
            each for each in told(kept) if each["event"] == "node-ended"
        ]


async def leave_at(seconds: float, handle: fs.Run) -> None:
    await trio.sleep(seconds)
    handle.leave()


def test_what_is_at_work_is_running_since_it_began() -> None:
    work = Crashing(SHAPES["a race"].replace('takes="3"', 'takes="5"'))
    work.process(during=partial(leave_at, 2.5))
    found = stored(work)
    story = story_of(found.entries)
    spans = {span.path: span for span in story.spans}
    assert {path: span.state for path, span in spans.items()} == {
        "p": "running",
        "p/0": "running",
        "p/0/a": "running",
        "p/1": "success",
        "p/1/b": "success",
        "p/2": "running",
        "p/2/c": "running",
    }
    assert spans["p/0/a"].start == spans["p/2/c"].start == 0.0
    assert spans["p/1/b"].end == pytest.approx(1.0, abs=0.101)
    assert story.head["status"] == "running"
    assert "its process is gone; the run goes on where it is resumed" in story.warnings


async def test_what_another_process_is_at_has_run_until_now(tmp_path: Path) -> None:
    store = fs.Store(tmp_path / "runs.db")
    flow = fs.loads(
        '<workflow name="w"><delay id="d" duration="1h"/><set var="x" value="{{1}}" after="d"/></workflow>'
    )
    async with fs.open_run(flow, store=store, run_id="r") as run:
        while not (await store.show("r")).rows > 1:
            await trio.lowlevel.checkpoint()
        found = await read_stored(fs.Store(tmp_path / "runs.db"), "r")
        run.cancel()
    story = story_of(found.entries)
    assert [(span.path, span.state) for span in story.spans] == [("d", "running")]
    assert found.entries[-1]["event"] == "looked"
    assert 0 < story.head["duration"] < 600
    assert (story.head["status"], story.warnings) == ("running", [])


def test_the_time_between_two_processes_is_seen() -> None:
    work = Crashing(
        '<workflow name="w"><source:act id="a" takes="2"/><source:act id="b" input="a"/></workflow>'
    )
    work.process(during=partial(leave_at, 1.0))
    work.process(later=1000.0)
    assert ends(stored(work).entries) == {
        "a": pytest.approx((1003.0, 1003.0), abs=0.11),
        "b": pytest.approx((1004.0, 1.0), abs=0.11),
    }


def test_a_run_that_waits_for_a_person_is_suspended_there() -> None:
    work = Crashing(SHAPES["a checkpoint"], suspend_after=1.0)
    work.process()
    found = stored(work)
    story = story_of(found.entries)
    assert (story.head["status"], found.state.state) == ("suspended", "suspended")
    assert [(span.path, span.state) for span in story.spans] == [("c", "running")]


def test_what_is_compacted_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    text = """<workflow name="w"><foreach id="each" collection="range(1, 50)" merge="none">
      <source:act id="a" takes="0.1"/></foreach><source:act id="z" after="each"/></workflow>"""
    work = Crashing(text)
    work.process()
    found = stored(work)
    (warning,) = [each["message"] for each in found.entries if each["event"] == "warning"]
    drawn = sum(each["event"] == "branch-ended" for each in found.entries)
    assert warning == f"each: {49 - drawn} iterations are compacted, of which nothing can be shown"
    assert {"each", "z"} <= ends(found.entries).keys()


LONG = {
    "one after the other": """<foreach id="each" collection="range(1, 50)"><source:act id="a"/></foreach>""",
    "three at once": """<foreach id="each" collection="range(1, 50)" maxConcurrency="3" merge="none">
      <transform:template id="t" template="x"/><source:act id="a" input="t" takes="{{1 + item % 3}}"/>
      </foreach>""",
    "a slow one": """<foreach id="each" collection="range(1, 50)" maxConcurrency="3">
      <source:act id="a" takes="{{item == 1 ? 70 : 1}}"/></foreach>""",
    "rounds": """<loop id="each" max="50"><source:act id="a"/></loop>""",
    "loops in a loop": """<loop id="each" max="3"><loop id="inner" max="50"><source:act id="a"/></loop>
      <source:act id="y" after="inner"/></loop>""",
    "beside others": """<parallel id="each"><branch><loop id="l" max="50"><source:act id="a"/></loop></branch>
      <branch><source:act id="b1" takes="10"/><source:act id="b2" input="b1" takes="10"/>
      <source:act id="b3" input="b2" takes="20"/></branch></parallel>""",
}


@pytest.mark.parametrize("name", LONG)
def test_what_is_left_of_a_compacted_loop_and_what_is_beside_and_behind_it_has_its_times(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compacting, "MOST_ROWS", 20)
    behind = '<transform:template id="p" template="x" after="each"/><source:act id="z" after="p"/>'
    work = Crashing(f'<workflow name="w"><source:act id="first"/>{LONG[name]}{behind}</workflow>')
    kept, found = recorded(work.process().events), stored(work).entries
    assert any("compacted" in each.get("message", "") for each in found)

    def moments(entries: list[Entry]) -> dict[tuple[str, str], float]:
        return {(each["event"], each["path"]): each["time"] for each in entries}

    had = moments(kept)
    told_at = {key: at for key, at in moments(found).items() if key in had}
    assert told_at == {key: pytest.approx(had[key], abs=0.101) for key in told_at}
    assert {("node-ended", "first"), ("node-started", "p"), ("node-ended", "z")} <= told_at.keys()


def test_a_run_of_which_nothing_has_begun_has_a_beginning_only() -> None:
    async def main() -> Stored:
        store = fs.Store.memory()
        await fs.submit(
            fs.loads('<workflow name="w"><delay id="d" duration="5s"/></workflow>'),
            store=store,
            run_id="q",
        )
        return await read_stored(store, "q")

    found = trio.run(main)
    assert [each["event"] for each in found.entries] == ["run-started"]
    assert render_report(found.entries)


SECRET = """<workflow name="w"><secret name="KEY"/>
  <source:act id="a" gives="{{$secrets.KEY}} and {{base64_encode($secrets.KEY)}}"/>
  <source:act id="b" gives="{{a}}!" input="a"/>
  <source:act id="c" fails="wrong: {{$secrets.KEY}}" after="b"/></workflow>"""


@pytest.mark.parametrize("given", [{}, {"KEY": "hidden-away-1234"}])
def test_secrets_are_not_needed_and_not_shown(given: dict[str, str]) -> None:
    work = Crashing(SECRET, secrets={"KEY": "hidden-away-1234"})
    work.process()
    found = stored(work, secrets=given)
    page = render_report(found.entries)
    assert "hidden-" not in page
    assert "away-1234" not in page
    outputs = {each["path"]: each["output"] for each in found.entries if "output" in each}
    assert outputs["a"] == "*** and ***"
    assert [each["error"]["message"] for each in found.entries if each["event"] == "run-ended"] == [
        "wrong: ***"
    ]


def test_what_comes_to_other_nodes_without_a_secret_is_said() -> None:
    text = """<workflow name="w"><secret name="KEY"/><if id="i" condition="length($secrets.KEY) &gt; 5"><then>
      <source:act id="a"/></then></if></workflow>"""
    work = Crashing(text, secrets={"KEY": "let-me-in"})
    work.process()
    (warning,) = [each["message"] for each in stored(work).entries if each["event"] == "warning"]
    assert warning == (
        "'i/a', which is on record, could not be drawn: the run comes to others here; its secrets "
        "KEY are not known here"
    )
    assert not [
        e for e in stored(work, secrets={"KEY": "let-me-in"}).entries if e["event"] == "warning"
    ]


def test_what_a_fork_has_from_its_run_is_restored_in_it() -> None:
    work = Crashing(
        '<workflow name="w"><source:act id="a"/><source:act id="b" input="a"/></workflow>'
    )
    work.process()

    async def main() -> Stored:
        name = await fs.fork(work.store, "r", at="b", new_id="f", registry=work.world.registry)
        await fs.resume(work.store, name, registry=work.world.registry, now=work.world.now)
        return await read_stored(work.store, name, registry=work.world.registry)

    found = trio.run(main)
    story = story_of(found.entries)
    assert [(span.path, span.look) for span in story.spans] == [("a", "restored"), ("b", "success")]
    assert story.warnings == ["it was forked from the run 'r', which did what was before 'b'"]


async def test_places_and_limits_of_the_application_are_not_needed(tmp_path: Path) -> None:
    text = """<workflow name="w"><parallel id="p"><branch place="gpu"><source:file id="a" path="a.txt"/></branch>
      </parallel><source:file id="b" path="a.txt" place="gpu" limit="db" after="p"/></workflow>"""
    (tmp_path / "a.txt").write_text("read")
    store = fs.Store(tmp_path / "runs.db")
    places = {"gpu": fs.Process(workers=1)}
    run = await fs.run(
        fs.loads(text),
        store=store,
        run_id="r",
        base=tmp_path,
        places=places,
        limits={"db": fs.Limit(max=1)},
    )
    assert run.output == "read"
    found = await read_stored(store, "r")
    assert [each["status"] for each in found.entries if each["event"] == "node-ended"] == [
        "success"
    ] * 2


async def test_what_is_placed_and_under_way_is_running(tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_text('<workflow name="c"><delay id="e" duration="1h"/></workflow>')
    (tmp_path / "w.xml").write_text(
        """<workflow name="w"><transform:template id="t" template="x" place="thread"/><parallel id="p" after="t">
        <branch place="thread"><delay id="d" duration="1h"/></branch>
        <branch><call id="c" workflow="c.xml" place="thread"/></branch></parallel></workflow>"""
    )
    store = fs.Store(tmp_path / "runs.db")
    async with fs.open_run(fs.load(tmp_path / "w.xml"), store=store, run_id="r") as run:
        while not (await store.show("r")).rows > 2:
            await trio.lowlevel.checkpoint()
        found = await read_stored(fs.Store(tmp_path / "runs.db"), "r")
        run.cancel()
    spans = {span.path: span.state for span in story_of(found.entries).spans}
    running = dict.fromkeys(("p", "p/0", "p/1", "p/1/c"), "running")
    assert spans == {"t": "success", **running}


async def test_a_run_over_items_of_the_application_cannot_be_followed(tmp_path: Path) -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="f" collection="{{$input}}"><set var="x" value="{{item}}"/></foreach>'
        "</workflow>"
    )
    store = fs.Store(tmp_path / "runs.db")
    items = fs.Items(lambda n: iter(range(n, 3)))
    await fs.run(flow, store=store, run_id="r", input=items)
    said = "the run 'r' cannot be followed by its journal, since it was given Items as input, which are not kept"
    with pytest.raises(fs.InputError, match=said):
        await read_stored(store, "r")


async def test_a_run_over_items_of_a_runtime_is_followed(tmp_path: Path) -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:feed", pure=True)
    async def feed(params: fs.ExecutionParams) -> Any:
        return fs.Items(lambda n: iter(range(n, 3)))

    flow = fs.loads(
        '<workflow name="w"><source:feed id="all"/><foreach id="f" collection="{{all}}" merge="none">'
        '<set id="s" var="x" value="{{item}}"/></foreach></workflow>',
        registry=registry,
    )
    store = fs.Store(tmp_path / "runs.db")
    await fs.run(flow, store=store, run_id="r")
    found = await read_stored(store, "r", registry=registry)
    assert {"f[0]/s", "f[1]/s", "f[2]/s", "f"} <= ends(found.entries).keys()
