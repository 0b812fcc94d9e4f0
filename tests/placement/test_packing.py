"""Owns the tests of what crosses to a worker as bytes."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from flowscript_trio.placement import packing
from flowscript_trio.placement.jobs import BodyReply, LeafCall, Noted, Reply, Spent
from flowscript_trio.placement.packing import comes_back, culprit, pack, unpack, unpack_reply
from flowscript_trio.placement.worker import pack_reply
from flowscript_trio.types.errors import CannotTravel

from travelling import REGISTRY, Refusing, note

NOTHING_SPENT = Spent()
PLAIN = {"a": [1, 2.5, None, True, "text", b"bytes", (1, 2), {3}, frozenset({4})]}


@pytest.mark.parametrize("value", [note, Refusing, [REGISTRY.get_runtime("transform:where")]])
def test_a_function_and_a_class_of_somebody_else_may_be_missing_elsewhere(value: Any) -> None:
    written = comes_back(value)
    assert written is not None
    assert not written.is_ours
    ours = comes_back([len, culprit, Spent])
    assert ours is not None
    assert ours.is_ours


def test_plain_values_cross_without_a_question_of_how_classes_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dumps(*given: Any, **named: Any) -> bytes:
        raise AssertionError("they were asked for")

    monkeypatch.setattr(packing, "dumps", dumps)
    assert unpack(pack(PLAIN, "it")) == PLAIN


def test_only_what_is_of_somebody_elses_class_is_made_again_to_see_whether_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = BodyReply(worker="w", status="done", output=[PLAIN, date(2026, 1, 2), NOTHING_SPENT])
    read: list[bytes] = []
    monkeypatch.setattr(packing, "unpack", read.append)
    written = comes_back(reply)
    assert written is not None
    assert (read, written.is_ours) == ([], True)
    written = comes_back([reply, Refusing()])
    assert written is not None
    assert (read, written.is_ours) == ([written.data], False)
    monkeypatch.undo()
    assert comes_back([reply, Refusing()]) is None
    assert comes_back([reply, threading.Lock()]) is None


def test_one_object_in_two_places_is_one_object_over_there() -> None:
    one = [1]
    first, second = unpack(pack([one, one], "it"))
    assert first is second


def test_what_has_a_class_or_a_function_in_it_crosses_by_its_code_where_no_module_has_that() -> (
    None
):
    class Here:
        def __init__(self, number: int) -> None:
            self.number = number

    value = {"deep": [Here(3), date(2026, 1, 2), lambda: 4, Here]}
    here, day, function, kind = unpack(pack(value, "it"))["deep"]
    assert (here.number, day, function(), kind(5).number) == (3, date(2026, 1, 2), 4, 5)


def _holding_itself(inside: Any) -> list[Any]:
    value: list[Any] = [inside]
    value.insert(0, value)
    return value


def _deep(levels: int, value: Any) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def test_what_cannot_cross_is_found_in_values_that_hold_each_other() -> None:
    lock = threading.Lock()
    assert culprit(_holding_itself(lock)) == ("[1]", "a lock")
    both: dict[str, Any] = {}
    both["other"] = [both]
    both["lock"] = lock
    assert culprit(both) == ("['lock']", "a lock")
    with pytest.raises(CannotTravel, match=r"^it\[1\] cannot travel to another process: a lock$"):
        pack(_holding_itself(lock), "it")


def test_what_cannot_cross_is_packed_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = 0
    dumps = packing.dumps

    def counted(value: Any, **named: Any) -> bytes:
        nonlocal packed
        packed += len(value) if isinstance(value, list) else 1
        return bytes(dumps(value, **named))

    monkeypatch.setattr(packing, "dumps", counted)
    assert culprit([*range(10_000), threading.Lock(), *range(10_000)]) == ("[10000]", "a lock")
    assert packed < 100_000  # not the square of it


def test_what_nests_deeper_than_anybody_reads_has_no_name() -> None:
    assert culprit(_deep(50, threading.Lock())) == ("[0]" * 50, "a lock")
    assert culprit(_deep(500, threading.Lock())) == ("", "")
    with pytest.raises(CannotTravel, match=r"it cannot travel to another process: .*recursion"):
        pack(_deep(100_000, 1), "it")


def test_a_key_in_a_message_is_short() -> None:
    lock = threading.Lock()
    assert culprit({"x" * 41: lock})[0] == f"['{'x' * 40}…']"
    assert culprit({("a", 1): lock})[0] == "[a tuple]"
    assert culprit({None: lock})[0] == "[None]"


def test_what_cannot_be_made_again_is_an_error_that_says_so() -> None:
    data = pack(Refusing(), "it")
    with pytest.raises(
        CannotTravel, match=r"'a' gave cannot be read where the run is \(ValueError"
    ):
        unpack_reply(data, "what 'a' gave")


def test_what_a_node_noted_crosses_where_its_output_cannot() -> None:
    noted: tuple[Noted, ...] = (("warning", "said"), ("request", None))
    reply = Reply(worker="w", status="done", output=threading.Lock(), noted=noted, cookies=[1])
    crossed: Reply = unpack(pack_reply(reply))
    assert (crossed.status, crossed.noted, crossed.cookies) == ("failed", noted, [1])
    assert crossed.error is not None
    assert crossed.error.text == "the output cannot travel to another process: a lock"


def test_an_attempt_whose_parts_are_plain_is_packed_once_with_the_call_that_brings_it() -> None:
    call = LeafCall("a", 1, 2.0, {}, {"ms": 1}, "x" * 100, None, None, None)
    assert call.packed("'a'") == tuple(call)
    for input in ([1], {"a": [1]}, {(1,): 2}, date(2026, 1, 2)):
        data = call._replace(input=input).packed("'a'")
        assert unpack(data) == tuple(call._replace(input=input))  # type: ignore[arg-type]
    with pytest.raises(CannotTravel, match=r"^'a'\.input cannot travel to another process: a lock"):
        call._replace(input=threading.Lock()).packed("'a'")
