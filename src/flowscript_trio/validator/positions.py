"""Owns where everything is: bodies in bodies, nodes in bodies, and what names each body brings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field
from typing import Literal

from ..expression import BoundNames
from ..language.elements import element_of, parts_of
from ..types.ast import BaseNode, Body, Document, Node, PhaseNode, Setting
from ..types.deferred import dataclass
from ..types.location import Text

Role = Literal["body", "cleanup", "compensate"]

BEFORE = -1
_ERROR_NAMES = frozenset({"$error"})


@dataclass(slots=True, eq=False)
class Level:
    """One body and where it is.

    ``outer`` is the place of the node that has the body (None for the document's own body), ``depth`` the
    number of levels around. ``names`` are the names bound here and around: loop variables, and the ``$``
    names that have a value. ``looped`` says that a loop or while is around whose rounds share one scope.
    ``forks`` are the keys of the bodies around whose variables are their own (branches, iterations, the
    document), outermost first.
    """

    body: Body
    outer: Position | None
    depth: int
    role: Role
    names: frozenset[str]
    looped: bool
    forks: tuple[int, ...]

    @property
    def is_graph(self) -> bool:
        return self.body.kind == "graph"

    @property
    def is_fork(self) -> bool:
        return self.forks[-1] == self.body.key


@dataclass(slots=True, eq=False)
class Position:
    """A node in its body.

    ``node`` is None for two positions that belong to no node: that of a clean-up, whose ``index`` is one past the
    last node, and that of the document's own settings, ``BEFORE`` the first one.
    """

    level: Level
    index: int
    node: Node | None


@dataclass(slots=True, eq=False)
class Index:
    """Everything in a document by its key or name.

    ``results`` are the nodes by the names under which expressions know them: their ids, and of a phase its name
    where nothing else has it.
    ``setters`` maps the key of a fork to the variables set in it, each with the key of its first setter.
    ``hyphenated`` are the names with hyphens that the document binds anywhere, ``bound_names`` those of them that
    expressions know as one name.
    """

    document: Document
    given: frozenset[str]
    levels: dict[int, Level] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    ids: dict[str, Node] = field(default_factory=dict)
    phases: dict[str, Node] = field(default_factory=dict)
    results: dict[str, Node] = field(default_factory=dict)
    setters: dict[int, dict[str, int]] = field(default_factory=dict)
    hyphenated: set[str] = field(default_factory=set)
    bound_names: BoundNames = field(default_factory=BoundNames)

    def place_of(self, name: str) -> Position | None:
        """The place of the node of that id, or of the phase of that name."""
        node = self.ids.get(name) or self.phases.get(name)
        return None if node is None else self.positions[node.key]


def contains(outer: Position, inner: Position) -> bool:
    """Whether ``inner`` is ``outer`` or is inside it."""
    position: Position | None = inner
    while position is not None:
        if position is outer:
            return True
        position = position.level.outer
    return False


def name_of(node: BaseNode) -> str | None:
    """The name under which a node's result is kept in the scope: its id, else a phase's name."""
    return node.id or (node.name if isinstance(node, PhaseNode) else None)


def variables_of(node: Node) -> Iterator[Setting]:
    """The settings that name the variables which a node assigns."""
    element = element_of(node)
    named = [] if element.assigns is None else [node.settings.get(element.assigns)]
    if element.parts is not None and (key := element.parts.assigns) is not None:
        named += [part.settings.get(key) for part in parts_of(node)]
    yield from (setting for setting in named if setting is not None)


def word_of(setting: Setting | None, default: str = "") -> str:
    """The constant text of a setting that is a name, else ``default``."""
    if setting is None or not isinstance(setting.value, Text):
        return default
    return setting.value.value.strip()


def locate(document: Document, given: Collection[str] = ()) -> Index:
    """The index of a document. ``given`` are the names that whoever runs it binds to values."""
    parameters = {parameter.name for parameter in document.parameters}
    index = Index(document, frozenset(given) | parameters)
    root = Level(document.body, None, 0, "body", frozenset(), False, (document.body.key,))
    stack = [root]
    if document.on_workflow_error is not None:
        end = Position(root, len(document.body.nodes), None)
        stack.append(_inner_level(document.on_workflow_error, end, "cleanup", _ERROR_NAMES))
    while stack:
        level = stack.pop()
        index.levels[level.body.key] = level
        index.setters.setdefault(level.forks[-1], {})
        for number, node in enumerate(level.body.nodes):
            position = Position(level, number, node)
            _register(index, position, node)
            stack.extend(_levels_in(position, node))
        if level.body.cleanup is not None:
            end = Position(level, len(level.body.nodes), None)
            stack.append(_inner_level(level.body.cleanup, end, "cleanup", _ERROR_NAMES))
    taken = index.given.union(*index.setters.values())
    index.results |= {name: node for name, node in index.phases.items() if name not in taken}
    index.results |= index.ids
    for name in (*index.results, *index.given):
        if "-" in name:
            index.hyphenated.add(name)
    index.bound_names = BoundNames(index.hyphenated)
    return index


def _register(index: Index, position: Position, node: Node) -> None:
    index.positions[node.key] = position
    if node.id is not None:
        index.ids.setdefault(node.id, node)
    if isinstance(node, PhaseNode):
        index.phases.setdefault(node.name, node)
    index.hyphenated.update(name for name in names_in(node).values() if "-" in name)
    for setting in variables_of(node):
        name = word_of(setting)
        setters = index.setters[position.level.forks[-1]]
        setters[name] = min(node.key, setters.get(name, node.key))
        if "-" in name:
            index.hyphenated.add(name)


def _levels_in(position: Position, node: Node) -> Iterator[Level]:
    """The levels of a node's bodies."""
    element = element_of(node)
    looped, fork = element.scope == "rounds", element.scope == "apart"
    names = element.binds.union(names_in(node).values())
    for body in node.bodies:
        yield _inner_level(body, position, "body", names, looped=looped, fork=fork)
    if node.compensate is not None:
        yield _inner_level(node.compensate, position, "compensate", _ERROR_NAMES)


def names_in(node: BaseNode) -> dict[str, str]:
    """The names that a node binds in its bodies, by the settings that say them: the item of a foreach."""
    settings = node.settings
    return {key: word_of(settings.get(key), word) for key, word in element_of(node).names}


def _inner_level(
    body: Body,
    outer: Position,
    role: Role,
    names: frozenset[str],
    *,
    looped: bool = False,
    fork: bool = False,
) -> Level:
    around = outer.level
    return Level(
        body,
        outer,
        around.depth + 1,
        role,
        names if names >= around.names else around.names | names,
        looped or around.looped,
        (*around.forks, body.key) if fork else around.forks,
    )
