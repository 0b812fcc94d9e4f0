"""Owns ``<set>`` and ``<context>``: describe which variables are assigned."""

from __future__ import annotations

from typing import ClassVar

from ..types import ConfigModel, ExecutionParams
from .results import AssignResult
from .runtime import ControlRuntime
from .types import ContextConfig, SetConfig


class SetRuntime(ControlRuntime):
    """Type ``control:set``: its output is the value."""

    type = "control:set"
    config: ClassVar[ConfigModel] = SetConfig

    async def execute(self, params: ExecutionParams) -> AssignResult:
        config: SetConfig = params.config
        return AssignResult({config.var: config.value}, config.value)


class ContextRuntime(ControlRuntime):
    """Type ``control:context``: its output is the object of all its assignments."""

    type = "control:context"
    config: ClassVar[ConfigModel] = ContextConfig

    async def execute(self, params: ExecutionParams) -> AssignResult:
        values = {part.key: part.value for part in params.parts}
        return AssignResult(values, values)


set_runtime: SetRuntime = SetRuntime()
context_runtime: ContextRuntime = ContextRuntime()
