"""Owns wraps: runtimes with something around each of their calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .placing import Placed
from .types import ConfigModel, ExecutionParams, NodeRuntime

Around = Callable[[NodeRuntime, ExecutionParams], Awaitable[Any]]
"""What is called instead of a runtime: with the runtime, and with what it is to be handed."""


class Wrapped:
    """A runtime with something around its calls; settings, defaults and manners are those of the inner one.

    Cancellation reaches what is around, and the runtime inside it.
    """

    def __init__(self, inner: NodeRuntime, around: Around) -> None:
        self.inner: NodeRuntime = inner
        self.type: str = inner.type
        self.config: ConfigModel | None = inner.config
        self.reads_only: bool = inner.reads_only
        self.timeout: float | None = inner.timeout
        self._around = around

    async def execute(self, params: ExecutionParams) -> Any:
        return await self._around(self.inner, params)


def innermost(runtime: NodeRuntime | None) -> NodeRuntime | None:
    """The runtime inside all wraps."""
    while isinstance(runtime, (Wrapped, Placed)):
        runtime = runtime.inner
    return runtime
