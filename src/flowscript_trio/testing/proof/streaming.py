"""Owns the following of an async generator that a node gives as its output."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from types import AsyncGeneratorType
from typing import Any, NoReturn

import trio

from ...types.exceptions import is_a
from .calls import RUNNING, Call
from .replacing import replacement_in
from .sites import WaitSite, cuts_short, follows_cancelled, site_of
from .stepping import Surroundings, frames_of, shields_around, step_through


class Streamed(AsyncGenerator[Any, Any]):
    """An async generator that is the output of ``call``; what its code does with ``Cancelled`` is that call's."""

    def __init__(self, real: AsyncGeneratorType[Any, Any], call: Call) -> None:
        self._real = real
        self._call = call

    async def asend(self, value: Any) -> Any:
        return await self._follow(self._real.asend(value))

    async def athrow(self, *raised: Any) -> Any:
        return await self._follow(self._real.athrow(*raised))

    async def aclose(self) -> None:
        await self._follow(self._real.aclose())

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("an async generator cannot be copied")

    async def _follow(self, work: Awaitable[Any]) -> Any:
        step = _Step(work)
        token = RUNNING.set(self._call)
        try:
            given = await step_through(step.work, step)
        except BaseException as exc:
            step.judge(self._call, None if is_a(exc, StopAsyncIteration) else exc)
            raise
        else:
            step.judge(self._call, None)
            return given
        finally:
            RUNNING.reset(token)


class _Step:
    """The way of a generator to its next item, and what it is handed on it."""

    def __init__(self, work: Any) -> None:
        self.work = work
        self._task = trio.lowlevel.current_task()
        self._around = Surroundings(self._task)
        self._shields = shields_around(self._task)
        self._handed: list[tuple[BaseException, WaitSite | None]] = []

    def error_here(self) -> None:
        return None

    def at_error(self, error: BaseException) -> None:
        raise AssertionError("nothing is planted here")

    def at_wait(self) -> None:
        pass

    def at_resume(self, handed: BaseException | None) -> None:
        shielded = shields_around(self._task) > self._shields
        if is_a(handed, trio.Cancelled) and self._around.are_cancelled and not shielded:
            self._handed.append((handed, site_of(frames_of(self.work))))

    def judge(self, call: Call, raised: BaseException | None) -> None:
        """It has given an item, has ended, or has raised an error."""
        went_on = any(not follows_cancelled(handed) for handed, _ in self._handed[1:])
        call.swallowed |= went_on or (bool(self._handed) and raised is None)
        if self._handed and raised is not None:
            call.replaced = replacement_in(raised) or call.replaced
        for handed, place in self._handed:
            if cuts_short(handed, place):
                call.cut_short = str(place)
