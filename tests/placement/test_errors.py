"""Owns the tests of errors that cross from a worker: whatever their classes do when they are looked at or made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.lowlevel import enable_ki_protection

from endless import MISSED, never_end
from flowscript_trio.placement.errors import pack_error, unpack_error
from flowscript_trio.types.errors import RemoteError


class Odd(BaseException):
    """Neither an Exception nor an interrupt."""


class OddRetryable(Exception):
    @property
    def retryable(self) -> bool:
        raise Odd("retryable")

    @property
    def status(self) -> int:
        raise Odd("status")


class OddReduce(Exception):
    def __reduce__(self) -> Any:
        raise Odd("reduce")


class OddAttributes(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise Odd(name)


class OddGroup(ExceptionGroup[Exception]):
    @property
    def exceptions(self) -> Any:
        raise Odd("exceptions")


@pytest.mark.parametrize(
    "make",
    [OddRetryable, OddReduce, OddAttributes, lambda: OddGroup("g", [ValueError("in")])],
)
def test_an_error_crosses_whatever_its_class_raises(make: Callable[[], BaseException]) -> None:
    packed = pack_error(make())
    assert packed.type == type(make()).__name__
    assert (packed.status, packed.retryable) == (None, None)
    made = unpack_error(packed, "worker 1")
    assert type(made).__name__ in (packed.type, RemoteError.__name__)


class EndlessRetryable(Exception):
    @property
    def retryable(self) -> Any:
        return never_end()


class EndlessText(Exception):
    def __str__(self) -> str:
        return str(never_end())


class EndlessReduce(Exception):
    def __reduce__(self) -> Any:
        return never_end()


class EndlessMaking(Exception):
    ended = False

    def __init__(self) -> None:
        if EndlessMaking.ended:
            never_end()


class EndlessNote(Exception):
    def add_note(self, note: str) -> None:
        never_end()


@pytest.mark.parametrize(
    "make", [EndlessRetryable, EndlessText, EndlessReduce, EndlessMaking, EndlessNote]
)
def test_ctrl_c_ends_the_packing_of_an_error_that_never_ends(make: type[Exception]) -> None:
    EndlessMaking.ended = False
    error, found = make(), []

    @enable_ki_protection
    async def cross() -> None:
        packed = pack_error(error)
        EndlessMaking.ended = True
        found.append(unpack_error(packed, "worker 1"))
        await trio.lowlevel.checkpoint()

    with pytest.raises(KeyboardInterrupt):
        trio.run(cross)
    assert len(found) == 1
    assert MISSED == []
