"""Owns the tests of the proof of durable runs: sound ones hold, and planted faults are found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.execution import attempts, cleanup
from flowscript_trio.execution.durable import coding, limited, opening
from flowscript_trio.execution.durable.decisions import Decisions
from flowscript_trio.execution.durable.leaves import act_durably
from flowscript_trio.execution.durable.past import Past
from flowscript_trio.execution.durable.recorder import Recorder
from flowscript_trio.execution.durable.run_clock import RunClock
from flowscript_trio.execution.durable.run_entries import RunBegan
from flowscript_trio.execution.durable.run_journal import RunJournal
from flowscript_trio.journal.memory import MemoryBackend
from flowscript_trio.journal.values import encode_value
from flowscript_trio.testing import Report, prove
from flowscript_trio.types.storing import StoreFailed

from crashing import World

pytestmark = pytest.mark.slow

MIXED = """<workflow name="w">
  <source:act id="a"><compensate><source:act id="undo"/></compensate></source:act>
  <parallel id="p" max-concurrency="2">
    <branch><source:act id="b"/><source:act id="b2" takes="3"/></branch>
    <branch><source:act id="c" takes="2"/><finally><source:act id="clean"/></finally></branch>
    <branch><transform:template id="t" template="{{random()}}"/><source:act id="d" gives="{{t}}"/></branch>
  </parallel>
  <foreach id="f" collection="[1,2,3]" max-concurrency="2"><source:act id="g" gives="{{item}}"/></foreach>
  <source:act id="end" input="a, p, f"/>
  <finally><source:act id="last"/></finally></workflow>"""
RACE = """<workflow name="w"><parallel id="p" wait="any">
  <branch><source:act id="a" takes="2"/><finally><source:act id="clean"/></finally></branch>
  <branch><source:act id="b"/></branch></parallel>
  <source:act id="pay" input="p" on-crash="fail"/></workflow>"""
TIMED = """<workflow name="w"><parallel id="p">
  <branch><timeout id="t" duration="10s" on-timeout="late">
    <source:act id="a" takes="4"/><source:act id="b" takes="4"/><source:act id="c" takes="4"/></timeout></branch>
  <branch><delay id="d" duration="6s"/><source:act id="e"/></branch>
  <branch><source:act id="f" fails="no" times="1"><on-error><retry max="1" when="true" base="5s"/></on-error>
    </source:act></branch>
  </parallel><source:act id="late"/></workflow>"""
TOO_LATE = """<workflow name="w"><source:act id="a" fails="no"/>
  <on-workflow-error timeout="2s"><source:act id="alarm" takes="9"/><source:act id="never"/></on-workflow-error>
  <finally><source:act id="last" takes="2"/></finally></workflow>"""
SECRET = """<workflow name="w"><secret name="KEY"/>
  <source:act id="a" gives="Bearer {{$secrets.KEY}}"/><source:act id="b" input="a"/></workflow>"""
AGAIN = """<workflow name="w"><parallel id="trip">
  <branch><source:act id="book"><compensate><source:act id="unbook"/></compensate></source:act></branch>
  <branch><source:act id="pay" takes="2" fails="no" times="1"/></branch>
  <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>"""

LIMITED = """<workflow name="w"><limit name="api" rate="1/5s" burst="2"/><limit name="one" max="1"/>
  <foreach id="f" collection="[1,2,3,4]" max-concurrency="2" throttle="1s">
    <source:act id="g" limit="api"/><if id="i" condition="true" limit="one"><then><source:act id="h"/></then></if>
  </foreach></workflow>"""
PLACED = """<workflow name="w"><parallel id="p">
  <branch place="process"><source:act id="a"/><source:act id="b"/></branch><branch><source:act id="c"/></branch>
  </parallel><source:act id="d" takes="3" after="p" place="thread"/></workflow>"""


def proved(text: str, **options: Any) -> Report:
    flow = fs.loads(text, name="w.xml", registry=World().registry)
    return prove(flow, crash=True, **{"pairs": 30, **options})


def promises(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


ALSO = RACE.replace(
    'takes="2"/>',
    'takes="2"><compensate also="begun"><source:act id="undo"/></compensate></source:act>',
)


@pytest.mark.parametrize("text", [MIXED, RACE, AGAIN, LIMITED, PLACED, ALSO, TIMED, TOO_LATE])
def test_sound_runs_hold_wherever_their_processes_die(text: str) -> None:
    report = proved(text)
    assert report.holds, report.render()
    assert dict(report.tried)["crashes"] >= 6
    assert dict(report.tried)["two crashes"] >= 20


def test_a_sound_run_keeps_no_secret() -> None:
    report = proved(SECRET, options={"secrets": {"KEY": "k3y-of-the-api"}})
    assert report.holds, report.render()


def test_a_proof_of_a_store_of_ones_own_is_refused() -> None:
    with pytest.raises(fs.InputError, match="store of its own"):
        proved(MIXED, options={"store": fs.Store.memory()})


ASKS = """<workflow name="w"><source:act id="a"/>
  <parallel id="p">
    <branch><checkpoint id="ask" prompt="Go?" timeout="4d"><action id="go"/></checkpoint>
      <source:act id="b"/></branch>
    <branch><delay id="d" duration="3h"/><source:act id="c"/>
      <checkpoint id="other" prompt="And?"/><finally><source:act id="clean"/></finally></branch>
  </parallel>
  <source:act id="late" fails="no" times="1">
    <on-error><retry max="1" when="true" base="1d" cap="1d"/></on-error></source:act>
  <source:act id="end" input="p"/></workflow>"""


@pytest.mark.parametrize("suspend_after", [None, 0.001, 3600.0, 90_000.0])
def test_a_run_that_waits_for_people_and_timers_holds_left_or_not(
    suspend_after: float | None,
) -> None:
    report = proved(ASKS, options={"suspend_after": suspend_after}, pairs=20)
    assert report.holds, report.render()
    assert dict(report.tried)["crashes"] >= 20
    assert report.undisturbed == "completed"


@pytest.mark.breaks_the_engine
def test_an_end_that_is_written_before_its_effect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_soon(
        limiter: Any, recorder: Recorder, attempt: Any, config: Any, work: Any
    ) -> Any:
        recorder.outcomes.ended(attempt.path, attempt.number, None, False)
        return await act_durably(limiter, recorder, attempt, config, work)

    monkeypatch.setattr(attempts, "acting", lambda: too_soon)
    assert "everything is done" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_a_commit_that_is_not_waited_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(journal: RunJournal) -> None:
        pass

    monkeypatch.setattr(RunJournal, "synced", at_once)
    assert "on-crash fail is at most once" in promises(proved(RACE))


@pytest.mark.breaks_the_engine
def test_a_rate_that_begins_anew_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "restore_rates", lambda *_: None)
    assert "no rate is exceeded" in promises(proved(LIMITED))


@pytest.mark.breaks_the_engine
def test_what_ran_elsewhere_and_is_begun_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Past.take_in

    def forgetful(past: Past, *given: Any) -> None:
        sound(past, *given)
        past.wholes.clear()

    monkeypatch.setattr(Past, "take_in", forgetful)
    assert "what has ended is not done again" in promises(proved(PLACED, pairs=0))


@pytest.mark.breaks_the_engine
def test_clean_up_that_runs_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = cleanup.run_cleanup

    async def forgetful(walk: Any, body: Any, state: Any, path: str, *rest: Any) -> Any:
        past = walk.run.recorder.past
        for key in [key for key in past.outcomes if key[0].startswith(path)]:
            del past.outcomes[key]
        return await sound(walk, body, state, path, *rest)

    monkeypatch.setattr(cleanup, "run_cleanup", forgetful)
    assert "what has ended is not done again" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_clean_up_that_never_runs_after_a_crash_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = cleanup.run_cleanup

    async def lazy(walk: Any, body: Any, state: Any, path: str, *rest: Any) -> Any:
        if walk.run.recorder.past.began is not None:
            return None
        return await sound(walk, body, state, path, *rest)

    monkeypatch.setattr(cleanup, "run_cleanup", lazy)
    assert "everything is done" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_chance_that_shifts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = opening.entry_of

    def shifted(*given: Any) -> Any:
        entry = sound(*given)
        return replace(entry, seed=entry.seed + 1) if isinstance(entry, RunBegan) else entry

    monkeypatch.setattr(opening, "entry_of", shifted)
    assert "a resumed run ends as an undisturbed one" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_results_of_a_block_s_first_attempt_in_its_second_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Confused(dict[tuple[str, int], Any]):
        def get(self, key: tuple[str, int], default: Any = None) -> Any:
            return super().get((key[0].replace("~2", ""), key[1]), default)

    sound = Past.__init__

    def confused(past: Past) -> None:
        sound(past)
        past.outcomes = Confused(past.outcomes)

    monkeypatch.setattr(Past, "__init__", confused)
    assert "a resumed run ends as an undisturbed one" in promises(proved(AGAIN))


@pytest.mark.breaks_the_engine
def test_an_owner_that_writes_after_it_was_superseded_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unfenced(backend: MemoryBackend, batches: Any, patience: float | None) -> None:
        backend.commits += 1
        number = backend.commits
        if backend._watch is not None:
            backend._watch("before", number)
        for batch in batches:
            run = backend._run(batch.owned.run_id)
            run.rows |= dict(enumerate(map(backend._whole, batch.rows), run.next))
            run.next += len(batch.rows)

    monkeypatch.setattr(MemoryBackend, "commit", unfenced)
    assert "the superseded write nothing" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_a_resumption_that_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, sound = Recorder.begin, RunJournal.synced
    resumed: set[RunJournal] = set()

    def noted(recorder: Recorder, began: RunBegan) -> None:
        if recorder.past.began is not None:
            resumed.add(recorder.journal)
        begin(recorder, began)

    async def broken(journal: RunJournal) -> None:
        if journal in resumed:
            raise StoreFailed("never again")
        await sound(journal)

    monkeypatch.setattr(Recorder, "begin", noted)
    monkeypatch.setattr(RunJournal, "synced", broken)
    assert "a resumed run ends" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_a_decision_after_the_cancel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_late(decisions: Decisions, region: Any, entry: Any) -> None:
        decisions._journal.write(entry)

    monkeypatch.setattr(Decisions, "decided", too_late)
    assert "a decision is on disk before it cancels" in promises(proved(RACE))


@pytest.mark.breaks_the_engine
def test_passes_of_nodes_that_are_those_of_commits_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = vars(RunClock)["pass_now"].fget
    assert sound is not None
    monkeypatch.setattr(RunClock, "pass_now", property(lambda clock: sound(clock) // 4 * 4))
    assert "the pass of an end is on record" in promises(proved(RACE))


@pytest.mark.breaks_the_engine
def test_passes_of_branches_that_are_those_of_commits_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = RunClock.there
    monkeypatch.setattr(RunClock, "there", lambda clock, at: sound(clock, at) // 4 * 4)
    assert "the pass of an end is on record" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
@pytest.mark.parametrize(
    ("kept", "subject"), [("bounds", "p/0/t"), ("waits", "p/1/d"), ("retried", "p/2/f")]
)
def test_a_timer_that_starts_anew_is_found(
    monkeypatch: pytest.MonkeyPatch, kept: str, subject: str
) -> None:
    sound = Past.take_in

    def forgetful(past: Past, *given: Any) -> None:
        sound(past, *given)
        setattr(past, kept, {})

    monkeypatch.setattr(Past, "take_in", forgetful)
    found = {(v.promise, v.subject) for v in proved(TIMED).violations}
    assert ("waits and time limits go on", subject) in found


@pytest.mark.breaks_the_engine
def test_clean_up_by_a_process_that_only_left_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, synced = cleanup.run_cleanup, RunJournal.synced
    left: set[RunJournal] = set()

    async def eager(walk: Any, *given: Any) -> Any:
        recorder = walk.run.recorder
        if recorder.leaving.is_left:
            left.add(recorder.journal)
            recorder.leaving.is_left = False
        return await sound(walk, *given)

    async def at_once(journal: RunJournal) -> None:
        if journal not in left:
            await synced(journal)

    monkeypatch.setattr(cleanup, "run_cleanup", eager)
    monkeypatch.setattr(RunJournal, "synced", at_once)
    assert "a process that leaves does nothing more" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_a_secret_in_the_store_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        coding, "encode_value", lambda value, secrets, room: encode_value(value, room=room)
    )
    report = proved(SECRET, options={"secrets": {"KEY": "k3y-of-the-api"}})
    assert promises(report) == {"no secret is in the store"}
