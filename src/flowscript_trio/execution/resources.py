"""Owns the resources of a run: each is opened once, when a node first asks for it, and closed with the run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import Context, ContextVar, copy_context
from inspect import isawaitable
from math import inf
from typing import Any

import trio

from ..scheduler.limits.queue import Tokens
from ..scheduler.raised import error_of_call
from .bounds import in_time
from .contexts import InContext
from .limiting import hold_together, waiting_with

Close = Callable[[], Awaitable[None]]


class _Opening:
    """A resource that is being opened, until it is ``over``, and which others its factory waits for meanwhile.

    ``held`` are the tokens of the nodes that wait for it.
    """

    __slots__ = ("held", "key", "over", "waits_for")

    def __init__(self, key: str) -> None:
        self.key = key
        self.over = trio.Event()
        self.held: Tokens = []
        self.waits_for: set[_Opening] = set()


_asking: ContextVar[_Opening | None] = ContextVar("what the factory that runs opens", default=None)


class Resources:
    """What a run has open, by its keys.

    Each is opened and closed in a copy of the context of the run, whichever node asks first. An async context
    manager lives in a task of its own, so that nurseries and cancel scopes in it are left by who entered them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds  # that closing one of them may take
        self.variables: Context = copy_context()
        self._values: dict[str, Any] = {}
        self._closing: list[tuple[str, Close]] = []
        self._opening: dict[str, _Opening] = {}
        self._is_closed = False

    async def get(self, key: str, factory: Callable[[], Any]) -> Any:
        """The resource of that key; of several nodes that ask at once, one opens it and the others wait.

        What the factory raises is raised here, and whoever asks next tries again; so it is where the
        task that opens it is cancelled. Raises RuntimeError where it would wait for itself, and when all
        are closed.
        """
        if self._is_closed:
            raise RuntimeError(f"the run has ended, and opens no resource {key!r} any more")
        asking = _asking.get()
        while key not in self._values:
            known = self._opening.get(key)
            opening = _Opening(key) if known is None else known
            _check_circle(asking, opening)
            if asking is not None:
                asking.waits_for.add(opening)
            try:
                with waiting_with(opening.held):
                    if known is None:
                        await self._open(opening, factory)
                    else:
                        await opening.over.wait()
            finally:
                if asking is not None:
                    asking.waits_for.discard(opening)
        return self._values[key]

    async def _open(self, opening: _Opening, factory: Callable[[], Any]) -> None:
        key = opening.key
        self._opening[key] = opening
        try:
            value, close = await self._make(opening, factory)
            self._values[key] = value
            self._closing.append((key, close))
        finally:
            del self._opening[key]
            opening.over.set()

    async def _make(self, opening: _Opening, factory: Callable[[], Any]) -> tuple[Any, Close]:
        context = self.variables.copy()
        context.run(_asking.set, opening)
        hold_together(context, opening.held)
        made = await InContext(_call(factory), context)
        if isinstance(made, AbstractAsyncContextManager) and not _is_lock(made):
            return await self._enter(opening.key, _Hosted(made, context))
        if isinstance(made, AbstractContextManager) and not _is_lock(made) and not _closes(made):
            return context.run(made.__enter__), lambda: InContext(_exit(made), context)
        return made, lambda: InContext(_close(made), context)

    async def _enter(self, key: str, hosted: _Hosted) -> tuple[Any, Close]:
        """Enter a context manager. One that nobody waits for any more is left again before this raises."""
        try:
            return await hosted.enter()
        except BaseException:  # cancelled, interrupted, or it could not be entered
            # Where this wait is cut short as well, whoever closes the run waits.
            ending = key, hosted.end
            self._closing.append(ending)
            await hosted.end()
            self._closing.remove(ending)
            raise

    @property
    def are_open(self) -> bool:
        return bool(self._closing)

    async def close(self, seconds: float = inf) -> tuple[list[BaseException], list[str]]:
        """Close all, last opened first, each shielded and within the bound, in this many seconds in all.

        The errors of doing so, and the keys of those that took too long and were given up.
        """
        errors: list[BaseException] = []
        late: list[str] = []
        self._values.clear()
        until = trio.current_time() + seconds
        while self._closing:
            key, close = self._closing.pop()
            try:
                own = min(self._seconds, max(until - trio.current_time(), 0.0))
                if not await in_time(own, close):
                    late.append(key)
            except BaseException as exc:
                errors.append(error_of_call(exc, "closing a resource raised"))
        self._is_closed = True
        return errors, late


def _check_circle(asking: _Opening | None, opening: _Opening) -> None:
    """Raise RuntimeError where a factory asks for what waits for it: both would wait for ever."""
    reached, stack = {opening}, [opening]
    while stack:
        each = stack.pop()
        if each is asking:
            raise RuntimeError(
                f"opening the resource {asking.key!r} asks for {opening.key!r}, which waits for {asking.key!r} "
                "itself: open one of them without the other"
                if asking is not opening
                else f"opening the resource {asking.key!r} asks for that resource itself"
            )
        stack += each.waits_for - reached
        reached |= each.waits_for


class _Hosted:
    """An async context manager that is entered and left in a task of its own.

    It is a system task of trio, since the node that asks for it ends before it does; whoever closes the run waits
    for its end.
    """

    def __init__(self, manager: AbstractAsyncContextManager[Any], context: Context) -> None:
        self._manager = manager
        self._context = context
        self._scope = trio.CancelScope()
        self._entered = trio.Event()
        self._leave = trio.Event()
        self._left = trio.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    async def enter(self) -> tuple[Any, Close]:
        trio.lowlevel.spawn_system_task(self._live, context=self._context)
        await self._entered.wait()
        if self._error is not None:
            raise self._error
        return self._value, self._close

    async def _live(self) -> None:
        try:
            with self._scope:
                async with self._manager as self._value:
                    self._entered.set()
                    await self._leave.wait()
        except BaseException as exc:  # a system task must not raise: whoever waits for it does
            self._error = exc
        finally:
            self._entered.set()
            self._left.set()

    async def _close(self) -> None:
        self._leave.set()
        try:
            await self._left.wait()
        except BaseException:
            await self.end()
            raise
        if self._error is not None:
            raise self._error

    async def end(self) -> None:
        """Cancel whatever it is at, and wait until it has been left; cannot be cancelled."""
        self._scope.cancel("nobody waits for the resource any more")
        with trio.CancelScope(shield=True):
            await self._left.wait()


async def _call(factory: Callable[[], Any]) -> Any:
    made = factory()
    return await made if isawaitable(made) else made


async def _exit(manager: AbstractContextManager[Any]) -> None:
    manager.__exit__(None, None, None)


async def _close(value: Any) -> None:
    """Close what has a way to be closed."""
    close = getattr(value, "aclose", None) or getattr(value, "close", None)
    if callable(close):
        closing = close()
        if isawaitable(closing):
            await closing


def _closes(value: Any) -> bool:
    """Whether it is the resource itself: a file and a connection are context managers as well."""
    return callable(getattr(value, "close", None))


def _is_lock(value: Any) -> bool:
    """Whether entering it would take it: a lock, a semaphore, a limiter."""
    return callable(getattr(value, "acquire", None))
