"""Owns whether this process has left a run, and what is shielded until then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import ClassVar, TypeVar

import trio

from ...types.passing import passing
from ...types.results import LEFT
from .working_time import WorkingTime

T = TypeVar("T")


class Leaving:
    """How this process leaves a run, which is not cancelled by that: another one may take it up."""

    REASON: ClassVar[str] = LEFT
    """Why the walk is cancelled then."""

    def __init__(self, worked: WorkingTime) -> None:
        self.is_left: bool = False
        """Whether this process has left the run."""
        self.error: BaseException | None = None
        """Why it had to be left, where that is an error."""
        self.give_up: Callable[[str], None] | None = None
        """Cancels the walk, with that reason."""
        self._worked = worked
        self._shields: set[trio.CancelScope] = set()  # what is shielded from all but leaving

    def leave(self, error: BaseException | None = None) -> None:
        """Leave the run as it is: nothing more is written, tasks unwind, and no clean-up of the document runs."""
        if self.is_left:
            return
        self._worked.note()
        self.is_left = True
        self.error = error
        if self.give_up is not None:
            self.give_up(self.REASON)
        for scope in self._shields:
            scope.shield = False

    @property
    def is_cleaning(self) -> bool:
        """Whether clean-up runs, whose time starts again with each process."""
        return bool(self._shields)

    @passing
    def _until_left(self, scope: trio.CancelScope) -> Generator[None, None, None]:
        """While this is open, leaving the run takes the shield of ``scope`` away."""
        self._shields.add(scope)
        try:
            yield
        finally:
            self._shields.discard(scope)

    async def in_shield(self, scope: trio.CancelScope | None, work: Awaitable[T]) -> T:
        """Do what is shielded by ``scope``, until the run is left."""
        assert scope is not None
        with self._until_left(scope):
            return await work

    async def shielded(self, work: Awaitable[T]) -> T:
        """Do what is shielded from all that is cancelled around it, until the run is left."""
        with trio.CancelScope(shield=not self.is_left) as scope:
            return await self.in_shield(scope, work)
        raise AssertionError("a scope that nobody cancels lets nothing go")
