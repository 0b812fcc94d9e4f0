"""Owns where a node runs (its frame and its place), and what its work comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..expression.scope import Scope
from ..scheduler.signals import Signal
from ..types.results import BranchResult
from .program import Step
from .regions import Region
from .state import State


class Frame:
    """What the nodes of one running body share.

    ``path`` is the prefix of their paths (``fetch-all/1/``), ``input`` the block's input, ``region`` the
    innermost part of the run that can be cancelled; ``output`` is the last output so far.
    """

    __slots__ = ("input", "output", "path", "region", "state")

    def __init__(self, state: State, path: str, region: Region, input: Any) -> None:
        self.state: State = state
        self.path: str = path
        self.region: Region = region
        self.input: Any = input
        self.output: Any = None


class Place:
    """Where one node runs: its step, its frame, its own path, input, scope and region."""

    __slots__ = ("frame", "input", "path", "region", "scope", "step", "token")

    def __init__(self, step: Step, frame: Frame, path: str, input: Any, scope: Scope) -> None:
        self.step: Step = step
        self.frame: Frame = frame
        self.path: str = path
        self.input: Any = input
        self.scope: Scope = scope
        self.region: Region = frame.region
        self.token: object = None  # that of the run's limiter, while it holds one

    def enter(self, bound: dict[str, Any] | None = None, shared: bool = False) -> Frame:
        """A frame for a body of this node, with a layer of state and bound names of its own.

        A graph body's layer is ``shared`` by nodes that run side by side.
        """
        bound = {} if bound is None else bound
        if self.input is not self.frame.input:
            bound["input"] = self.input
        state = self.frame.state.fork(bound, shared)
        return Frame(state, f"{self.path}/", self.region, self.input)


@dataclass(slots=True)
class Outcome:
    """What a node's work came to: an output, or a signal (with ``Failed`` for an error).

    ``attempts`` is how often it was tried.
    """

    output: Any = None
    signal: Signal | None = None
    branches: tuple[BranchResult, ...] = ()
    skipped: bool = False
    attempts: int = 1
