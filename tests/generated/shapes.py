"""Owns the shapes of generated workflows: plain trees, which know neither XML nor how they run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """``max`` further attempts, ``wait`` seconds between two; the ``when`` of a ``broken`` one fails.

    With ``upto`` it is for the errors of so many attempts only, and ``then`` for those after them, with a count of
    its own.
    """

    max: int
    wait: int
    broken: bool = False
    upto: int | None = None
    then: Retry | None = None


@dataclass(frozen=True)
class Leaf:
    """A node that takes ``takes`` seconds.

    ``end``: ``ok``, ``fail``, ``group`` (raises a group), ``frozen``, ``slotted``, ``noted`` and ``shared``
    (errors that resist), ``hang``, ``flaky`` (it fails ``fails`` times first), ``stubborn`` (it is shielded, and
    succeeds), or ``block`` (it holds the thread so long, and succeeds). ``undo`` is its ``<compensate>``.
    ``cancelled``: what it does when it is cancelled: ``pass``, ``swallow`` (it ends normally), ``shield`` (it
    needs ``shield`` seconds), or ``fail`` (in its clean-up).
    """

    id: str
    takes: int
    end: str = "ok"
    fails: int = 0
    cancelled: str = "pass"
    shield: int = 0
    timeout: int | None = None
    retry: Retry | None = None
    fallback: Leaf | None = None
    undo: Leaf | None = None


@dataclass(frozen=True)
class Fail:
    """A ``<fail>``: it takes no time."""

    id: str
    retry: Retry | None = None
    fallback: Leaf | None = None


@dataclass(frozen=True)
class Return:
    """A ``<return>`` of the value, which is not taken unless ``taken``."""

    id: str
    value: int
    taken: bool


@dataclass(frozen=True)
class Body:
    """Nodes in sequence; ``cleanup`` is its ``<finally>``, whose settings fail where it is ``broken``."""

    nodes: tuple[Node, ...]
    cleanup: Leaf | None = None
    broken: bool = False


@dataclass(frozen=True)
class Policy:
    """``need``: how many must succeed, None for all; ``tolerate``: how many may fail."""

    need: int | None = None
    fail_fast: bool = True
    tolerate: int = 0


@dataclass(frozen=True)
class Parallel:
    id: str
    branches: tuple[Body, ...]
    limit: int
    policy: Policy = Policy()
    twins: bool = False
    """Whether all of its branches are leaves that end at the same instant."""
    retry: Retry | None = None
    fallback: Leaf | None = None
    keeps: int | None = None
    """Seconds after which it ends with what has succeeded."""
    refused: str | None = None
    """The output of a branch that is not accepted."""
    stagger: int | None = None


@dataclass(frozen=True)
class Foreach:
    id: str
    count: int
    limit: int
    body: Body
    policy: Policy = Policy()
    keeps: int | None = None


@dataclass(frozen=True)
class If:
    id: str
    taken: bool
    then: Body
    other: Body | None = None


@dataclass(frozen=True)
class Loop:
    """``rounds`` of a ``<loop>``; in the round ``broken`` it is broken out of."""

    id: str
    rounds: int
    body: Body
    broken: int | None = None


@dataclass(frozen=True)
class While:
    id: str
    rounds: int
    body: Body


@dataclass(frozen=True)
class Timeout:
    id: str
    seconds: int
    body: Body


Node = Leaf | Fail | Return | Parallel | Foreach | If | Loop | While | Timeout


@dataclass(frozen=True)
class Workflow:
    """Nodes of a graph body: ``after`` has for each the indices of those that it waits for.

    It is cancelled from outside after ``cancelled`` seconds. ``seed`` is the order of tasks that it is run in.
    """

    nodes: tuple[Node, ...]
    after: tuple[tuple[int, ...], ...]
    cancelled: int
    seed: int = 0
