"""Owns the rules of scope: what a name at a place means, and what its node then depends on.

The rules, in the words of the language (its section on order and scope):

1. "a block sees what its own place may see, and its own nodes" (:func:`relate`, ``INSIDE``: only once its
   body has run). "The nodes of a finished block are visible after it."
2. In a graph body a node depends on "every node that its expressions name […]. A name inside the node
   itself is not a dependency; what a block's nodes name outside it is a dependency of the block; naming a
   node that is inside a sibling block is a dependency on that block" (``BESIDE``).
3. In a sequence "naming a later node of it is an error, except inside ``<loop>`` and ``<while>``: there it
   is that node's output of the round before" (``LATER``).
4. "Two branches of one ``<parallel>`` never see each other" (``SIBLING``).
5. "An unknown name is an error when the document is read, with the nearest known name. The ``$`` names are
   always known: where one has no value […] it is null, with a warning."
6. A handler "runs in the scope of the node that names it […], and what it depends on is a dependency of
   that node": its names are judged from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto

from ..expression import SPECIAL_NAMES
from ..language.elements import element_of
from ..language.synonyms import output_instead, special_instead
from ..types.errors import nearest
from ..types.findings import Findings
from .handlers import Handlers
from .members import Inherited, Members, member_of
from .positions import Index, Level, Position, contains
from .slips import quoted
from .texts import Use

ALWAYS = frozenset({"$input", "$config", "$secrets", "$env", "$context", "$run"})
"""The ``$`` names that have a value everywhere."""

EVERY = "*"
"""Stands for all variables among those that are read."""

MOST_COMPARISONS = 20_000
"""How many names are compared with unknown ones in one document, to find the nearest."""

_WANTED = {
    "name": "the id of a node, a variable, or {} where it is text",
    "node": "the id of a node",
}

Depend = Callable[[Level, int, int, str], None]
"""Told that in a graph body the node of the first index depends on that of the second, and why."""


class Relation(Enum):
    """Where a named node is, seen from the place that names it."""

    EARLIER = auto()
    LATER = auto()
    BESIDE = auto()
    """Another node of the same graph body, or inside one."""
    SELF = auto()
    INSIDE = auto()
    AROUND = auto()
    SIBLING = auto()
    """In another branch of a parallel around both."""
    OTHER_SIDE = auto()
    """In another side of an if or branch around both, of which only one runs."""


def relate(position: Position, target: Position) -> tuple[Relation, Position, Position]:
    """How ``target`` relates to ``place``, and the places of both in the innermost body around both."""
    below = target_below = None
    while position.level is not target.level:
        depth, target_depth = position.level.depth, target.level.depth
        if depth >= target_depth:
            below, position = position.level, _outer(position)
        if target_depth >= depth:
            target_below, target = target.level, _outer(target)
    if position.index != target.index:
        return _relate_in_body(position, target), position, target
    if below is None:
        relation = Relation.SELF if target_below is None else Relation.INSIDE
    elif below.role != "body":
        relation = Relation.EARLIER
    elif target_below is None:
        relation = Relation.AROUND
    elif target_below.role != "body":
        relation = Relation.LATER
    else:
        apart = position.node is not None and element_of(position.node).scope == "apart"
        relation = Relation.SIBLING if apart else Relation.OTHER_SIDE
    return relation, position, target


def _relate_in_body(position: Position, target: Position) -> Relation:
    """For two places of one body; before its first node and after its last no node depends on another."""
    nodes = len(position.level.body.nodes)
    if position.level.is_graph and 0 <= position.index < nodes and target.index < nodes:
        return Relation.BESIDE
    return Relation.EARLIER if target.index < position.index else Relation.LATER


def _outer(position: Position) -> Position:
    assert position.level.outer is not None, "all places are in the document's body"
    return position.level.outer


class Names:
    """Judges the names that a document uses. ``reads`` collects the variables that are read, and where.

    The name ``*`` stands for all variables (a bare ``$context``).
    """

    def __init__(
        self,
        index: Index,
        handlers: Handlers,
        findings: Findings,
        depend: Depend,
        inherited: Inherited,
    ) -> None:
        self.members: Members = Members(index.document, inherited, findings, self._nearest)
        self.reads: list[tuple[Position, str]] = []
        self._index = index
        self._handlers = handlers
        self._findings = findings
        self._depend = depend
        self._comparisons = 0

    def resolve(self, use: Use) -> None:
        """Judge one use of a name: a problem, a dependency, or nothing."""
        name = use.reference.name
        bound = use.visible.bound
        if use.how != "after" and (name in bound or name in use.visible.position.level.names):
            return
        target = self._index.place_of(name) if use.how != "expression" else self._node(name)
        if target is not None:
            self._judge(use, target)
        elif use.how == "after":
            self._report_unknown(use, [*self._index.ids, *self._index.phases])
        else:
            if name == "$context":
                self.reads.append((use.visible.position, member_of(use) or EVERY))
            elif name in ALWAYS:
                self.members.judge(use)
            for position in self.effective(use.visible.position):
                self._judge_other(use, position)

    def effective(self, position: Position) -> Iterator[Position]:
        """The places from which a name at ``place`` is judged: of a handler, those of its users."""
        handler = self._handlers.around(position)
        if handler is None:
            yield position
            return
        seen: set[int] = set()
        pending = [handler]
        while pending:
            here = pending.pop()
            assert here.node is not None
            if here.node.key in seen:
                continue
            seen.add(here.node.key)
            for user in self._handlers.users_of(here):
                around = self._handlers.around(user)
                if around is None:
                    yield user
                else:
                    pending.append(around)

    def _node(self, name: str) -> Position | None:
        node = self._index.results.get(name)
        return None if node is None else self._index.positions[node.key]

    def _judge(self, use: Use, target: Position) -> None:
        """Judge the naming of a node."""
        position = use.visible.position
        handler = self._handlers.around(position)
        if handler is None or contains(handler, target):
            self._judge_from(use, position, target, False)
            return
        users = self._handlers.users_of(handler)
        if any(self._handlers.around(user) for user in users):
            users = list(self.effective(position))
        for user in users:
            self._judge_from(use, user, target, True)

    def _judge_from(self, use: Use, position: Position, target: Position, handling: bool) -> None:
        """Judge the naming of a node as seen from ``place``, which is that of its user in a handler."""
        relation, here, there = relate(position, target)
        looped = here.level.looped
        match relation:
            case Relation.BESIDE:
                self._depend(here.level, here.index, there.index, _reason(use))
            case Relation.SELF if here.level.is_graph and not handling:
                self._depend(here.level, here.index, here.index, _reason(use))
            case Relation.EARLIER:
                pass
            case Relation.SIBLING:
                self._report(
                    use,
                    "sibling-branch",
                    "is in another branch, which is not seen here",
                    expected="a node of this branch, or one before the block; after the block all are seen",
                )
            case Relation.INSIDE if use.visible.after_body:
                pass
            case Relation.SELF | Relation.INSIDE if handling:
                pass
            case _ if looped:
                pass
            case Relation.LATER:
                self._report(
                    use,
                    "later-node",
                    "comes later, and has no output yet",
                    expected="a node that comes before this one",
                )
            case Relation.SELF:
                self._report(use, "own-node", "is this node itself, and has no output yet")
            case Relation.INSIDE:
                self._report(use, "own-node", "is inside this node, and has no output yet")
            case Relation.AROUND:
                self._report(use, "own-node", "is a block around this node, and has no output yet")
            case Relation.OTHER_SIDE:
                self._report(
                    use,
                    "no-value",
                    "never has a value here: only one of the two sides runs",
                    severity="warning",
                )

    def _judge_other(self, use: Use, position: Position) -> None:
        """Judge a name that does not belong to a node."""
        name = use.reference.name
        known = position.level.names
        handling = position is not use.visible.position
        if name == "$context":
            self._judge_variable(use, position)
            return
        if name in known or name in self._index.given or name == "input" or name in ALWAYS:
            return
        if (handling and name == "$error") or (name == "$attempt" and position.node is not None):
            return
        if name in SPECIAL_NAMES:
            self._report(use, "no-value", "has no value here: it is null", severity="warning")
            return
        first = self._first_setter(name, position)
        if first is None and self._comparisons > MOST_COMPARISONS:
            self._report_unknown(use, [])
            return
        if first is None:
            names = {*self._index.ids, *known, *self._variables(position), "input"}
            names |= {*use.visible.bound, *use.visible.words, *SPECIAL_NAMES}
            self._report_unknown(use, sorted(names))
            return
        self.reads.append((use.visible.position, name))
        self._judge_time(use, position, first)

    def _judge_variable(self, use: Use, position: Position) -> None:
        """Judge a member of ``$context``, which has the variables that can be seen."""
        name = member_of(use)
        if name is None or name in self._index.given:
            return
        first = self._first_setter(name, position)
        if first is None:
            self.members.report_unset(use, self._variables(position))
        else:
            self._judge_time(use, position, first)

    def _variables(self, position: Position) -> set[str]:
        """The variables that can be seen at a place, and what the document is run with."""
        setters = (self._index.setters.get(fork, ()) for fork in position.level.forks)
        return set(self._index.given).union(*setters)

    def _judge_time(self, use: Use, position: Position, first: int) -> None:
        """Judge the naming of a variable whose first setter is the node of the key ``first``."""
        here = position.node.key if position.node is not None else None
        if here is not None and first >= here and not position.level.looped:
            self._report(
                use,
                "no-value",
                "is only set later: it is null here",
                severity="warning",
                expected="a node before this one that sets it",
            )

    def _first_setter(self, name: str, position: Position) -> int | None:
        """The key of the first node that sets a variable which can be seen at a place."""
        setters = self._index.setters
        keys = [
            setters[fork][name] for fork in position.level.forks if name in setters.get(fork, ())
        ]
        return min(keys, default=None)

    def _report_unknown(self, use: Use, known: list[str]) -> None:
        name = use.reference.name
        what = "name" if use.how == "expression" else "node"
        instead = output_instead(name)
        bare = name.strip("{} ").partition(".")[0]  # more than after="…" takes
        if what == "node" and bare in self._index.results:
            instead = bare
        near = special_instead(name) or (None if instead else self._nearest(name, known))
        if near is not None and near.startswith("$") and near[1:] != name and name[0] != "$":
            near = None  # fast is not $last
        self._findings.in_text(
            use.text,
            use.reference.offset,
            len(name),
            f"unknown-{what}",
            f"there is no {what} {name!r}" + (" here" if what == "name" else ""),
            expected=instead or (None if near else _wanted(what, name, use.visible.words)),
            suggestion=near,
        )

    def _nearest(self, name: str, known: list[str]) -> str | None:
        """The nearest known name. Looking for it costs time for each known name, so there is a bound."""
        self._comparisons += len(known)
        if self._comparisons > MOST_COMPARISONS:
            return None
        if not name.startswith("$"):
            return nearest(name, known)
        if name[1:] in known:
            return name[1:]
        near = nearest(name[1:], [one[1:] for one in known if one.startswith("$")])
        return None if near is None else f"${near}"

    def _report(self, use: Use, code: str, message: str, **details: str) -> None:
        name = use.reference.name
        member = member_of(use) if name == "$context" else None
        shown = name if member is None else f"{name}.{member}"
        self._findings.in_text(
            use.text, use.reference.offset, len(name), code, f"{shown!r} {message}", **details
        )


def _wanted(what: str, name: str, words: Sequence[str]) -> str:
    """What can take the place of an unknown name; ``words`` are what a setting can be besides an expression."""
    if words:
        return f"one of {', '.join(words)}, or an expression"
    return _WANTED[what].format(quoted(name))


def _reason(use: Use) -> str:
    return use.how if use.how != "expression" else "an expression"
