"""Owns the syntax tree of a document: frozen nodes with their places, one union of all of them.

The tree is what is in the document and nothing more: settings are texts with places, not values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from .deferred import dataclass
from .limits import BreakerRule, Rate
from .location import Location, Source, Text
from .paths import label_by_place, label_of_name

UNTYPED = "?"
"""What stands for the type of a node that has none: that was reported when it was read."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A mapping or list read from YAML, its texts still with their places; or a mapping of child elements.

    ``value`` is a tuple of (key, value) pairs for a mapping, a tuple of values for a list; values are
    ``Structure``, ``Text`` (a template) or a constant: int, float, bool or None.
    """

    kind: Literal["mapping", "list"]
    value: tuple[Any, ...]
    text: Text
    is_markup: bool = False
    """Whether its entries are written as elements: only a setting whose declared type is structured takes them."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One setting as it is in the document.

    ``name`` is its snake_case name, ``written`` its spelling in the source.
    ``value`` is a ``Text``; from the YAML of a ``<request>`` also a ``Structure`` or a constant.
    """

    name: str
    written: str
    value: Text | Structure | int | float | bool | None
    source: Source
    offset: int
    """Offset of the name in the source, in characters."""

    @property
    def location(self) -> Location:
        """The place of the name (found when asked for: few settings are)."""
        return self.source.location(self.offset)


Form = Literal["graph", "sequence"]
"""How a body runs: by data flow, or in document order."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A list of nodes: a *graph* body runs by data flow, a *sequence* body in document order.

    ``key`` is the body's number in the document; bodies and nodes count together, in document order.
    ``settings`` are those of the element that holds the body (``<case when>``); ``tag`` is its name.
    """

    key: int
    kind: Form
    tag: str
    location: Location
    offset: int
    nodes: tuple[Node, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    cleanup: Body | None = None
    """Its ``<finally>``."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """An element that is neither node nor body: ``<retry>``, ``<bind>``, ``<arg>``, ``<action>``, …"""

    tag: str
    location: Location
    offset: int
    settings: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OnError:
    """The ``<on-error>`` of a node."""

    location: Location
    offset: int
    retries: tuple[Part, ...] = ()
    fallback: Part | None = None

    @property
    def retry(self) -> Part | None:
        """The first of its ``<retry>``s."""
        return self.retries[0] if self.retries else None


@dataclass(frozen=True, kw_only=True)
class BaseNode:
    """What every node has.

    ``kind`` is the element that it is, ``tag`` how the document spells that; ``type`` is the name of its
    runtime (``source:http``, ``control:parallel``). ``id`` is None only where the language allows it.
    """

    kind: str
    key: int
    tag: str
    type: str
    id: str | None
    location: Location
    offset: int
    """Offset of the element's ``<`` in the source, in characters."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    input: Setting | None = None
    after: Setting | None = None
    condition: Setting | None = None
    """The setting ``if``."""
    timeout: Setting | None = None
    limit: Setting | None = None
    """The names of the limits that it takes."""
    place: Setting | None = None
    """Where it runs; of a ``<foreach>``, where its iterations do."""
    on_error: OnError | None = None
    compensate: Body | None = None
    on_crash: Setting | None = None
    """What becomes of it in a durable run when its process dies at it: it is done again, or fails."""
    shares_line: bool = False
    """Whether another node of its body has no id and is on the same line, or has the same name."""

    @property
    def label(self) -> str:
        """The id, or for a node without one its tag and place: how paths and notes call it. Unique in its body."""
        return self.id or label_by_place(self.tag, *self._place)

    @property
    def _place(self) -> tuple[int, int | None]:
        return self.location.line, self.location.column if self.shares_line else None

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The bodies that the node runs, in document order (``compensate`` is not one of them)."""
        return ()


@dataclass(frozen=True, kw_only=True)
class SourceNode(BaseNode):
    kind: Literal["source"] = "source"


@dataclass(frozen=True, kw_only=True)
class TransformNode(BaseNode):
    kind: Literal["transform"] = "transform"


@dataclass(frozen=True, kw_only=True)
class SinkNode(BaseNode):
    kind: Literal["sink"] = "sink"


@dataclass(frozen=True, kw_only=True)
class ParallelNode(BaseNode):
    kind: Literal["parallel"] = "parallel"
    branches: tuple[Body, ...] = ()

    @property
    def bodies(self) -> tuple[Body, ...]:
        return self.branches


@dataclass(frozen=True, kw_only=True)
class ForeachNode(BaseNode):
    kind: Literal["foreach"] = "foreach"
    body: Body

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)


@dataclass(frozen=True, kw_only=True)
class IfNode(BaseNode):
    kind: Literal["if"] = "if"
    then: Body | None = None
    otherwise: Body | None = None
    """The ``<else>``."""

    @property
    def bodies(self) -> tuple[Body, ...]:
        return tuple(body for body in (self.then, self.otherwise) if body is not None)


@dataclass(frozen=True, kw_only=True)
class BranchNode(BaseNode):
    """A ``<branch>`` outside ``<parallel>``; the ``when`` of a case is in its body's settings."""

    kind: Literal["branch"] = "branch"
    cases: tuple[Body, ...] = ()
    default: Body | None = None

    @property
    def bodies(self) -> tuple[Body, ...]:
        return self.cases if self.default is None else (*self.cases, self.default)


@dataclass(frozen=True, kw_only=True)
class LoopNode(BaseNode):
    kind: Literal["loop"] = "loop"
    body: Body

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)


@dataclass(frozen=True, kw_only=True)
class WhileNode(BaseNode):
    kind: Literal["while"] = "while"
    body: Body

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)


@dataclass(frozen=True, kw_only=True)
class TimeoutNode(BaseNode):
    kind: Literal["timeout"] = "timeout"
    body: Body

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)


@dataclass(frozen=True, kw_only=True)
class LeafNode(BaseNode):
    """A control element that has nothing but settings: ``<delay>``, ``<set>``, …"""


@dataclass(frozen=True, kw_only=True)
class ContextNode(BaseNode):
    kind: Literal["context"] = "context"
    assignments: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PhaseNode(BaseNode):
    kind: Literal["phase"] = "phase"
    name: str
    body: Body

    @property
    def label(self) -> str:
        if self.id is not None:
            return self.id
        name = label_of_name(self.name)
        return label_by_place(name, *self._place) if self.shares_line else name

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)


@dataclass(frozen=True, kw_only=True)
class CheckpointNode(BaseNode):
    kind: Literal["checkpoint"] = "checkpoint"
    actions: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncludeNode(BaseNode):
    kind: Literal["include"] = "include"
    binds: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CallNode(BaseNode):
    kind: Literal["call"] = "call"
    arguments: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutputNode(BaseNode):
    kind: Literal["output"] = "output"
    fields: tuple[Part, ...] = ()


Node = (
    SourceNode
    | TransformNode
    | SinkNode
    | ParallelNode
    | ForeachNode
    | IfNode
    | BranchNode
    | LoopNode
    | WhileNode
    | TimeoutNode
    | ContextNode
    | PhaseNode
    | CheckpointNode
    | IncludeNode
    | CallNode
    | OutputNode
    | LeafNode
)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A declared argument: a ``<param>``, or a key of ``config`` in front matter."""

    name: str
    location: Location
    type: Literal["string", "number", "boolean", "object", "array", "enum"] | None = None
    choices: tuple[str, ...] = ()
    """The words of an ``enum[…]``."""
    has_default: bool = False
    default: Any = None
    required: bool = False
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Shaped:
    """A declared member of the input or the output of a document: ``shape`` is its JSON Schema.

    One that is not ``required`` may be missing, or null.
    """

    name: str
    location: Location
    shape: Any
    required: bool = True
    has_default: bool = False
    default: Any = None


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A declared secret's name."""

    name: str
    location: Location


@dataclass(frozen=True, kw_only=True)
class LimitDeclaration:
    """A declared limit: how many at once, how often, when nothing may be tried. Without any of that it is a name
    that the application gives a limit for, or a document around."""

    name: str
    location: Location
    max: int | None = None
    rate: Rate | None = None
    burst: int = 1
    breaker: BreakerRule | None = None

    @property
    def rules(self) -> tuple[object, ...]:
        """What it declares; empty for a name alone."""
        found = (self.max, self.rate, self.burst, self.breaker)
        return () if found == (None, None, 1, None) else found


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole document as read: its metadata and its top-level body."""

    name: str
    file: str
    source: Source
    version: str | None = None
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
    limits: tuple[LimitDeclaration, ...] = ()
    input: tuple[Shaped, ...] = ()
    """The members that its ``$input`` is declared to have; it may have others."""
    output: tuple[Shaped, ...] = ()
    """Those that its output is declared to have."""
    timeout: Setting | None = None
    max_concurrency: Setting | None = None
    retry: Setting | None = None
    trigger: Any = None
    schemas: Any = None
    evolution: Any = None
    body: Body
    on_workflow_error: Body | None = None
