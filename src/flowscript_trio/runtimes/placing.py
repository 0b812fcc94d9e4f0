"""Owns what a place is: where nodes run that do not run in trio's own thread."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, runtime_checkable

from ..types.deferred import dataclass
from .types import ConfigModel, ExecutionParams, NodeRuntime

HERE = "here"
BUILT_IN = ("thread", "process", "cluster")
"""The places that are there without the application giving them, besides ``here``."""
OTHER_PROCESSES = frozenset({"process", "cluster"})
"""Those of them to which only what is plain can go."""


@dataclass(frozen=True, slots=True)
class RanAt:
    """Where an execution of a node was.

    ``worker`` names the process or thread. ``outlived``: it did not answer its cancellation in time, and was given
    up.
    """

    worker: str
    outlived: bool = False


@runtime_checkable
class Place(Protocol):
    """Where nodes can run besides trio's own thread.

    One object may serve many runs at once, and is opened by each when its first node gets there. Cancellation of a
    node is delivered as the place can deliver it.
    """

    def check(self, name: str) -> None:
        """Raise InputError where it cannot be used: an extra is missing. ``name`` is what documents call it."""

    def check_secrets(self, name: str, secrets: Mapping[str, str]) -> None:
        """Raise InputError where these secrets may not go there."""

    def check_runtime(self, name: str, runtime: NodeRuntime) -> None:
        """Raise InputError where a runtime cannot travel to it, with the name of what cannot."""

    def execute(self, runtime: NodeRuntime, params: ExecutionParams) -> Awaitable[Any]:
        """Run a node's runtime there; what it returns is the node's output.

        Cancellation reaches the node there, as the place can deliver it.
        """

    def run_body(self, walk: Any, body: Any, frame: Any) -> Awaitable[Any]:
        """Run a body of nodes there, whole."""

    def run_document(self, walk: Any, result: Any, attempt: Any) -> Awaitable[Any]:
        """Run the document there that an include or a call names, whole."""


class Placed:
    """A runtime that runs at a place of the run; settings, defaults and manners are those of the inner one.

    Cancellation reaches it as the place delivers it.
    """

    def __init__(self, inner: NodeRuntime, place: str) -> None:
        self.inner: NodeRuntime = inner
        self.place: str = place
        self.type: str = inner.type
        self.config: ConfigModel | None = inner.config
        self.reads_only: bool = inner.reads_only
        self.timeout: float | None = inner.timeout

    def execute(self, params: ExecutionParams) -> Awaitable[Any]:
        place: Place = params.run.places[self.place]
        return place.execute(self.inner, params)
