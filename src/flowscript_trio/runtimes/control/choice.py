"""Owns ``<if>`` and ``<branch>``: describe which one of their bodies is to run."""

from __future__ import annotations

from typing import ClassVar

from ...expression import truthy
from ...types.ast import BranchNode, IfNode
from ..types import ConfigModel, ExecutionParams
from .results import ChoiceResult
from .runtime import ControlRuntime
from .types import BranchConfig, IfConfig


class IfRuntime(ControlRuntime):
    """Type ``control:if``."""

    type = "control:if"
    config: ClassVar[ConfigModel] = IfConfig

    async def execute(self, params: ExecutionParams) -> ChoiceResult:
        node = params.node
        assert isinstance(node, IfNode)
        holds = truthy(params.evaluate(params.config.condition))
        return ChoiceResult(node.then if holds else node.otherwise)


class BranchRuntime(ControlRuntime):
    """Type ``control:branch``: the first case whose ``when`` is truthy, else the default."""

    type = "control:branch"
    config: ClassVar[ConfigModel] = BranchConfig

    async def execute(self, params: ExecutionParams) -> ChoiceResult:
        node = params.node
        assert isinstance(node, BranchNode)
        for case, when in zip(node.cases, params.parts, strict=True):
            if truthy(params.evaluate(when.when)):
                return ChoiceResult(case)
        return ChoiceResult(node.default)


if_runtime: IfRuntime = IfRuntime()
branch_runtime: BranchRuntime = BranchRuntime()
