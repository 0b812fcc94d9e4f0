"""Owns the tests of proofs of errors that cannot be looked at: they end, and say whose errors these are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.testing.proof import looks
from flowscript_trio.testing.proof.looks import Looks
from flowscript_trio.types.looking import LookAbandoned, bounding, text_of

from planting import TWO, found_in

PROMISE = "looks at errors end"
LINES = 20_000


@pytest.fixture(autouse=True)
def _a_look_takes_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks.Looks.__init__, "__defaults__", (LINES,))


def spin() -> Any:
    while True:
        pass


class EndlessText(Exception):
    def __str__(self) -> str:
        return str(spin())

    __repr__ = __str__


class EndlessGenerator(Exception):
    def __str__(self) -> str:
        return " ".join(str(each) for each in iter(int, 1))


class EndlessStatus(Exception):
    @property
    def status(self) -> Any:
        return spin()


class EndlessAttributes(Exception):
    def __getattribute__(self, name: str) -> Any:
        return spin()


class EndlessNote(Exception):
    def add_note(self, note: str) -> None:
        spin()


class Deaf(Exception):
    """It catches what should end it once; then its text is there, too late."""

    def __str__(self) -> str:
        try:
            spin()
        except BaseException:
            return "at last"
        return ""


def raising(make: Callable[[], BaseException]) -> Any:
    async def fail(params: fs.ExecutionParams) -> None:
        await trio.sleep(1)
        raise make()

    return fail


def in_a_group() -> BaseException:
    return ExceptionGroup("several", [ValueError("fine"), EndlessText()])


def behind_another() -> BaseException:
    error = ValueError("fine")
    error.__cause__ = EndlessText()
    return error


FAULTS: dict[str, Callable[[], BaseException]] = {
    "text": EndlessText,
    "generator": EndlessGenerator,
    "status": EndlessStatus,
    "attributes": EndlessAttributes,
    "note": EndlessNote,
    "deaf": Deaf,
    "in a group": in_a_group,
    "behind another": behind_another,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULTS)
def test_an_error_that_cannot_be_looked_at_is_found_and_nobody_else_is_accused(kind: str) -> None:
    tracing = sys.gettrace()
    report = found_in(raising(FAULTS[kind]), most=5)
    [found] = report.violations
    assert (found.promise, found.subject) == (PROMISE, "x"), report.render()
    assert "source:tried ('x') raised a " in found.message
    assert f"it had not ended after {LINES:,} lines of Python" in found.message
    assert sys.gettrace() is tracing


@pytest.mark.slow
def test_a_durable_run_is_proved_with_such_an_error_as_well() -> None:
    report = found_in(raising(EndlessText), most=5, crash=True)
    found = [each for each in report.violations if each.promise == PROMISE]
    assert [each.subject for each in found] == ["x"], report.render()


@pytest.mark.slow
def test_a_class_whose_look_did_not_end_is_not_asked_again() -> None:
    asked = 0

    class Counts(Exception):
        def __str__(self) -> str:
            nonlocal asked
            asked += 1
            return str(spin())

    found_in(raising(Counts), most=5)
    assert asked == 1


class Long(Exception):
    def __str__(self) -> str:
        return str(sum(1 for _ in range(1_000)))


@pytest.mark.slow
def test_an_error_whose_text_takes_some_time_is_not_accused() -> None:
    assert found_in(raising(Long), most=5).violations == ()


def test_what_waits_in_a_look_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def monotonic() -> float:
        nonlocal now
        now += 1
        return now

    monkeypatch.setattr(looks.time, "monotonic", monotonic)
    with bounding(Looks(1_000_000).bound):
        assert "it had not ended" in text_of(EndlessText())
    assert now == looks.PATIENCE + 2, "by the clock, long before its lines are counted"


def test_a_bounded_look_gives_what_it_finds_and_raises_what_it_raises() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise LookupError("no text")

    with bounding(Looks(100).bound):
        assert text_of(ValueError("fine")) == "fine"
        assert text_of(Broken()) == "(a text that cannot be made: LookupError)"
    with pytest.raises(LookAbandoned):
        Looks(100).bound(EndlessText(), spin)
    assert TWO
