"""Owns the runtimes of a proof: those of the workflow, each with the probe in front of it."""

from __future__ import annotations

from typing import Any

from ...runtimes.control.runtime import ControlRuntime
from ...runtimes.registry import Registry
from ...runtimes.types import ConfigModel, ExecutionParams, NodeRuntime
from .probe import Probe


class ProbedRegistry(Registry):
    """The runtimes of a workflow; ``probe`` sees every call of them.

    A workflow is compiled once with it, and run many times, each with a probe of its own, set before.
    """

    def __init__(self, base: Registry) -> None:
        super().__init__(base)
        self.probe: Probe

    def _find(self, name: str) -> NodeRuntime | None:
        found = super()._find(name)
        if isinstance(found, ControlRuntime):
            return _ProbedControl(self, found)
        return None if found is None else _Probed(self, found)


class _Probed:
    """A leaf node's runtime that the probe steps through."""

    def __init__(self, registry: ProbedRegistry, real: NodeRuntime) -> None:
        self._registry = registry
        self._real = real
        self.type: str = real.type
        self.config: ConfigModel | None = real.config
        self.reads_only: bool = real.reads_only
        self.timeout: float | None = real.timeout

    async def execute(self, params: ExecutionParams) -> Any:
        return await self._registry.probe.execute(self._real, params)


class _ProbedControl(ControlRuntime):
    """A control node's runtime; the probe may raise in its place."""

    def __init__(self, registry: ProbedRegistry, real: ControlRuntime) -> None:
        self._registry = registry
        self._real = real
        self.type = real.type  # type: ignore[misc]
        self.config = real.config  # type: ignore[misc]
        self.reads_only = real.reads_only
        self.timeout = real.timeout

    async def execute(self, params: ExecutionParams) -> Any:
        probe, real = self._registry.probe, self._real
        return await probe.control(params.node, params.scope, lambda: real.execute(params))
