"""Owns where a node runs (its frame), one attempt of it, and what its work comes to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..expression.scope import Scope
from ..scheduler.signals import Signal
from ..types.deferred import dataclass
from ..types.paths import attempt_path, prefix_in
from ..types.results import BranchResult
from .regions import Region
from .state import State

if TYPE_CHECKING:  # a worker of leaf nodes compiles nothing
    from ..program.compiled import Step


class Frame:
    """What the nodes of one running body share.

    ``prefix`` is that of their paths (``fetch-all/1/``), ``input`` the block's input, ``region`` the
    innermost part of the run that can be cancelled; ``output`` is the last output so far. ``owns_context``
    says that nothing but one node runs in the context that the task has now.
    """

    __slots__ = ("input", "output", "owns_context", "prefix", "region", "state")

    def __init__(self, state: State, prefix: str, region: Region, input: Any) -> None:
        self.state: State = state
        self.prefix: str = prefix
        self.region: Region = region
        self.input: Any = input
        self.output: Any = None
        self.owns_context: bool = False


class Attempt:
    """One attempt of a node: its step, its frame, its own path, input, scope and region.

    ``number`` counts from 1; ``inner`` is the path that what runs inside the node has above it.
    """

    __slots__ = ("frame", "input", "number", "path", "region", "scope", "step", "token")

    def __init__(
        self, step: Step, frame: Frame, path: str, number: int, input: Any, scope: Scope
    ) -> None:
        self.number: int = number
        self.step: Step = step
        self.frame: Frame = frame
        self.path: str = path
        self.input: Any = input
        self.scope: Scope = scope
        self.region: Region = frame.region
        self.token: object = None  # that of the run's limiter, while it holds one

    @property
    def inner(self) -> str:
        return attempt_path(self.path, self.number)

    def enter(self, bound: dict[str, Any] | None = None, shared: bool = False) -> Frame:
        """A frame for a body of this node, with a layer of state and bound names of its own.

        A graph body's layer is ``shared`` by nodes that run side by side.
        """
        bound = {} if bound is None else bound
        if self.input is not self.frame.input:
            bound["input"] = self.input
        if self.step.draws:
            bound["$attempt"] = self.number
        state = self.frame.state.fork(bound, shared)
        if self.step.draws or self.step.reads_clock:
            state.services = self.scope.services
        return Frame(state, prefix_in(self.inner), self.region, self.input)


@dataclass(slots=True)
class Outcome:
    """What a node's work came to: an output, or a signal (with ``Failed`` for an error).

    ``attempts`` is how often it was tried. ``lost`` says of a block that went on without some of its branches
    whether one of that index is among them.
    """

    output: Any = None
    signal: Signal | None = None
    branches: tuple[BranchResult, ...] = ()
    skipped: bool = False
    attempts: int = 1
    lost: Callable[[int | None], bool] | None = None
