"""Owns what the nodes of a program hold while others inside them need something: found before it runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from ..scheduler.dag import find_cycle
from ..types.ast import Document
from ..types.deferred import dataclass
from ..types.errors import Problem, problem_at
from ..types.location import Location
from .compiled import CompiledBody, Program, Step
from .limit_use import Chain, LimitUse, Site

T = TypeVar("T")


def limits_of(
    document: Document,
    main: CompiledBody,
    on_error: CompiledBody | None,
    bodies: Mapping[int, CompiledBody],
    linked: Mapping[int, Program],
) -> LimitUse | None:
    """What a program does with limits; None where neither it nor what it runs knows any."""
    used = any(step.limits for body in bodies.values() for step in body.steps)
    inner = [program.limits for program in linked.values() if program.limits is not None]
    if not used and not inner and not document.limits:
        return None
    walk = _Walk(bodies)
    walk.body(main, ())
    if on_error is not None:
        walk.body(on_error, ())
    declared = {one.name: one for use in reversed(inner) for one in use.declared.values()}
    declared |= {one.name: one for one in document.limits if one.rules}
    return LimitUse(
        declared, walk.needs, walk.together, walk.held, walk.blocks, walk.tokens, walk.leaf
    )


@dataclass(slots=True, eq=False)
class _Walk:
    """Follows every way through a program, with what is held on it."""

    bodies: Mapping[int, CompiledBody]
    needs: dict[str, Chain] = field(default_factory=dict)
    together: dict[tuple[str, ...], Chain] = field(default_factory=dict)
    held: dict[tuple[str, str], Chain] = field(default_factory=dict)
    blocks: dict[str, Chain] = field(default_factory=dict)
    tokens: dict[str, Chain] = field(default_factory=dict)
    leaf: Chain | None = None
    _seen: set[tuple[int, frozenset[str]]] = field(default_factory=set)

    def body(self, body: CompiledBody, around: Sequence[tuple[str, Site]]) -> None:
        for step in body.steps:
            self.step(step, around)
        if body.cleanup is not None:
            self.body(body.cleanup, around)

    def step(self, step: Step, around: Sequence[tuple[str, Site]]) -> None:
        way = step.key, frozenset(name for name, _ in around)
        if way in self._seen:
            return
        self._seen.add(way)
        site = Site(step.label, step.node.tag, step.location)
        if step.limits:
            self.together.setdefault(step.limits, (site,))
            for name in step.limits:
                self._need(name, (site,), around)
                if step.is_block:
                    self.blocks.setdefault(name, (site,))
        inside = [*around, *((name, site) for name in step.limits)]
        if not step.is_control:
            self._take_token((site,), inside)
        for body in step.node.bodies:
            self.body(self.bodies[body.key], inside)
        if step.linked is not None and step.linked.limits is not None:
            self._run(step.linked.limits, site, inside)
        elif step.linked is not None:
            self._take_token((site,), inside)
        if step.on_timeout is not None:
            self.step(step.on_timeout, inside)
        if step.fallback is not None:  # the attempt has given back what it held
            self.step(step.fallback, around)
        if step.compensate is not None:
            self.body(self.bodies[step.compensate], around)

    def _run(self, use: LimitUse, site: Site, around: Sequence[tuple[str, Site]]) -> None:
        """What a document does that a node runs, with what is held around the node."""
        for name, chain in use.needs.items():
            self._need(name, (site, *chain), around)
        if use.leaf is not None:
            self._take_token((site, *use.leaf), around)
        _add(self.together, use.together, site)
        _add(self.blocks, use.blocks, site)
        _add(self.tokens, use.tokens, site)
        for pair, chain in use.held.items():
            self.held.setdefault(pair, chain)

    def _need(self, name: str, chain: Chain, around: Sequence[tuple[str, Site]]) -> None:
        self.needs.setdefault(name, chain)
        for held, site in around:
            self.held.setdefault((held, name), _from(site, chain))

    def _take_token(self, chain: Chain, around: Sequence[tuple[str, Site]]) -> None:
        if self.leaf is None:
            self.leaf = chain
        for held, site in around:
            self.tokens.setdefault(held, _from(site, chain))


def _from(site: Site, chain: Chain) -> Chain:
    return chain if chain[0] is site else (site, *chain)


def _add(mine: dict[T, Chain], theirs: Mapping[T, Chain], site: Site) -> None:
    for key, chain in theirs.items():
        mine.setdefault(key, (site, *chain))


# ---- what is wrong with it ----


def describe_cycle(names: Sequence[str], chains: Sequence[Chain]) -> str:
    """What could happen along a cycle of limits, with the places of each step; what has none is another run's."""
    steps = []
    for at, (name, chain) in enumerate(zip(names, chains, strict=True)):
        needed = names[(at + 1) % len(names)]
        way = f"inside: {' → '.join(map(str, chain))}" if chain else "by another run"
        steps.append(f"{name!r} is held while {needed!r} is needed {way}")
    return "; ".join(steps)


def problems_of(program: Program) -> list[Problem]:
    """What is wrong with the limits of a program as a whole; what is wrong with a part of it was found there."""
    use, document = program.limits, program.document
    if use is None:
        return []
    problems = _other_declarations(program, use)
    for name, chain in use.blocks.items():
        declared = use.declared.get(name)
        if declared is not None and declared.rate is not None:
            message = (
                f"{chain[-1]} is a block, and the limit {name!r} is a rate, which nobody can hold"
            )
            expected = "a limit with max alone on a block, and the rate on the nodes in it"
            problems.append(_at(document, chain[0].location, "rate-on-block", message, expected))
    blocking = {
        pair: chain
        for pair, chain in use.held.items()
        if not any(name in use.declared and use.declared[name].max is None for name in pair)
    }
    cycle = find_cycle(blocking)
    if cycle is not None:
        chains = [blocking[pair] for pair in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]
        own = [chain[0] for chain in chains if chain[0].location.file == document.file]
        message = "nodes could wait for each other without end: " + describe_cycle(cycle, chains)
        expected = (
            "the limit on the nodes inside, or on the block, but not on both; or one order for all"
        )
        place = own[0].location if own else document.body.location
        problems.append(_at(document, place, "limit-cycle", message, expected))
    return problems


def _other_declarations(program: Program, use: LimitUse) -> list[Problem]:
    """Warns of documents that declare a limit otherwise than the declaration that counts."""
    document = program.document
    problems = []
    for step in (step for body in program.bodies.values() for step in body.steps):
        inner = None if step.linked is None else step.linked.limits
        for other in () if inner is None else inner.declared.values():
            counts = use.declared[other.name]
            if other.rules != counts.rules:
                message = (
                    f"the limit {other.name!r} is declared otherwise at {other.location}; "
                    f"in this workflow the declaration at {counts.location} counts"
                )
                problems.append(_at(document, step.location, "limit-differs", message, None, True))
    return problems


def _at(
    document: Document,
    location: Location,
    code: str,
    message: str,
    expected: str | None,
    is_warning: bool = False,
) -> Problem:
    source = document.source
    if location.file != source.file:
        location = document.body.location
    offset = source.offset(location.line) + location.column - 1
    severity = "warning" if is_warning else "error"
    return problem_at(source, offset, code, message, expected=expected, severity=severity)
