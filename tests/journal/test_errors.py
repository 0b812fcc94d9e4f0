"""Errors come back from a store as what they were, or say what they were."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import trio
from trio.lowlevel import enable_ki_protection

from endless import MISSED, never_end
from flowscript_trio.journal import errors
from flowscript_trio.journal.errors import decode_error, encode_error, register_error
from flowscript_trio.journal.values import decode_value, encode_value
from flowscript_trio.runtimes.http.errors import HTTPStatusError
from flowscript_trio.types.describing import type_of
from flowscript_trio.types.errors import (
    BudgetExceeded,
    EvaluationError,
    LimitExceeded,
    RecordedError,
    WorkflowFailed,
)
from flowscript_trio.types.storing import StoreFailed


def back(error: BaseException) -> BaseException:
    return decode_error(decode_value(encode_value(encode_error(error))))[0]


def not_json() -> ValueError:
    try:
        json.loads("{")
    except ValueError as exc:
        return exc
    raise AssertionError


REQUEST = httpx.Request("GET", "http://127.0.0.1/y?q=1")


@pytest.mark.parametrize(
    "error",
    [ValueError("a", 1), KeyError("k"), OSError(2, "nope", "f"), FileNotFoundError(2, "x", "a", None, "b"),
     UnicodeDecodeError("utf8", b"a", 0, 1, "bad"), ImportError("x", name="n", path="p"), StopIteration(4),
     SyntaxError("bad", ("f", 1, 2, "x")), socket.gaierror(-2, "unknown"), TimeoutError(), not_json(),
     trio.TooSlowError("slow"), httpx.ConnectError("no", request=REQUEST), httpx.ReadTimeout(""),
     WorkflowFailed("m", type="T", status=429, retryable=True), BudgetExceeded("nodes", 3, "a/b"),
     LimitExceeded("x", 3), EvaluationError("y")],
    ids=repr,
)  # fmt: skip
def test_a_known_error_comes_back_as_its_class(error: BaseException) -> None:
    made = back(error)
    assert type(made) is type(error)
    assert (str(made), made.args, type_of(made)) == (str(error), error.args, type_of(error))
    ours = {name: part for name, part in vars(error).items() if name != "_request"}
    assert ours.items() <= vars(made).items()


def test_an_error_of_http_has_its_answer_again() -> None:
    response = httpx.Response(
        503, headers={"retry-after": "3", "content-encoding": "gzip"}, request=REQUEST
    )
    made = back(HTTPStatusError(response, '{"a": 1}', 3.0))
    assert isinstance(made, HTTPStatusError)
    assert (made.status, made.retry_after, made.retryable) == (503, 3.0, True)
    assert made.headers["retry-after"] == "3"
    assert made.body == {"a": 1}
    assert made.response.status_code == 503
    assert made.response.json() == {"a": 1}
    assert str(made.request.url) == str(REQUEST.url)


class Mine(Exception):
    """An error of an application."""

    made = 0

    def __init__(self, left: int, right: int) -> None:
        type(self).made += 1
        super().__init__(f"{left} and {right}")
        self.left = left
        self.handle = object()


@pytest.fixture
def _registered() -> Iterator[None]:
    assert register_error(Mine) is Mine
    yield
    errors._registered.clear()


def test_an_error_of_an_application_comes_back_as_what_was_recorded_of_it() -> None:
    view = {"type": "Mine", "message": "1 and 2", "retryable": True, "status": 503, "body": [1]}
    error = Mine(1, 2)
    error.status = 503  # type: ignore[attr-defined]
    made, seen = decode_error(encode_error(error, view))
    assert type(made) is RecordedError
    assert (str(made), type_of(made), made.status) == ("1 and 2", "Mine", 503)
    assert (made.retryable, made.body) == (True, [1])
    assert seen == view


@pytest.mark.usefixtures("_registered")
def test_an_error_that_is_registered_comes_back_without_running_its_code() -> None:
    error = Mine(1, 2)
    data = encode_error(error)
    before = Mine.made
    made = decode_error(data)[0]
    assert type(made) is Mine
    assert (str(made), made.left, made.handle) == ("1 and 2", 1, None)
    assert Mine.made == before


def test_only_a_class_of_exceptions_without_a_new_of_its_own_can_be_registered() -> None:
    class Odd(Exception):
        def __new__(cls, *args: Any) -> Odd:
            raise AssertionError

    for wrong in (Odd, int, "Mine"):
        with pytest.raises(TypeError):
            register_error(wrong)  # type: ignore[type-var]


def test_causes_contexts_and_notes_come_back_in_circles_too() -> None:
    error, cause, context = ValueError("a"), KeyError("b"), Mine(1, 2)
    error.__cause__, cause.__context__, error.__context__ = cause, error, context
    error.__suppress_context__ = False
    cause.add_note("noted")
    made = back(error)
    assert isinstance(made.__cause__, KeyError)
    assert made.__cause__.__context__ is made
    assert made.__cause__.__notes__ == ["noted"]
    assert isinstance(made.__context__, RecordedError)
    assert made.__suppress_context__ is False


def test_a_long_chain_of_causes_takes_no_stack() -> None:
    error: BaseException = ValueError("0")
    for number in range(5_000):
        error, error.__cause__ = ValueError(str(number)), error
    made: BaseException | None = back(error)
    for _ in range(5_000):
        assert made is not None
        made = made.__cause__
    assert str(made) == "0"


def test_groups_come_back_with_what_is_in_them() -> None:
    made = back(ExceptionGroup("g", [ValueError("a"), ExceptionGroup("h", [Mine(1, 3)])]))
    assert isinstance(made, ExceptionGroup)
    assert str(made) == "g (2 sub-exceptions)"
    inner = made.exceptions[1]
    assert isinstance(inner, ExceptionGroup)
    assert isinstance(inner.exceptions[0], RecordedError)


def test_no_class_is_made_that_is_not_an_error() -> None:
    facts = {"type": "T", "message": "m", "status": None, "notes": [], "state": {}, "lost": [],
             "quiet": False, "args": ("true",)}  # fmt: skip
    for name in ("os:system", "flowscript_trio:run", "nowhere:X", "subprocess:Popen"):
        kept = {"view": {}, "errors": [{**facts, "class": name}]}
        assert type(decode_error(kept)[0]) is RecordedError


@pytest.mark.parametrize(
    "kept", [[], {"view": {}}, {"view": {}, "errors": []}, {"view": 1, "errors": [1]}]
)
def test_a_damaged_error_is_the_stores_failure(kept: Any) -> None:
    with pytest.raises(StoreFailed, match="damaged"):
        decode_error(kept)


class Refuses(Exception):
    """It takes nothing, and says nothing, once it is to be made again."""

    refuses = False

    def __setattr__(self, name: str, value: object) -> None:
        if Refuses.refuses:
            raise SystemExit(name)
        super().__setattr__(name, value)

    def add_note(self, note: str) -> None:
        raise SystemExit(note)


def test_an_error_that_refuses_when_it_is_made_again_comes_back_as_recorded() -> None:
    register_error(Refuses)
    error = Refuses("text")
    error.__dict__["more"] = 1
    error.__dict__["__notes__"] = ["a note"]
    data = encode_error(error)
    Refuses.refuses = True
    try:
        made = decode_error(data)[0]
    finally:
        Refuses.refuses = False
    assert type(made) is RecordedError
    assert (str(made), made.__notes__) == ("text", ["a note"])


class EndlessPart:
    def __reduce_ex__(self, protocol: Any) -> Any:
        return never_end()

    def __getattribute__(self, name: str) -> Any:
        return never_end()


class Slow(Exception):
    is_slow = False

    def __setattr__(self, name: str, value: object) -> None:
        if Slow.is_slow:
            never_end()
        super().__setattr__(name, value)


def endless_answer() -> Exception:
    class Endless(httpx.ConnectError):
        @property
        def _request(self) -> Any:
            return never_end()

        @_request.setter
        def _request(self, request: Any) -> None:
            pass

    return Endless("no")


def with_an_endless_part() -> Exception:
    return ValueError(EndlessPart())


@pytest.mark.parametrize("make", [endless_answer, with_an_endless_part])
def test_ctrl_c_ends_the_keeping_of_an_error_that_never_ends(
    make: Callable[[], BaseException],
) -> None:
    error, kept = make(), []

    @enable_ki_protection
    async def keep() -> None:
        kept.append(encode_error(error))
        await trio.lowlevel.checkpoint()

    with pytest.raises(KeyboardInterrupt):
        trio.run(keep)
    assert len(kept) == 1
    assert MISSED == []


def test_ctrl_c_ends_the_making_of_an_error_that_never_ends() -> None:
    register_error(Slow)
    error = Slow("text")
    error.__dict__["more"] = 1
    data, made = encode_error(error), []

    @enable_ki_protection
    async def make() -> None:
        made.append(decode_error(data)[0])
        await trio.lowlevel.checkpoint()

    Slow.is_slow = True
    try:
        with pytest.raises(KeyboardInterrupt):
            trio.run(make)
    finally:
        Slow.is_slow = False
    assert [type(each) for each in made] == [RecordedError]
    assert MISSED == []
