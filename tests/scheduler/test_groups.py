"""Owns the tests of what is left of a group in which some errors are cancellations."""

from __future__ import annotations

from typing import Any

import trio

from flowscript_trio.scheduler.raised import error_of


class Undividable(BaseExceptionGroup[BaseException]):
    """A group whose class keeps it from being divided."""

    def split(self, condition: Any, /) -> Any:
        raise ZeroDivisionError


def cancelled() -> trio.Cancelled:
    return trio.Cancelled._create(source="unknown")


def left_in_a_cancelled_scope(raised: BaseException) -> BaseException | None:
    with trio.CancelScope() as scope:  # noqa: ASYNC100 - that it is cancelled is all that counts
        scope.cancel()
        return error_of(raised)
    raise AssertionError("nothing waits in it")


async def test_the_errors_of_a_group_are_left_without_its_cancellations() -> None:
    error = ValueError("real")
    left = left_in_a_cancelled_scope(BaseExceptionGroup("several", [cancelled(), error]))
    assert isinstance(left, ExceptionGroup)
    assert left.exceptions == (error,)


async def test_a_group_that_cannot_be_divided_is_reported_as_a_plain_one() -> None:
    error = ValueError("real")
    left = left_in_a_cancelled_scope(Undividable("several", [cancelled(), error]))
    assert type(left) is ExceptionGroup
    assert left.exceptions == (error,)
