"""Owns what a program says of its places: what runs elsewhere, and what has to travel there with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..runtimes.control.runtime import ControlRuntime
from ..runtimes.placing import HERE
from ..runtimes.types import NodeRuntime
from ..runtimes.wrapping import innermost
from ..types.ast import BaseNode, Body, Document, IncludeNode, OnError, Part, Setting, Structure
from ..types.findings import Findings
from ..types.location import Text
from ..types.patterns import pattern
from ..types.services import SECRETS as AI_SECRETS
from ..validator import Checked
from .compiled import ALL_SECRETS, PlacedStep, Program, Step

_WORD = pattern(r"\$?[A-Za-z_][\w-]*")
_SECRET = pattern(r"\$secrets\s*(?:\.|\[\s*[\"'])\s*([A-Za-z_][\w-]*)")


def placed_in(checked: Checked, linked: Mapping[int, Program]) -> dict[int, PlacedStep]:
    """What runs at a place of its own: nodes and bodies, by their keys."""
    found = {}
    for key, node in checked.nodes.items():
        if node.place not in (None, HERE) and not node.node.bodies:
            found[key] = _placed(checked, linked, node.place or "", node.node)
    for key, body in checked.bodies.items():
        if body.place is not None:
            found[key] = _placed(checked, linked, body.place, body.body)
    return found


def check_travelling(program: Program, findings: Findings) -> None:
    """Report documents that name limits and would run elsewhere: limits are counted where the run is."""
    for placed in program.placed.values():
        for inner in placed.programs:
            if inner.limits is not None:
                findings.at_element(
                    placed.part,
                    "cannot-travel",
                    f"limits are counted where the run is, and the document {inner.document.name!r}, which has "
                    f"them, would run at {placed.place!r}",
                    expected="a document without limits, or the limit on what has the place",
                )
                break


def _placed(
    checked: Checked, linked: Mapping[int, Program], place: str, part: BaseNode | Body
) -> PlacedStep:
    nodes = list(_nodes_of(checked, part))
    programs = [
        each for node in nodes if node.key in linked for each in programs_of(linked[node.key])
    ]
    texts = [text for each in (part, *nodes) for text in _texts_in(each)]
    runtimes = {node.type: checked.nodes[node.key].runtime for node in nodes}
    names = {word for text in texts for found in _WORD.findall(text) for word in _readings(found)}
    secrets = {name for text in texts for name in _SECRET.findall(text)}
    if any(text.count("$secrets") > len(_SECRET.findall(text)) for text in texts):
        secrets.add(ALL_SECRETS)
    for program in programs:
        runtimes.update(program.runtimes)
        secrets |= {secret.name for secret in program.document.secrets}
    if "transform:ai" in runtimes:
        secrets.update(AI_SECRETS)
    if any(isinstance(node, IncludeNode) for node in nodes):
        names |= {"$config", "$env", "$run", "$secrets"}
    label = part.label if isinstance(part, BaseNode) else f"<{part.tag}>"
    return PlacedStep(
        place,
        label,
        part,
        tuple(programs),
        {name: found for name, found in runtimes.items() if found is not None and _travels(found)},
        frozenset(secrets),
        frozenset(names),
        any(checked.nodes[node.key].on_crash == "fail" for node in nodes)
        or any(step.on_crash == "fail" for each in programs for step in steps_in(each)),
    )


def _travels(runtime: NodeRuntime) -> bool:
    return not isinstance(innermost(runtime), ControlRuntime)


def _readings(word: str) -> Iterator[str]:
    """What a word may name: with hyphens in it, it may be a difference as well."""
    yield word
    if "-" in word:
        yield from word.split("-")


def programs_of(program: Program) -> list[Program]:
    """A program and those of all documents that it runs, each once, in an order that the documents give."""
    found: dict[int, Program] = {}
    pending = [program]
    while pending:
        each = pending.pop()
        if id(each) not in found:
            found[id(each)] = each
            pending += each.linked.values()
    return list(found.values())


def steps_in(program: Program) -> Iterator[Step]:
    """The steps of all bodies of a document, each with its handlers, which may come again."""
    for body in program.bodies.values():
        for step in body.steps:
            yield step
            yield from (each for each in (step.fallback, step.on_timeout) if each is not None)


def placed_nodes(program: Program) -> dict[int, PlacedStep]:
    """What is known about each placed part of a document and of those that it runs, by the id of the part."""
    return {id(step.part): step for each in programs_of(program) for step in each.placed.values()}


def _nodes_of(checked: Checked, part: BaseNode | Body) -> Iterator[BaseNode]:
    """The nodes that run with a node or a body: all in it at any depth, and their handlers."""
    pending: list[BaseNode] = [part] if isinstance(part, BaseNode) else list(_in_body(part))
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if node.key in seen:
            continue
        seen.add(node.key)
        yield node
        found = checked.nodes[node.key]
        if node is not part:  # those of the placed node itself run where the run is
            pending += [each for each in (found.fallback, found.on_timeout) if each is not None]
        pending += [each for body in node.bodies for each in _in_body(body)]


def _in_body(body: Body) -> tuple[BaseNode, ...]:
    return body.nodes if body.cleanup is None else (*body.nodes, *body.cleanup.nodes)


def _texts_in(root: BaseNode | Body | Document) -> Iterator[str]:
    """The texts of the settings of a node or a body, and of what is in it and is not a node."""
    pending: list[Any] = [value for name, value in vars(root).items() if name != "nodes"]
    while pending:
        found = pending.pop()
        if isinstance(found, Setting):
            pending.append(found.value)
        elif isinstance(found, Structure):
            pending.append(found.text)
        elif isinstance(found, Text):
            yield found.value
        elif isinstance(found, (Body, Part, OnError)):
            pending += [value for name, value in vars(found).items() if name != "nodes"]
        elif isinstance(found, Mapping):
            pending += found.values()
        elif isinstance(found, tuple):
            pending += found
