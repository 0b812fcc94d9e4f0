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

MOST = 200
"""Names of limits in a workflow, with all that it runs: each two of them may be held and needed."""


def limits_of(
    document: Document,
    main: CompiledBody,
    on_error: CompiledBody | None,
    bodies: Mapping[int, CompiledBody],
    linked: Mapping[int, Program],
) -> LimitUse | None:
    """What a program does with limits; None where neither it nor what it runs knows any."""
    inner = [program.limits for program in linked.values() if program.limits is not None]
    named = {name for body in bodies.values() for step in body.steps for name in step.limits}
    if not named and not inner and not document.limits:
        return None
    declared = {one.name: one for use in reversed(inner) for one in use.declared.values()}
    declared |= {one.name: one for one in document.limits if one.rules}
    named.update(*(use.needs for use in inner))
    if len(named) > MOST:
        return LimitUse(declared, names=len(named))
    walk = _Walk(bodies)
    walk.body(main, NOTHING)
    if on_error is not None:
        walk.body(on_error, NOTHING)
    return LimitUse(
        declared,
        walk.needs,
        walk.together,
        walk.held,
        walk.blocks,
        walk.tokens,
        walk.leaf,
        len(named),
    )


class _Around:
    """What is held around a node: each limit with the outermost node that holds it."""

    __slots__ = ("key", "sites")

    def __init__(self, sites: Mapping[str, Site]) -> None:
        self.sites: Mapping[str, Site] = sites
        self.key: frozenset[str] = frozenset(sites)

    def and_in(self, names: Sequence[str], site: Site) -> _Around:
        """What is held in a node that holds these as well."""
        more = {name: site for name in names if name not in self.sites}
        return _Around({**self.sites, **more}) if more else self


NOTHING = _Around({})


@dataclass(slots=True, eq=False)
class _Walk:
    """Follows every way through a program, with what is held on it.

    Nothing is looked at twice with the same things held: there is a pair for each two limits, but not for each
    two nodes.
    """

    bodies: Mapping[int, CompiledBody]
    needs: dict[str, Chain] = field(default_factory=dict)
    together: dict[tuple[str, ...], Chain] = field(default_factory=dict)
    held: dict[tuple[str, str], Chain] = field(default_factory=dict)
    blocks: dict[str, Chain] = field(default_factory=dict)
    tokens: dict[str, Chain] = field(default_factory=dict)
    leaf: Chain | None = None
    _seen: set[tuple[int, frozenset[str]]] = field(default_factory=set)
    _leaves: set[frozenset[str]] = field(default_factory=set)
    _inside: dict[str, set[str]] = field(default_factory=dict)
    """By what is held what is needed inside, as in ``held``."""

    def body(self, body: CompiledBody, around: _Around) -> None:
        for step in body.steps:
            self.step(step, around)
        if body.cleanup is not None:
            self.body(body.cleanup, around)

    def step(self, step: Step, around: _Around) -> None:
        if not self._is_new(step.key, around):
            return
        site = Site(step.label, step.node.tag, step.location)
        inside = around
        if step.limits:
            self.together.setdefault(step.limits, (site,))
            for name in step.limits:
                self.needs.setdefault(name, (site,))
                if step.is_block:
                    self.blocks.setdefault(name, (site,))
            self._need(dict.fromkeys(step.limits, (site,)), around)
            inside = around.and_in(step.limits, site)
        if not step.is_control:
            self._take_token((site,), inside)
        for body in step.node.bodies:
            self.body(self.bodies[body.key], inside)
        if step.linked is not None and step.linked.limits is not None:
            self._run(step.linked, step.linked.limits, site, inside)
        elif step.linked is not None:
            self._take_token((site,), inside)
        if step.on_timeout is not None:
            self.step(step.on_timeout, inside)
        if step.fallback is not None:  # the attempt has given back what it held
            self.step(step.fallback, around)
        if step.compensate is not None:
            self.body(self.bodies[step.compensate], around)

    def _is_new(self, key: int, around: _Around) -> bool:
        way = key, around.key
        if way in self._seen:
            return False
        self._seen.add(way)
        return True

    def _run(self, program: Program, use: LimitUse, site: Site, around: _Around) -> None:
        """What a document does that a node runs, with what is held around the node."""
        if not self._is_new(-id(program), around):
            return
        needs = {name: (site, *chain) for name, chain in use.needs.items()}
        for name, chain in needs.items():
            self.needs.setdefault(name, chain)
        self._need(needs, around)
        if use.leaf is not None:
            self._take_token((site, *use.leaf), around)
        if around is not NOTHING and not self._is_new(-id(program), NOTHING):
            return
        _add(self.together, use.together, site)
        _add(self.blocks, use.blocks, site)
        _add(self.tokens, use.tokens, site)
        for pair, chain in use.held.items():
            self.held.setdefault(pair, chain)

    def _need(self, chains: Mapping[str, Chain], around: _Around) -> None:
        for held, site in around.sites.items():
            known = self._inside.setdefault(held, set())
            for name in chains.keys() - known:
                known.add(name)
                self.held.setdefault((held, name), _from(site, chains[name]))

    def _take_token(self, chain: Chain, around: _Around) -> None:
        if self.leaf is None:
            self.leaf = chain
        if around.key in self._leaves:
            return
        self._leaves.add(around.key)
        for held, site in around.sites.items():
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
    if use.names > MOST:
        message = (
            f"the workflow names {use.names:,} limits, and more than {MOST} cannot be compared"
        )
        expected = "limits for what is shared, not for each node"
        problems.append(_at(document, document.body.location, "too-many-limits", message, expected))
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
    seen: set[int] = set()  # one warning for each document, however often it is run
    for step in (step for body in program.bodies.values() for step in body.steps):
        if step.linked is None or id(step.linked) in seen:
            continue
        seen.add(id(step.linked))
        inner = step.linked.limits
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
