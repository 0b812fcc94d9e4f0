"""Owns the stage of a case: runtimes that dispatch on the node, to its stub, to the real one, or to an error."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import trio

from ..program.loading import Flow
from ..runtimes.control.results import CheckpointResult
from ..runtimes.isolation import private_copy
from ..runtimes.registry import Registry
from ..runtimes.types import ExecutionParams, NodeRuntime
from ..types.decisions import Answer
from ..types.errors import FlowScriptError
from .cases import Case, Reply
from .ids import leaves_of

PURE = frozenset({"transform:template", "transform:map", "transform:filter", "transform:reduce"})
"""The leaf nodes that touch nothing outside the run: they need no stub."""

RETRYABLE = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ConnectionRefusedError",
        "PoolTimeout",
        "ReadTimeout",
        "TimeoutError",
        "TimeoutException",
        "TooSlowError",
        "WriteTimeout",
    }
)
"""Names of errors that a real node's ``<retry>`` tries again by default, whatever their status."""


class NotStubbed(FlowScriptError):
    """A node that touches the world was reached in a case that neither stubs it nor names it as real.

    As any error of a node, it cancels the siblings of its branch where the block fails fast.
    """

    retryable = False


class StubError(FlowScriptError):
    """The base of what stubs raise; the class that is raised has the name that the stub gives.

    ``status`` is an HTTP status or None, ``retryable`` None where the status decides.

    As any error of a node, it cancels the siblings of its branch where the block fails fast.
    """

    status: int | None = None
    retryable: bool | None = None


class Stage:
    """What the leaf nodes of one run meet, and what they were handed.

    ``calls`` counts the calls of each node's runtime, ``last`` has what it was handed at the last one, as
    (input, settings); ``missing`` are the nodes that should have been stubbed, with their types,
    in the order in which they ran.
    """

    def __init__(self, case: Case, flow: Flow) -> None:
        self.registry: Registry = flow.registry.wrapped(self._around)
        self.calls: dict[str, int] = {}
        self.last: dict[str, tuple[Any, Any]] = {}
        self.missing: dict[str, str] = {}
        self.decisions: Mapping[str, Answer] = case.decisions
        self._case = case
        self._names: dict[int, list[str]] = {}
        for name, node in leaves_of(flow).items():
            self._names.setdefault(id(node), []).append(name)

    def begin(self) -> None:
        """A new run begins: its calls are counted from none, and each stub begins with its first reply."""
        self.calls.clear()
        self.last.clear()

    async def _around(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Leaves are played on the stage, and checkpoints answered as the case decides."""
        if not runtime.type.startswith("control:"):
            return await self.execute(runtime, params)
        asked = await runtime.execute(params)
        if isinstance(asked, CheckpointResult):
            return replace(asked, answer=self.decisions.get(params.node.label))
        return asked

    async def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        """Play a node. Cancellation reaches a stub at once, and a real node as always."""
        names = self._names.get(id(params.node)) or [params.node.label]
        kept = _kept(runtime, params)
        for name in names:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.last[name] = kept
        case = self._case
        stub = next((case.stubs[name] for name in names if name in case.stubs), None)
        if stub is not None:
            call = self.calls[names[0]] - 1
            return await play(stub.replies[min(call, len(stub.replies) - 1)])
        if case.real is True or case.real.intersection(names) or runtime.type in PURE:
            return await runtime.execute(params)
        name = names[0]
        self.missing[name] = runtime.type
        await trio.lowlevel.checkpoint()
        raise NotStubbed(f"{name!r} has no stub in this case, and is not named as real")


def _kept(runtime: NodeRuntime, params: ExecutionParams) -> tuple[Any, Any]:
    """What a runtime is handed, out of the reach of one that changes it."""
    handed = (params.input, params.config)
    if runtime.reads_only:
        return handed
    kept: tuple[Any, Any] = private_copy(handed, lambda kind: None)
    return kept


async def play(reply: Reply) -> Any:
    """Do what a stub does at one call. Time is trio's; cancellation ends it at once."""
    await trio.sleep(reply.delay)
    if reply.hangs:
        await trio.sleep_forever()
    if reply.error is not None:
        raise error_of(reply)
    return deepcopy(reply.output)  # the run may change what it is given


def error_of(reply: Reply) -> StubError:
    """The error of a reply: its class is made to have the name that expressions see as ``error.type``."""
    name = reply.type or ("StubError" if reply.status is None else "HTTPStatusError")
    error: StubError = type(name, (StubError,), {"__module__": __name__})(reply.error)
    error.status = reply.status
    error.retryable = reply.retryable
    if error.retryable is None and name in RETRYABLE:
        error.retryable = True
    return error
