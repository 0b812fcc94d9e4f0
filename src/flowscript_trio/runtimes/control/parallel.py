"""Owns ``<parallel>``: describes its branches and executes none of them."""

from __future__ import annotations

from typing import ClassVar

from ...types.ast import ParallelNode
from ..types import ConfigModel, ExecutionParams
from .policy import policy_of
from .results import ParallelResult
from .runtime import ControlRuntime
from .types import ParallelConfig


class ParallelRuntime(ControlRuntime):
    """Type ``control:parallel``."""

    type = "control:parallel"
    config: ClassVar[ConfigModel] = ParallelConfig

    async def execute(self, params: ExecutionParams) -> ParallelResult:
        """The branches of the node, their number, and how they are to be run; runs nothing."""
        assert isinstance(params.node, ParallelNode)
        config: ParallelConfig = params.config
        branches = params.node.branches
        return ParallelResult(
            branches=branches,
            branch_count=len(branches),
            max_concurrency=config.max_concurrency,
            policy=policy_of(config, len(branches)),
            merge=config.merge,
            accept=config.accept,
            stagger=config.stagger,
        )


parallel_runtime: ParallelRuntime = ParallelRuntime()
