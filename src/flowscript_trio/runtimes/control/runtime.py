"""Owns what all control runtimes share."""

from __future__ import annotations

from typing import Any, ClassVar

from ..types import ConfigModel, ExecutionParams


class ControlRuntime:
    """A runtime that describes what is to happen: it returns a control result and runs nothing itself."""

    type: ClassVar[str]
    config: ClassVar[ConfigModel]
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        raise NotImplementedError
