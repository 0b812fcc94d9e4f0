"""Owns what a worker is asked for and what it answers: plain data, and nothing of the run itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from .packing import PLAIN, pack, unpack

if TYPE_CHECKING:  # a worker imports what its jobs have in them, and no more
    from ..expression.scope import Limits
    from ..parser import ReadLimits
    from ..runtimes.types import NodeRuntime
    from ..types.budget import Budget
    from ..types.events import Event
    from ..types.http import HttpOptions
    from ..types.location import Location
    from ..types.results import Cancellation, NodeMark, NodeResult
    from .errors import PackedError


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a worker knows of the run. ``secrets`` are those that what it is asked for names."""

    id: str
    seed: int
    base: str | None
    secrets: Mapping[str, str] = field(repr=False)
    http: HttpOptions
    limits: Limits
    now: Callable[[], datetime] | None
    is_durable: bool = False
    """Whether the run has a store, so that its nodes have idempotency keys."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a runtime may see of its node."""

    kind: str
    tag: str
    type: str
    id: str | None
    key: int
    location: Location


@dataclass(frozen=True, slots=True)
class ScopeFacts:
    """The part of a scope that what crosses names: values, and the results of nodes.

    ``cookies`` are those of the scope.
    """

    values: Mapping[str, Any]
    results: Mapping[str, Any]
    cookies: Any = None


class Job(Protocol):
    """What all jobs have: the run, the path and the attempt of the execution, and the seconds that are left.

    ``headers`` go along with the requests of the node: those of a trace.
    """

    @property
    def run(self) -> RunFacts: ...
    @property
    def path(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class LeafTerms:
    """What all attempts of a leaf node in one run have in common. ``runtime`` is packed."""

    run: RunFacts
    runtime: bytes
    node: NodeFacts


PackedCall = tuple[Any, ...] | bytes
"""An attempt on its way: as it is, where all that it has crosses so; else packed."""


class LeafCall(NamedTuple):
    """What one attempt of a leaf node has of its own.

    ``scope`` is None where its settings name nothing, and ``cookies`` where there are none in its scope. What its
    settings draw goes on from ``chance``, which is None where they draw nothing.
    """

    path: str
    attempt: int
    seconds: float
    headers: Mapping[str, str]
    config: Any
    input: Any
    scope: ScopeFacts | None
    cookies: Any
    chance: tuple[Any, ...] | None

    def packed(self, what: str) -> PackedCall:
        """It, ready to cross; raises CannotTravel, which names the part of ``what`` that cannot."""
        for part in self:
            if type(part) not in PLAIN and not (type(part) is dict and _is_flat(part)):
                return pack(self, what)
        return tuple(self)

    @classmethod
    def unpacked(cls, packed: PackedCall) -> LeafCall:
        """What came over."""
        return cls(*(packed if isinstance(packed, tuple) else unpack(packed)))


def _is_flat(mapping: dict[Any, Any]) -> bool:
    return PLAIN.issuperset(map(type, mapping)) and PLAIN.issuperset(map(type, mapping.values()))


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """The documents of a workflow, as texts, and the runtimes that its nodes name.

    ``files`` are their paths, the names that people know them by, and their texts; the first is the workflow
    itself, whose path is None where it came as a text. ``models`` are the runtimes that stay at home, with their
    settings.
    """

    files: tuple[tuple[str | None, str, str], ...]
    base: str
    roots: tuple[str, ...]
    limits: ReadLimits
    runtimes: Mapping[str, NodeRuntime]
    models: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyJob:
    """A body of nodes that runs whole: a branch, or an iteration.

    ``flow`` is a packed :class:`FlowFacts`; ``program`` is the number of the document in it, ``key`` that of the
    body in the document. ``watched``: somebody observes the run.
    """

    run: RunFacts
    path: str
    attempt: int
    seconds: float
    headers: Mapping[str, str]
    flow: bytes
    program: int
    key: int
    prefix: str
    input: Any
    scope: ScopeFacts
    max_concurrency: float
    budget: Budget | None
    keep: int
    watched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentJob(BodyJob):
    """The document that an include or a call runs; ``key`` is that of the node, ``input`` what it is given."""

    arguments: Mapping[str, Any]
    isolated: bool


Noted = (
    tuple[Literal["warning"], str] | tuple[Literal["request"], None] | tuple[Literal["keep"], Any]
)
"""What a leaf node asked of its run while it ran, in order."""


NodeKey = tuple[int, int]
"""A node of a workflow: the number of its document, and its key in that."""


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution of a node, as it is on a record. ``inner``: of a document that is not the run's own."""

    node: NodeKey
    result: NodeResult
    inner: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What a body has spent of the run's budget."""

    nodes: int = 0
    rounds: int = 0
    requests: int = 0


@dataclass(slots=True, kw_only=True)
class Reply:
    """What a worker answers. ``status`` tells how the job ended; its ``error`` is one of its own, or None.

    ``cookies`` are those of its scope, where it changed them.
    """

    worker: str
    status: Literal["done", "failed", "cancelled"]
    output: Any = None
    error: PackedError | None = None
    noted: tuple[Noted, ...] = ()
    cookies: Any = None


@dataclass(slots=True, kw_only=True)
class BodyReply(Reply):
    """What a body came to, with its record.

    Times are in seconds from its end, so that they are negative. Errors in it are packed, each once. ``signal`` is
    the break or return that it ended with; ``origin`` is the execution that its error left first.
    """

    signal: Any = None
    origin: NodeResult | None = None
    executed: tuple[Executed, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, NodeResult | NodeMark] = field(default_factory=dict)
    cancellations: tuple[tuple[str, Cancellation], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    events: tuple[tuple[Event, NodeKey | None], ...] = ()
    """The events in order, each with its node where it has one."""
    spent: Spent = field(default_factory=Spent)
