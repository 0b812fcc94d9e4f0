"""Owns ``<fail>``: it fails, and says so in the document's own words."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ...types.errors import WorkflowFailed
from ..types import ConfigModel, ExecutionParams
from .runtime import ControlRuntime
from .types import ControlConfig


class FailConfig(ControlConfig):
    """``<fail>``: fails here; whatever handles errors handles it."""

    message: str = Field(description="what is wrong")
    type: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="the type that expressions see in the error"
    )
    status: int | None = Field(default=None, description="the status that it has, as that of HTTP")
    retryable: bool | None = Field(
        default=None,
        description="whether trying again may help; without it, the status says so",
    )


class FailRuntime(ControlRuntime):
    """Type ``control:fail``."""

    type = "control:fail"
    config: ClassVar[ConfigModel] = FailConfig

    async def execute(self, params: ExecutionParams) -> None:
        config: FailConfig = params.config
        raise WorkflowFailed(
            config.message,
            type=config.type,
            status=config.status,
            retryable=config.retryable,
        )


fail_runtime: FailRuntime = FailRuntime()
