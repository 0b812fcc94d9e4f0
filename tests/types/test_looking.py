"""Owns the tests of the door: a look at an error may raise, and may never end."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.lowlevel import enable_ki_protection

from endless import MISSED, handling, never_end
from flowscript_trio.types.describing import describe, describe_safely, is_retryable, status_of
from flowscript_trio.types.exceptions import dictionary_of
from flowscript_trio.types.looking import (
    LookAbandoned,
    add_note,
    bounding,
    came_by_signal,
    look,
    look_or,
    notes_of,
    repr_of,
    summary_of,
    text_of,
)
from flowscript_trio.types.tracebacks import printed

MOST = 10_000_000
"""Rounds of what never ends after which a test fails."""


class Endless(Exception):
    def __str__(self) -> str:
        return str(never_end())

    __repr__ = __str__


class EndlessEverywhere(Exception):
    def __getattribute__(self, name: str) -> Any:
        return never_end()

    def __str__(self) -> str:
        return str(never_end())

    __repr__ = __str__


class Note:
    def __str__(self) -> str:
        return str(never_end())


class EndlessNotes(Exception):
    def __init__(self) -> None:
        self.__notes__: list[Any] = ["one", Note()]


LOOKS: dict[str, Callable[[BaseException], object]] = {
    "text": text_of,
    "repr": repr_of,
    "notes": notes_of,
    "note": lambda error: add_note(error, "more"),
    "summary": summary_of,
    "description": lambda error: describe_safely(error, None),
    "traceback": printed,
}


ENDLESS: dict[type[Exception], set[str]] = {
    EndlessEverywhere: set(LOOKS),
    Endless: {"text", "repr", "summary", "description", "traceback"},
    EndlessNotes: {"notes", "traceback"},
}
"""Which looks at an error never end."""


@enable_ki_protection
async def protected(work: Callable[[], Any]) -> Any:
    """Call something as the walk does, and then come to a checkpoint."""
    try:
        return work()
    finally:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("what", LOOKS)
@pytest.mark.parametrize("make", ENDLESS)
def test_ctrl_c_ends_a_look_and_reaches_the_run_at_its_next_checkpoint(
    make: type[Exception], what: str
) -> None:
    error, found = make(), []

    def work() -> None:
        found.append(LOOKS[what](error))

    if what in ENDLESS[make]:
        with pytest.raises(KeyboardInterrupt):
            trio.run(protected, work)
    else:
        trio.run(protected, work)
    assert len(found) == 1, "the look gave a plain value"
    assert MISSED == []


def test_an_error_whose_look_was_interrupted_is_not_looked_at_again() -> None:
    error = Endless()

    def work() -> list[str]:
        said = [text_of(error), text_of(error), summary_of(error)]
        assert said[0] == "(a text that cannot be made: it was interrupted)"
        assert said[1:] == [said[0], f"Endless: {said[0]}"]
        assert notes_of(error) == []
        with pytest.raises(LookAbandoned, match="Endless could not be looked at: it was interr"):
            describe(error, None)
        return said

    with pytest.raises(KeyboardInterrupt):
        trio.run(protected, work)


def test_it_says_who_was_interrupted_among_those_of_a_traceback() -> None:
    group = ExceptionGroup("several", [ValueError("in"), Endless()])
    group.__cause__ = KeyError("before")

    def work() -> None:
        said = printed(group)
        assert "KeyError: 'before'" in said
        assert "ValueError: in" in said
        assert f"{__name__.rpartition('.')[2]}.Endless: (a text that cannot be made" in said

    with pytest.raises(KeyboardInterrupt):
        trio.run(protected, work)


class Own(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt("its own")

    @property
    def status(self) -> int:
        raise SystemExit(3)


def test_an_interrupt_that_a_look_raises_itself_is_what_it_failed_with() -> None:
    def work() -> None:
        error = Own()
        assert text_of(error) == "(a text that cannot be made: KeyboardInterrupt)"
        assert text_of(error) == "(a text that cannot be made: KeyboardInterrupt)"
        assert describe_safely(error, None)["status"] is None
        with pytest.raises(KeyboardInterrupt, match="its own"):
            look(error, str)
        with pytest.raises(SystemExit):
            status_of(error)
        with pytest.raises(SystemExit):
            is_retryable(error)

    trio.run(protected, work)  # it is not interrupted


def test_a_ctrl_c_passes_where_no_trio_runs() -> None:
    error = Endless()
    with pytest.raises(KeyboardInterrupt):
        text_of(error)
    with pytest.raises(KeyboardInterrupt):
        look(error, str)


class Stop(BaseException):
    pass


def test_what_a_handler_of_the_application_raises_passes_through() -> None:
    count = 0

    def stop(number: int, frame: object) -> None:
        nonlocal count
        count += 1
        raise Stop

    error = Endless()
    with handling(signal.SIGINT, stop):
        for ask in (text_of, summary_of, lambda error: look(error, str)):
            with pytest.raises(Stop):
                trio.run(protected, lambda ask=ask: ask(error))
    assert count == 3, "a handler is called once for each signal"

    class Terminated(Exception):
        def __str__(self) -> str:
            signal.raise_signal(signal.SIGTERM)
            return str(never_end())

    with handling(signal.SIGTERM, stop), pytest.raises(Stop):
        trio.run(protected, lambda: text_of(Terminated()))


def test_a_handler_that_notes_the_signal_is_called_once_and_the_look_goes_on() -> None:
    seen: list[int] = []

    class Said(Exception):
        def __str__(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "said"

    with handling(signal.SIGINT, lambda number, frame: seen.append(number)):
        assert trio.run(protected, lambda: text_of(Said())) == "said"
    assert seen == [signal.SIGINT]


def test_a_run_that_takes_ctrl_c_at_checkpoints_only_does() -> None:
    class Said(Exception):
        def __str__(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "said"

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        trio.run(
            protected,
            lambda: said.append(text_of(Said())),
            restrict_keyboard_interrupt_to_checkpoints=True,
        )
    assert said == ["said"]


def test_in_another_thread_no_interrupt_is_from_a_signal() -> None:
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(text_of(Own())))
    thread.start()
    thread.join()
    assert said == ["(a text that cannot be made: KeyboardInterrupt)"]
    assert not came_by_signal(ValueError())


def test_a_bound_abandons_a_look_for_good() -> None:
    looked: list[BaseException] = []

    def bound(error: BaseException, ask: Callable[[], Any]) -> Any:
        looked.append(error)
        raise LookAbandoned(error, "it took too long")

    error = ValueError("fine")
    with bounding(bound):
        assert text_of(error) == "(a text that cannot be made: it took too long)"
    assert looked == [error]
    assert text_of(error) == "(a text that cannot be made: it took too long)"
    assert text_of(ValueError("fine")) == "fine"


class Text(str):
    def __str__(self) -> str:
        raise AssertionError("asked again")

    def __len__(self) -> int:
        raise AssertionError("asked again")


def test_a_text_is_a_plain_one() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            return Text("plain")

    said = text_of(Odd())
    assert type(said) is str
    assert summary_of(Odd()) == "Odd: plain"


def test_a_look_leaves_nothing_on_an_error() -> None:
    error = ValueError("x")
    assert (text_of(error), status_of(error), notes_of(error)) == ("x", None, [])
    assert look_or(error, lambda _: 1 // 0, class_name) == "ZeroDivisionError"
    assert dictionary_of(error) == {}


def class_name(error: BaseException) -> Any:
    return type(error).__name__


def test_a_traceback_is_as_python_prints_it() -> None:
    def fail() -> None:
        try:
            raise KeyError("first")
        except KeyError:
            raise ExceptionGroup("several", [ValueError("a"), OSError(2, "b")]) from None

    with pytest.raises(ExceptionGroup) as caught:
        fail()
    error = caught.value
    error.add_note("a note")
    assert printed(error) == "".join(traceback.format_exception(error))
    assert "a note" not in printed(error, with_notes=False)
