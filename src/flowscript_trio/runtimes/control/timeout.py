"""Owns ``<timeout>``: describes which body is bounded to what time."""

from __future__ import annotations

from typing import ClassVar

from ...types.ast import TimeoutNode
from ..types import ConfigModel, ExecutionParams
from .results import TimeoutResult
from .runtime import ControlRuntime
from .types import TimeoutConfig


class TimeoutRuntime(ControlRuntime):
    """Type ``control:timeout``."""

    type = "control:timeout"
    config: ClassVar[ConfigModel] = TimeoutConfig

    async def execute(self, params: ExecutionParams) -> TimeoutResult:
        assert isinstance(params.node, TimeoutNode)
        return TimeoutResult(params.node.body, params.config.duration)


timeout_runtime: TimeoutRuntime = TimeoutRuntime()
