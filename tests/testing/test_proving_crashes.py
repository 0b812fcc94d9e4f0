"""Owns the tests of the proof of durable runs: sound ones hold, and planted faults are found."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.execution import attempts, cleanup, preparing
from flowscript_trio.execution.durable.leaves import act_durably
from flowscript_trio.execution.durable.past import Past
from flowscript_trio.execution.durable.recorder import Recorder
from flowscript_trio.journal.memory import MemoryBackend
from flowscript_trio.testing import Report, prove
from flowscript_trio.types.storing import StoreFailed

from crashing import World

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
AGAIN = """<workflow name="w"><parallel id="trip">
  <branch><source:act id="book"><compensate><source:act id="unbook"/></compensate></source:act></branch>
  <branch><source:act id="pay" takes="2" fails="no" times="1"/></branch>
  <on-error><retry max="1" when="true" base="1s"/></on-error></parallel></workflow>"""


def proved(text: str, **options: Any) -> Report:
    flow = fs.loads(text, name="w.xml", registry=World().registry)
    return prove(flow, crash=True, **{"pairs": 30, **options})


def promises(report: Report) -> set[str]:
    return {violation.promise for violation in report.violations}


@pytest.mark.parametrize("text", [MIXED, RACE, AGAIN])
def test_sound_runs_hold_wherever_their_processes_die(text: str) -> None:
    report = proved(text)
    assert report.holds, report.render()
    assert dict(report.tried)["crashes"] >= 8
    assert dict(report.tried)["two crashes"] == 30


def test_a_proof_of_a_store_of_ones_own_is_refused() -> None:
    with pytest.raises(fs.InputError, match="store of its own"):
        proved(MIXED, options={"store": fs.Store.memory()})


def test_what_cannot_be_durable_is_said() -> None:
    with pytest.raises(fs.InputError, match="a decider"):
        proved('<workflow name="w"><checkpoint id="c" prompt="?"/></workflow>')


@pytest.mark.breaks_the_engine
def test_an_end_that_is_written_before_its_effect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_soon(
        limiter: Any, recorder: Recorder, attempt: Any, config: Any, work: Any
    ) -> Any:
        recorder.ended(attempt.path, attempt.number, None, False)
        return await act_durably(limiter, recorder, attempt, config, work)

    monkeypatch.setattr(attempts, "act_durably", too_soon)
    assert "everything is done" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_a_commit_that_is_not_waited_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(recorder: Recorder) -> None:
        pass

    monkeypatch.setattr(Recorder, "synced", at_once)
    assert "on-crash fail is at most once" in promises(proved(RACE))


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
    sound = preparing.RunContext

    def shifted(**given: Any) -> Any:
        resumes = given["recorder"].past.began is not None
        return sound(**{**given, "seed": given["seed"] + resumes})

    monkeypatch.setattr(preparing, "RunContext", shifted)
    assert "a resumed run ends as an undisturbed one" in promises(proved(MIXED))


@pytest.mark.breaks_the_engine
def test_results_of_a_block_s_first_attempt_in_its_second_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Confused(dict[tuple[str, int], Any]):
        def get(self, key: tuple[str, int], default: Any = None) -> Any:
            return super().get((key[0].replace("~2", ""), key[1]), default)

    sound = Past.__init__

    def confused(past: Past, *given: Any) -> None:
        sound(past, *given)
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
    sound = Recorder.synced

    async def broken(recorder: Recorder) -> None:
        if recorder.past.began is not None:
            raise StoreFailed("never again")
        await sound(recorder)

    monkeypatch.setattr(Recorder, "synced", broken)
    assert "a resumed run ends" in promises(proved(MIXED))
