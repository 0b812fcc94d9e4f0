"""Owns what a node's own code sees of its run: the run, with what it draws for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..expression.scope import Services
from ..runtimes.placing import Place
from ..runtimes.types import key_of
from ..types.ast import BaseNode
from ..types.http import HttpOptions
from .spending import Spending

if TYPE_CHECKING:
    from .durable.recorder import Recorder


class NodeRunOwner(Protocol):
    """What a node's view needs of its run."""

    @property
    def id(self) -> str: ...
    @property
    def base(self) -> Path | None: ...
    @property
    def secrets(self) -> Mapping[str, str]: ...
    @property
    def http(self) -> HttpOptions: ...
    @property
    def spending(self) -> Spending | None: ...
    @property
    def places(self) -> Mapping[str, Place]: ...
    @property
    def is_durable(self) -> bool: ...
    @property
    def recorder(self) -> Recorder | None: ...
    async def resource(self, key: str, factory: Callable[[], Any]) -> Any: ...
    async def keep_first(self, value: Any) -> Any: ...
    def services_of(self, path: str, turn: int | str) -> Services: ...
    def warn(self, node: BaseNode, message: str, path: str | None = None) -> None: ...


class NodeRun:
    """The :class:`~flowscript_trio.runtimes.types.RunServices` of one attempt of a node."""

    __slots__ = ("_attempt", "_path", "_run", "_services")

    def __init__(self, run: NodeRunOwner, path: str, attempt: int) -> None:
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
    def idempotency_key(self) -> str | None:
        return key_of(self._run.id, self._path) if self._run.is_durable else None

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._run.secrets

    @property
    def http(self) -> HttpOptions:
        return self._run.http

    @property
    def places(self) -> Mapping[str, Place]:
        return self._run.places

    @property
    def owner(self) -> NodeRunOwner:
        """The run itself."""
        return self._run

    @property
    def path(self) -> str:
        return self._path

    @property
    def attempt(self) -> int:
        return self._attempt

    @property
    def services(self) -> Services:
        if self._services is None:
            self._services = self._run.services_of(self._path, f"runtime {self._attempt}")
        return self._services

    def of_node(self, path: str, attempt: int) -> NodeRun:
        return NodeRun(self._run, path, attempt)

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        return await self._run.resource(key, factory)

    async def keep_first(self, value: Any) -> Any:
        if self._run.recorder is None:
            return await self._run.keep_first(value)
        return await self._run.recorder.outcomes.keep_first(self._path, self._attempt, value)

    def count_request(self) -> None:
        if self._run.spending is not None:
            self._run.spending.count_request(self._path)

    def keep(self, value: Any) -> None:
        if self._run.spending is not None:
            self._run.spending.keep(value, self._path)

    def grow(self, made: list[Any], since: int) -> None:
        if self._run.spending is not None:
            self._run.spending.grow(made, since, self._path)

    def warn(self, node: BaseNode, message: str) -> None:
        self._run.warn(node, message, self._path)
