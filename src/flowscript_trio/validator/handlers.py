"""Owns which nodes are handlers, and in whose scope each of them runs.

"A node that is only named by ``<fallback node>`` or ``on-timeout`` is a handler: it does not run by itself
[…]. It may be anywhere in its user's body or in one around it. It runs in the scope of the node that
names it, once per use, and what it depends on is a dependency of that node."
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..types.ast import Setting
from ..types.errors import nearest
from ..types.findings import Findings
from .chains import report_chains
from .positions import Index, Level, Position, contains, word_of
from .texts import Use

_NONE: frozenset[int] = frozenset()


class Handlers:
    """The handlers of a document by their keys, each with the places of the nodes that name it."""

    def __init__(self, users: dict[int, list[Position]]) -> None:
        self._users = users

    def __contains__(self, key: int) -> bool:
        return key in self._users

    def in_level(self, level: Level) -> frozenset[int]:
        """The indices of the handlers in a body."""
        if not self._users:
            return _NONE
        nodes = level.body.nodes
        return frozenset(at for at, node in enumerate(nodes) if node.key in self._users)

    def around(self, position: Position | None) -> Position | None:
        """The innermost handler that is at ``place`` or has it inside."""
        while self._users and position is not None:
            if position.node is not None and position.node.key in self._users:
                return position
            position = position.level.outer
        return None

    def users_of(self, handler: Position) -> list[Position]:
        """The places of the nodes that name a handler."""
        assert handler.node is not None
        return self._users[handler.node.key]

    def outwards(self, position: Position) -> Iterator[Position]:
        """The place and those around it, as a run sees them: around a handler are its users."""
        seen: set[int] = set()
        around: set[Position] = set()  # the users of a handler mostly are in the same bodies
        pending: list[Position | None] = [position]
        while pending:
            here = pending.pop()
            while here is not None and here not in around:
                around.add(here)
                if here.node is not None and here.node.key in self._users:
                    if here.node.key not in seen:
                        seen.add(here.node.key)
                        pending.extend(self.users_of(here))
                    break
                yield here
                here = here.level.outer


def find_handlers(
    index: Index,
    named: Sequence[tuple[Position, Setting]],
    uses: Iterable[Use],
    targets: Iterable[str],
    findings: Findings,
) -> Handlers:
    """The handlers of a document; what is wrong with those that are named goes to the findings.

    ``named`` are the settings that name them with the places of their nodes. A node that something else
    names (one of the ``uses`` outside of it, or a ``goto`` in ``targets``) is an ordinary node, that also
    stands in for another.
    """
    users: dict[int, list[Position]] = {}
    pairs: list[tuple[Position, Position]] = []
    for position, setting in named:
        handler = _find(index, position, setting, findings)
        if handler is not None and handler.node is not None:
            users.setdefault(handler.node.key, []).append(position)
            pairs.append((position, handler))
    for key in report_chains(index, pairs, findings):
        del users[key]
    if users:
        for use in uses:
            target = index.place_of(use.reference.name)
            if target is not None:
                _unmark(users, target, use.visible.position)
        for name in targets:
            target = index.place_of(name)
            if target is not None:
                _unmark(users, target, None)
    return Handlers(users)


def _find(
    index: Index, position: Position, setting: Setting, findings: Findings
) -> Position | None:
    """The handler that a setting names, or None where it may not be one."""
    name = word_of(setting)
    target = index.place_of(name)
    if target is None:
        findings.at_value(
            setting,
            "unknown-handler",
            f"there is no node {name!r}",
            expected="the id of a node",
            suggestion=nearest(name, index.ids),
        )
        return None
    if contains(target, position):
        findings.at_value(
            setting,
            "misplaced-handler",
            f"{name!r} cannot handle its own failure",
            expected="another node of the same body, or of one around it",
        )
        return None
    around: Position | None = position
    while around is not None and around.level is not target.level:
        around = around.level.outer
    if around is None:
        findings.at_value(
            setting,
            "misplaced-handler",
            f"{name!r} is in another body, which is out of reach here",
            expected="a node of the same body, or of one around it",
        )
        return None
    return target


def _unmark(users: dict[int, list[Position]], target: Position, source: Position | None) -> None:
    """Make ordinary what is named at ``source`` from outside of it: the target and what is around it."""
    position: Position | None = target
    while position is not None:
        node = position.node
        if (
            node is not None
            and node.key in users
            and (source is None or not contains(position, source))
        ):
            del users[node.key]
        position = position.level.outer
