"""Owns ``<include>`` and ``<call>``: describe with what another document is to run."""

from __future__ import annotations

from typing import ClassVar

from ..types import ConfigModel, ExecutionParams
from .results import DocumentResult
from .runtime import ControlRuntime
from .types import CallConfig, IncludeConfig


class IncludeRuntime(ControlRuntime):
    """Type ``control:include``: the document inherits configuration and secrets."""

    type = "control:include"
    config: ClassVar[ConfigModel] = IncludeConfig

    async def execute(self, params: ExecutionParams) -> DocumentResult:
        return DocumentResult({part.key: part.value for part in params.parts}, isolated=False)


class CallRuntime(ControlRuntime):
    """Type ``control:call``: the document sees its arguments, and the secrets that it declares."""

    type = "control:call"
    config: ClassVar[ConfigModel] = CallConfig

    async def execute(self, params: ExecutionParams) -> DocumentResult:
        return DocumentResult({part.name: part.value for part in params.parts}, isolated=True)


include_runtime: IncludeRuntime = IncludeRuntime()
call_runtime: CallRuntime = CallRuntime()
