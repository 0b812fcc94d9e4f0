"""Owns the dependencies that variables make between the nodes of a graph body.

"A reader depends on the last setter before it, and a setter on the earlier readers and setters of that name;
a block that reads or sets at any depth counts, ``<context>`` sets, ``$context.x`` reads ``x``, and bare
``$context`` reads all." What a parallel branch or an iteration sets is its own, and does not count outside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .handlers import Handlers
from .names import EVERY, Depend
from .positions import Index, Level, Position, variables_of, word_of

EXACT = 20_000
"""Dependencies of bare ``$context`` in one body that are reported one by one.

They grow with the square of the nodes. Of more, one node waits for all before it, and what follows for that one.
"""
BETWEEN_FENCES = 2_000
"""How many are reported one by one from then on, before another node waits for all."""
FENCED = "the variables before it"


class _Access:
    """What one node of a graph body does with variables, at any depth."""

    __slots__ = ("reads", "sets")

    def __init__(self) -> None:
        self.reads: dict[str, None] = {}
        self.sets: dict[str, None] = {}


def depend_on_variables(
    index: Index, handlers: Handlers, reads: Iterable[tuple[Position, str]], depend: Depend
) -> None:
    """Tell ``depend`` of every dependency between nodes of one graph body that variables make."""
    accesses: dict[int, dict[int, _Access]] = defaultdict(lambda: defaultdict(_Access))
    # A handler is read once for each node that names it.
    for position, name in dict.fromkeys(reads):
        for here in handlers.outwards(position):
            if _is_in_graph(here):
                accesses[here.level.body.key][here.index].reads[name] = None
    for position in index.positions.values():
        if position.node is None:
            continue
        for setting in variables_of(position.node):
            _note_setter(accesses, handlers, position, word_of(setting))
    for key, by_index in accesses.items():
        _depend_in_level(index.levels[key], by_index, depend)


def _is_in_graph(position: Position) -> bool:
    return position.level.is_graph and position.node is not None


def _note_setter(
    accesses: dict[int, dict[int, _Access]], handlers: Handlers, position: Position, name: str
) -> None:
    """A setter counts as far out as its variable is seen."""
    fork = position.level.forks[-1]
    for here in handlers.outwards(position):
        if here.level.forks[-1] != fork:
            return
        if _is_in_graph(here):
            accesses[here.level.body.key][here.index].sets[name] = None


def _depend_in_level(level: Level, accesses: dict[int, _Access], depend: Depend) -> None:
    last: dict[str, int] = {}
    readers: dict[str, list[int]] = defaultdict(list)
    room = EXACT
    fence: int | None = None  # what waits for all that came before it
    since: list[int] = []
    for index in sorted(accesses):
        access = accesses[index]
        if fence is not None:
            depend(level, index, fence, FENCED)
        reads_all = EVERY in access.reads
        room -= len(last) if reads_all else 0
        room -= len(readers[EVERY]) * len(access.sets)
        if room < 0:
            for other in since:
                depend(level, index, other, FENCED)
            last.clear()
            readers.clear()
            since.clear()
            fence, room = index, BETWEEN_FENCES
        since.append(index)
        names = list(last) if reads_all else access.reads
        for name in names:
            if name in last:
                depend(level, index, last[name], f"the variable {name!r}")
        for name in access.reads:
            readers[name].append(index)
        for name in access.sets:
            before = last.get(name, -1)
            earlier = [*readers.pop(name, ()), *(at for at in readers[EVERY] if at > before)]
            for other in (before, *earlier):
                if 0 <= other < index:
                    depend(level, index, other, f"the variable {name!r}")
            last[name] = index
