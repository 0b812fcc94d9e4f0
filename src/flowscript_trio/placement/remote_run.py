"""Owns what a leaf node on a worker sees of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import trio

from ..execution.inputs import Secrets
from ..execution.resources import Resources
from ..expression.scope import NodeView, Services
from ..runtimes.types import key_of
from ..types.ast import BaseNode
from ..types.cookies import NO_COOKIES, Cookies
from ..types.errors import FlowScriptError
from ..types.http import HttpOptions
from ..types.results import NodeMark
from ..types.storing import kept_nowhere
from .jobs import Job, LeafCall, Noted, RunFacts, ScopeFacts


def services_for(facts: RunFacts, path: str, turn: int | str) -> Services:
    """The services of one attempt of a node: what it draws is what it would have drawn where the run is."""
    services = Services(random=Random(f"{facts.seed}/{path}/{turn}"), limits=facts.limits)
    services.now = facts.now or services.now
    return services


class RemoteRun:
    """The :class:`~flowscript_trio.runtimes.types.RunServices` of one attempt of a node on a worker.

    What is to be known where the run is, is noted, and reported there in this order when the node has ended.
    ``resources`` are None for a plain function, which can wait for none.
    """

    def __init__(self, job: Job, resources: Resources | None) -> None:
        self.noted: list[Noted] = []
        self._job = job
        self._resources = resources
        self._services: Services | None = None

    @property
    def idempotency_key(self) -> str | None:
        run = self._job.run
        return key_of(run.id, self._job.path) if run.is_durable else None

    @property
    def id(self) -> str:
        return self._job.run.id

    @property
    def base(self) -> Path | None:
        base = self._job.run.base
        return None if base is None else Path(base)

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._job.run.secrets

    @property
    def http(self) -> HttpOptions:
        return self._job.run.http

    @property
    def places(self) -> Mapping[str, Any]:
        return {}

    @property
    def services(self) -> Services:
        if self._services is None:
            job = self._job
            self._services = services_for(job.run, job.path, f"runtime {job.attempt}")
        return self._services

    def services_from(self, chance: tuple[Any, ...]) -> Services:
        """The services of what the node's settings compute here: they go on drawing from where they were."""
        services = services_for(self._job.run, self._job.path, "settings")
        services.random.setstate(chance)
        return services

    def of_node(self, path: str, attempt: int) -> RemoteRun:
        return self

    async def resource(self, key: str, factory: Callable[[], Any]) -> Any:
        if self._resources is None:
            raise FlowScriptError(
                "a plain function has no resources of the run at a process: there is no loop to open them in; "
                "expected an async runtime"
            )
        return await self._resources.get(key, factory)

    async def keep_first(self, value: Any) -> Any:
        """The value itself. Raises CannotKeep in a durable run: where it is kept is not here."""
        await trio.lowlevel.checkpoint()
        if self._job.run.is_durable:
            raise kept_nowhere()
        return value

    def count_request(self) -> None:
        self.noted.append(("request", None))

    def keep(self, value: Any) -> None:
        """Nothing: what the node gives is counted where the run is."""

    def grow(self, made: list[Any], since: int) -> None:
        """Nothing, as :meth:`keep`."""

    def warn(self, node: BaseNode, message: str) -> None:
        self.noted.append(("warning", message))


class RemoteScope:
    """The part of a scope that crossed with a leaf node (None: nothing of it did), its secrets and its cookies."""

    def __init__(self, call: LeafCall, run: RemoteRun) -> None:
        self.cookies: Cookies = call.cookies or NO_COOKIES
        self._chance = call.chance
        self._services: Services | None = None
        self._facts = call.scope
        self._run = run
        self._secrets: Secrets | None = None  # made when they are first asked for, as the services

    @property
    def services(self) -> Services:
        if self._chance is None:
            return self._run.services  # made when they are first asked for: most nodes draw nothing
        if self._services is None:
            self._services = self._run.services_from(self._chance)
        return self._services

    def value(self, name: str) -> Any:
        if name == "$secrets":
            if self._secrets is None:
                self._secrets = Secrets(None, self._run.secrets)
            return self._secrets
        return self._given.values.get(name)

    def node(self, name: str) -> NodeView | None:
        found: NodeMark | None = self._given.results.get(name)
        return found

    @property
    def _given(self) -> ScopeFacts:
        if self._facts is None:
            raise FlowScriptError(
                "a node that runs at a place sees its settings and its input; the state of the run stays where "
                "the run is: give it what it needs as a setting"
            )
        return self._facts
