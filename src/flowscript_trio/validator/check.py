"""Owns the check of a whole document: every problem at once, and all that running it needs."""

from __future__ import annotations

from collections.abc import Collection

from ..language.elements import element_of
from ..runtimes.registry import Registry
from ..scheduler.plan import plan_walk
from ..types.ast import CheckpointNode, Document
from ..types.findings import Findings
from .checked import Checked, CheckedBody, Scene
from .elements import ElementChecks
from .handlers import Handlers, find_handlers
from .members import Inherited
from .names import Names
from .naming import check_names
from .nodes import NodeBinder
from .placing import check_places, places_of_bodies
from .positions import BEFORE, Index, Level, Position, locate, name_of, word_of
from .streams import check_streams
from .texts import Compiler
from .values import BoundSettings
from .variables import depend_on_variables
from .waits import Waits, depend_on_barriers, report_cycles


def check(
    document: Document,
    registry: Registry,
    *,
    given: Collection[str] = (),
    inherited: Inherited = Inherited(),  # noqa: B008
) -> Checked:
    """Check a document against a registry and bind everything in it.

    ``given`` are the names that whoever runs it binds to values (arguments, binds), besides the parameters
    that it declares itself; ``inherited`` are the members that it has from those that include it.
    Nothing is raised for what is wrong: see ``problems``. The time it takes is linear in the document.
    """
    index = locate(document, given)
    findings = Findings(document.source)
    compiler = Compiler(index, findings)
    binder = NodeBinder(index, registry, compiler, findings)
    nodes = {
        key: binder.bind(position.node, position)
        for key, position in index.positions.items()
        if position.node is not None
    }
    settings = {
        key: binder.bind_body(level.body, level.outer) for key, level in index.levels.items()
    }
    root = index.levels[document.body.key]
    own = binder.bind_document(document, Position(root, BEFORE, None))
    handlers = find_handlers(
        index, binder.named_handlers, compiler.uses, _goto_targets(index), findings
    )
    waits = Waits()
    names = Names(index, handlers, findings, waits.depend, inherited)
    for use in compiler.uses:
        names.resolve(use)
    depend_on_variables(index, handlers, names.reads, waits.depend)
    depend_on_barriers(index, handlers, waits)
    report_cycles(index, waits, findings)
    check_names(index, findings)
    ElementChecks(index, handlers, nodes, waits, findings).check()
    check_streams(index, handlers, nodes, compiler.uses, findings)
    placed = places_of_bodies(index, nodes, settings)
    check_places(index, nodes, placed, findings)
    bodies = _check_bodies(index, handlers, waits, settings, placed)
    declared = inherited.over(document)
    scene = Scene(index, handlers, nodes, bodies, compiler.noted, declared)
    wanted = tuple(names.members.wanted)
    return Checked(document, findings.in_order(), scene, nodes, bodies, *own, wanted)


def _goto_targets(index: Index) -> list[str]:
    """The ids that actions of checkpoints go on at."""
    return [
        word_of(part.settings.get("goto"))
        for position in index.positions.values()
        if isinstance(position.node, CheckpointNode)
        for part in position.node.actions
    ]


def _check_bodies(
    index: Index,
    handlers: Handlers,
    waits: Waits,
    settings: dict[int, BoundSettings | None],
    placed: dict[int, str],
) -> dict[int, CheckedBody]:
    inner = _collect_names(index)
    bodies = {}
    for key, level in index.levels.items():
        passed_over = handlers.in_level(level)
        nodes = level.body.nodes
        running = [at for at in range(len(nodes)) if at not in passed_over]
        giving = [at for at in running if not element_of(nodes[at]).passes_on] or running
        awaited: tuple[tuple[int, ...], ...] = ()
        if level.is_graph:
            awaited = tuple(tuple(sorted(others)) for others in waits.of(level))
        bodies[key] = CheckedBody(
            level.body,
            settings[key],
            passed_over,
            awaited,
            plan_walk(awaited, passed_over) if level.is_graph else None,
            frozenset(giving),
            tuple(inner[key]),
            placed.get(key),
        )
    return bodies


def _collect_names(index: Index) -> dict[int, list[str]]:
    """For each body the names of the results at any depth in it, in document order."""
    inner: dict[int, list[str]] = {key: [] for key in index.levels}
    for position in sorted(index.positions.values(), key=_key_of):
        name = None if position.node is None else name_of(position.node)
        level: Level | None = position.level
        while name is not None and level is not None:
            inner[level.body.key].append(name)
            level = None if level.outer is None else level.outer.level
    return inner


def _key_of(position: Position) -> int:
    return -1 if position.node is None else position.node.key
