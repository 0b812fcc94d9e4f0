"""Owns ``<loop>``, ``<while>`` and ``<break>``: describe what is repeated, until when, and what is left."""

from __future__ import annotations

from typing import ClassVar

from ...expression import truthy
from ...types.ast import LoopNode, WhileNode
from ..types import ConfigModel, ExecutionParams
from .results import BreakResult, LoopResult, WhileResult
from .runtime import ControlRuntime
from .types import BreakConfig, LoopConfig, WhileConfig


class LoopRuntime(ControlRuntime):
    """Type ``control:loop``."""

    type = "control:loop"
    config: ClassVar[ConfigModel] = LoopConfig

    async def execute(self, params: ExecutionParams) -> LoopResult:
        assert isinstance(params.node, LoopNode)
        config: LoopConfig = params.config
        return LoopResult(params.node.body, config.max, config.break_)


class WhileRuntime(ControlRuntime):
    """Type ``control:while``."""

    type = "control:while"
    config: ClassVar[ConfigModel] = WhileConfig

    async def execute(self, params: ExecutionParams) -> WhileResult:
        assert isinstance(params.node, WhileNode)
        config: WhileConfig = params.config
        return WhileResult(params.node.body, config.max, config.condition)


class BreakRuntime(ControlRuntime):
    """Type ``control:break``."""

    type = "control:break"
    config: ClassVar[ConfigModel] = BreakConfig

    async def execute(self, params: ExecutionParams) -> BreakResult:
        config: BreakConfig = params.config
        taken = config.when is None or truthy(params.evaluate(config.when))
        return BreakResult(taken, config.loop)


loop_runtime: LoopRuntime = LoopRuntime()
while_runtime: WhileRuntime = WhileRuntime()
break_runtime: BreakRuntime = BreakRuntime()
