"""Owns what all control runtimes share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ..types import ExecutionParams


class ControlRuntime:
    """A runtime that describes what is to happen: it returns a control result and runs nothing itself."""

    type: str
    config: type[BaseModel] | None
    reads_only = True
    timeout: float | None = None

    async def execute(self, params: ExecutionParams) -> Any:
        raise NotImplementedError
