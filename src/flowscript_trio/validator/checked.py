"""Owns what a check gives: the problems, and for each node and body everything that running it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from ..expression import Expression
from ..runtimes.types import NodeRuntime
from ..scheduler.plan import WalkPlan
from ..types.ast import BaseNode, Body, Document
from ..types.deferred import dataclass
from ..types.errors import Problem
from .handlers import Handlers
from .members import Inherited, Wanted
from .positions import Index
from .texts import Noted
from .values import BoundSetting, BoundSettings


@dataclass(frozen=True, slots=True, eq=False)
class CheckedNode:
    """A node with its settings bound.

    ``name`` is the name of its result in the scope: its id, else a phase's name, else None.
    ``runtime`` is None where none is registered (then there is a problem).
    ``input`` are the expressions of its ``input``; with ``input_is_list`` the input is the list of their
    values, else there is one. None: the node has the input of the block around it.
    ``timeout`` gives seconds. ``retries`` are the settings of its ``<retry>``s. ``fallback`` and ``on_timeout``
    are the handlers that it names, which run in its scope.
    ``parts`` are the settings of the parts inside it, in document order: assignments, fields, binds,
    arguments, actions.
    """

    node: BaseNode
    name: str | None
    runtime: NodeRuntime | None
    settings: BoundSettings
    input: tuple[Expression, ...] | None = None
    input_is_list: bool = False
    condition: Expression | None = None
    timeout: BoundSetting | None = None
    retries: tuple[BoundSettings, ...] = ()
    fallback: BaseNode | None = None
    on_timeout: BaseNode | None = None
    parts: tuple[BoundSettings, ...] = ()
    limits: tuple[str, ...] = ()
    """The names of the limits that it takes, in order."""
    keeps: bool = False
    """Whether it is a block that ends with what has succeeded when its time has passed."""
    place: str | None = None
    """The name of its place, where it has one."""
    on_crash: str = "retry"
    """What becomes of it when the process of a durable run dies at it: ``retry`` or ``fail``."""

    @property
    def retry(self) -> BoundSettings | None:
        """The settings of its first ``<retry>``."""
        return self.retries[0] if self.retries else None


@dataclass(frozen=True, slots=True, eq=False)
class CheckedBody:
    """A body with what is known about its walk.

    ``settings`` are those of its element where it has some (``when`` of a case, ``timeout`` of a clean-up).
    ``handlers`` are the indices of nodes that do not run by themselves.
    ``waits`` has, for a graph body, for each node the indices that it waits for, ascending; it is empty for
    a sequence. ``plan`` is the same as counts and dependents (None for a sequence).
    ``giving`` are the indices of the nodes whose last one that runs gives the body's output.
    ``inner_ids`` are the names of all results at any depth in it, in document order. ``place`` is the name of
    that where it runs whole, None for here.
    """

    body: Body
    settings: BoundSettings | None
    handlers: frozenset[int]
    waits: tuple[tuple[int, ...], ...]
    plan: WalkPlan | None
    giving: frozenset[int]
    inner_ids: tuple[str, ...]
    place: str | None = None

    @property
    def result(self) -> int | None:
        """The index of the last node that may give the body's output; None where there is none."""
        return max(self.giving, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A checked document as the shapes of its values are found in it.

    ``noted`` are the expressions that take a member of something. ``declared`` are the members of ``$config`` and
    ``$secrets``, its own and those of the documents that include it.
    """

    index: Index
    handlers: Handlers
    nodes: Mapping[int, CheckedNode]
    bodies: Mapping[int, CheckedBody]
    noted: Sequence[Noted]
    declared: Inherited


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A document with everything that was found in it.

    ``problems`` are errors and warnings in document order; ``nodes`` and ``bodies`` are by key, clean-up
    bodies and handlers included. ``timeout`` (seconds), ``max_concurrency`` (an int or ``math.inf``) and
    ``retry`` (further attempts of leaf nodes) are the document's own.
    """

    document: Document
    problems: tuple[Problem, ...]
    scene: Scene
    """What the shapes of its values are found from."""
    nodes: Mapping[int, CheckedNode] = field(default_factory=dict)
    bodies: Mapping[int, CheckedBody] = field(default_factory=dict)
    timeout: BoundSetting | None = None
    max_concurrency: BoundSetting | None = None
    retry: BoundSetting | None = None
    wanted: tuple[Wanted, ...] = ()
    """The members of ``$env`` that its expressions name."""

    @property
    def is_valid(self) -> bool:
        """Whether there is no error; warnings may be there."""
        return all(problem.severity != "error" for problem in self.problems)
