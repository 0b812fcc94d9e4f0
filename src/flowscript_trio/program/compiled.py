"""Owns the compiled form of a document: steps and bodies with everything that can be known before a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from ..expression import Expression
from ..expression.scope import Scope
from ..runtimes.types import NodeRuntime
from ..types.ast import BaseNode, Body, Document
from ..types.deferred import dataclass
from ..types.location import Location
from ..validator import Wanted
from .limit_use import LimitUse

Compute = Callable[[Scope], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One node, ready to run.

    ``config`` gives the runtime's settings in a scope; ``input`` the node's own input, or is None: the
    enclosing block's. ``timeout`` gives seconds. ``parts`` give the settings of the parts inside the node,
    ``inner_ids`` are the ids of all nodes inside it. ``retry`` give the settings of its ``<retry>``s;
    ``fallback`` and ``on_timeout`` are its handlers; ``compensate`` is the key of that body, and ``undoes_begun``
    says that it also runs where the node was cut off while at work.
    Of a checkpoint, ``patience`` gives the seconds that it waits for an answer, and ``targets`` are the ids
    of the later nodes that it may go on at.
    ``place`` names that where the document of an include or a call runs whole; that of any other node is in its
    ``runtime``. ``is_builtin`` says that its runtime is one of the built-in ones,
    which reach a checkpoint often, ``draws`` that its expressions may take from chance or ask for the attempt,
    ``keeps`` of a block that it ends with what has succeeded when its time has passed, ``undoes`` that
    something in it may have to be undone. ``is_pure`` says that it only computes, ``on_crash`` whether it is
    done again (``retry``) or fails where the process died at it, ``reads_clock`` that its expressions may ask for
    the time. ``limits`` are the names of those that it takes, and ``is_block`` says
    that others run inside while it holds them. ``linked`` is the document that an include or a call runs.
    ``is_constant`` says that its settings are the same in every scope.
    """

    key: int
    id: str | None
    label: str
    location: Location
    node: BaseNode
    runtime: NodeRuntime
    config: Compute
    input: Compute | None
    condition: Expression | None
    timeout: Compute | None
    parts: tuple[Compute, ...]
    retry: tuple[Compute, ...] | None
    fallback: Step | None
    on_timeout: Step | None
    compensate: int | None
    reads_only: bool
    is_control: bool
    is_builtin: bool
    has_output: bool
    draws: bool
    inner_ids: tuple[str, ...]
    keeps: bool = False
    undoes: bool = False
    patience: Compute | None = None
    targets: frozenset[str] = frozenset()
    is_pure: bool = False
    on_crash: str = "retry"
    undoes_begun: bool = False
    reads_clock: bool = False
    linked: Program | None = None
    limits: tuple[str, ...] = ()
    is_block: bool = False
    place: str | None = None
    is_constant: bool = False

    @property
    def is_plain_leaf(self) -> bool:
        """Whether nothing of anybody else's runs inside it."""
        return self.is_builtin and not self.is_control

    @property
    def recovers(self) -> bool:
        """Whether something is to follow its error: further attempts, or a handler."""
        return self.retry is not None or self.fallback is not None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledBody:
    """A body, ready to run.

    Of a graph, ``waits`` counts for each step how many others it waits for, and ``dependents`` lists those that
    wait for it. ``last_label`` is that of the last step that may give the body's output. ``place`` names that
    where the body runs whole, None for here; ``is_plain`` says that it runs here and that no clean-up follows.
    """

    steps: tuple[Step, ...]
    is_graph: bool
    waits: tuple[int, ...]
    dependents: tuple[tuple[int, ...], ...]
    inner_ids: tuple[str, ...]
    last_label: str
    can_break: bool
    settings: Compute | None
    cleanup: CompiledBody | None
    location: Location
    key: int = 0
    place: str | None = None
    is_plain: bool = True

    @property
    def is_one_node(self) -> bool:
        """Whether one node is all that runs in it."""
        return len(self.steps) == 1 and self.is_plain


ALL_SECRETS = "*"
"""Stands for the names of all secrets where what is placed takes ``$secrets`` as a whole."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedStep:
    """A node or a body that runs at a place; ``part`` is it in the syntax tree.

    ``runtimes`` are those that travel there, by their names, ``secrets`` the names of the secrets that do.
    ``programs`` are the documents that it runs.
    """

    place: str
    label: str
    part: BaseNode | Body
    programs: tuple[Program, ...]
    runtimes: Mapping[str, NodeRuntime]
    secrets: frozenset[str]
    names: frozenset[str]
    """The words in it that may be names of its scope."""
    is_once: bool = False
    """Whether something in it says ``on-crash="fail"``, so that none of it may be begun again after a crash."""

    def secrets_among(self, held: Mapping[str, str]) -> dict[str, str]:
        """Those of the secrets of a run that travel."""
        if ALL_SECRETS in self.secrets:
            return dict(held)
        return {name: held[name] for name in self.secrets if name in held}


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A whole document, ready to run; ``bodies`` by their keys, ``on_error`` its
    ``<on-workflow-error>``, ``timeout`` (seconds) and ``max_concurrency`` its own, ``wanted`` the members
    of ``$env`` that must be given, ``limits`` what it does with limits (None: nothing). It is immutable and may
    run many times."""

    document: Document
    main: CompiledBody
    bodies: Mapping[int, CompiledBody]
    on_error: CompiledBody | None
    timeout: Compute | None
    max_concurrency: Compute | None
    wanted: tuple[Wanted, ...] = ()
    limits: LimitUse | None = None
    placed: Mapping[int, PlacedStep] = field(default_factory=dict)
    """What of it runs at a place of its own: nodes and bodies, by their keys."""
    runtimes: Mapping[str, NodeRuntime] = field(default_factory=dict)
    """Those of its nodes, by their names, but for control elements."""
    linked: Mapping[int, Program] = field(default_factory=dict)
    """The documents that it runs, by the keys of their nodes."""
