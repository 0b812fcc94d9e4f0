"""Owns ``<return>``: describes that the document ends here, and with what."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ..types import ConfigModel, ExecutionParams
from .results import ReturnResult
from .runtime import ControlRuntime
from .types import Scalar, ValueConfig


class ReturnConfig(ValueConfig):
    """``<return>``: ends the document that it is in; nodes after it are skipped."""

    value: Scalar = Field(default=None, description="what the document gives; default: null")


class ReturnRuntime(ControlRuntime):
    """Type ``control:return``: its output is the value."""

    type = "control:return"
    config: ClassVar[ConfigModel] = ReturnConfig

    async def execute(self, params: ExecutionParams) -> ReturnResult:
        return ReturnResult(params.config.value)


return_runtime: ReturnRuntime = ReturnRuntime()
