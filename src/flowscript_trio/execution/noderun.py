"""Owns what a node's own code sees of its run: the run, with what it draws for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..expression.scope import Services
from ..types.ast import BaseNode
from ..types.http import HttpOptions

if TYPE_CHECKING:
    from .context import RunContext


class NodeRun:
    """The :class:`~flowscript_trio.runtimes.types.RunServices` of one attempt of a node."""

    __slots__ = ("_attempt", "_path", "_run", "_services")

    def __init__(self, run: RunContext, path: str, attempt: int) -> None:
        self._run = run
        self._path = path
        self._attempt = attempt
        self._services: Services | None = None

    @property
    def id(self) -> str:
        return self._run.id

    @property
    def base(self) -> Path | None:
        return self._run.base

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._run.secrets

    @property
    def http(self) -> HttpOptions:
        return self._run.http

    @property
    def services(self) -> Services:
        if self._services is None:
            self._services = self._run.services_of(self._path, f"runtime {self._attempt}")
        return self._services

    def of_node(self, path: str, attempt: int) -> NodeRun:
        return NodeRun(self._run, path, attempt)

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        return await self._run.resource(key, factory)

    def warn(self, node: BaseNode, message: str) -> None:
        self._run.warn(node, message, self._path)
