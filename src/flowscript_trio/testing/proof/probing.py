"""Owns the runtimes of a proof: those of the workflow, each with the probe around it."""

from __future__ import annotations

from typing import Any

from ...runtimes.control.runtime import ControlRuntime
from ...runtimes.registry import Registry
from ...runtimes.types import ExecutionParams, NodeRuntime
from ...runtimes.wrapping import innermost
from .probe import Probe


class Probing:
    """What is around every call of a runtime: the probe of the run that is under way.

    A workflow is compiled once with ``registry``, and run many times, each with a ``probe`` of its own.
    """

    def __init__(self, base: Registry) -> None:
        self.probe: Probe
        self.registry: Registry = base.wrapped(self._around)

    async def _around(self, runtime: NodeRuntime, params: ExecutionParams) -> Any:
        if isinstance(innermost(runtime), ControlRuntime):
            return await self.probe.control(
                params.node, params.scope, lambda: runtime.execute(params)
            )
        return await self.probe.execute(runtime, params)
