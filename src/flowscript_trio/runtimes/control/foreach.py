"""Owns ``<foreach>``: describes what is run for each item of which collection."""

from __future__ import annotations

from typing import ClassVar

from ...types.ast import ForeachNode
from ..types import ConfigModel, ExecutionParams
from .policy import policy_of
from .results import ForeachResult
from .runtime import ControlRuntime
from .types import ForeachConfig


class ForeachRuntime(ControlRuntime):
    """Type ``control:foreach``."""

    type = "control:foreach"
    config: ClassVar[ConfigModel] = ForeachConfig

    async def execute(self, params: ExecutionParams) -> ForeachResult:
        assert isinstance(params.node, ForeachNode)
        config: ForeachConfig = params.config
        return ForeachResult(
            body=params.node.body,
            collection=params.evaluate(config.collection),
            item=config.item,
            index=config.index,
            batch=config.batch,
            max_concurrency=config.max_concurrency or 1,
            policy=policy_of(config, None),
            merge=config.merge,
            accept=config.accept,
            stagger=config.stagger,
            throttle=config.throttle,
            debounce=config.debounce,
        )


foreach_runtime: ForeachRuntime = ForeachRuntime()
