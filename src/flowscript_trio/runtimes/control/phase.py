"""Owns ``<phase>`` and ``<output>``: a graph body that is a barrier, and what a run returns."""

from __future__ import annotations

from typing import Any, ClassVar

from ...types.ast import PhaseNode
from ..types import ConfigModel, ExecutionParams
from .results import ChoiceResult
from .runtime import ControlRuntime
from .types import OutputConfig, PhaseConfig


class PhaseRuntime(ControlRuntime):
    """Type ``control:phase``: its body always runs; that it is a barrier is known when it is read."""

    type = "control:phase"
    config: ClassVar[ConfigModel] = PhaseConfig

    async def execute(self, params: ExecutionParams) -> ChoiceResult:
        assert isinstance(params.node, PhaseNode)
        return ChoiceResult(params.node.body)


class OutputRuntime:
    """Type ``control:output``: an object of its fields, which the run returns."""

    type = "control:output"
    config = OutputConfig
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> dict[str, Any]:
        return {part.field: part.value for part in params.parts}


phase_runtime: PhaseRuntime = PhaseRuntime()
output_runtime: OutputRuntime = OutputRuntime()
