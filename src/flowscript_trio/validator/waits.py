"""Owns what each node of a graph body waits for, and the report of nodes that wait for each other."""

from __future__ import annotations

from ..language.elements import element_of
from ..scheduler.dag import find_cycles
from ..types.findings import Findings
from .handlers import Handlers
from .positions import Index, Level


class Waits:
    """The dependencies of graph bodies: for each node, by index, the others with the reason for each."""

    def __init__(self) -> None:
        self._by_body: dict[int, list[dict[int, str]]] = {}

    def depend(self, level: Level, index: int, other: int, reason: str) -> None:
        """In that body, the node at ``index`` waits for the one at ``other``."""
        self.of(level)[index].setdefault(other, reason)

    def of(self, level: Level) -> list[dict[int, str]]:
        """What the nodes of a body wait for."""
        key = level.body.key
        found = self._by_body.get(key)
        if found is None:
            found = self._by_body[key] = [{} for _ in level.body.nodes]
        return found


def depend_on_barriers(index: Index, handlers: Handlers, waits: Waits) -> None:
    """Phases and checkpoints "start when all earlier siblings have ended, and later siblings start when
    they have"; so does whatever may end the document. A node waits for the last barrier before it only: what
    came before that has ended by then.
    """
    leaving = {
        here.node.key
        for position in index.positions.values()
        if position.node is not None and element_of(position.node).leaves == "document"
        for here in handlers.outwards(position)
        if here.node is not None
    }
    for level in index.levels.values():
        if not level.is_graph:
            continue
        passed_over = handlers.in_level(level)
        barrier: int | None = None
        since: list[int] = []
        for at, node in enumerate(level.body.nodes):
            if at in passed_over:
                continue
            if barrier is not None:
                waits.depend(level, at, barrier, "a barrier")
            if element_of(node).is_barrier or node.key in leaving:
                for other in since:
                    waits.depend(level, at, other, "a barrier")
                barrier, since = at, []
            else:
                since.append(at)


def report_cycles(index: Index, waits: Waits, findings: Findings) -> None:
    """Report each knot of nodes that wait for each other once, at its first node."""
    for level in index.levels.values():
        if not level.is_graph:
            continue
        nodes = level.body.nodes
        awaited = waits.of(level)
        for cycle in find_cycles(awaited):
            steps = [nodes[cycle[0]].label]
            for here, there in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
                steps.append(f"{nodes[there].label} ({awaited[here][there]})")
            if len(steps) > 12:
                steps = [*steps[:6], f"… {len(steps) - 11} more …", *steps[-5:]]
            what = (
                "this node waits for itself"
                if len(cycle) == 1
                else "these nodes wait for each other"
            )
            findings.at_element(nodes[cycle[0]], "cycle", f"{what}: {' → '.join(steps)}")
