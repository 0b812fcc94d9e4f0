"""Owns whether a changed document still has what a run had begun in its document: which nodes, and where."""

from __future__ import annotations

from collections.abc import Iterable

from ...program.compiled import CompiledBody, Program, Step
from ...types.errors import InputError, nearest
from ...types.paths import parse

Places = dict[tuple[str, str], str]
"""The type of a node, by the label of the node that it is in (empty at the top) and its own."""


def places_in(program: Program) -> Places:
    """Where the nodes of a program are, and of the documents that it runs."""
    found: Places = {}
    seen: set[tuple[int, str]] = set()
    pending: list[tuple[Program, CompiledBody | None, str]] = [
        (program, program.main, ""),
        (program, program.on_error, ""),
    ]
    while pending:
        inside, body, parent = pending.pop()
        if body is None or (id(body), parent) in seen:
            continue
        seen.add((id(body), parent))
        pending.append((inside, body.cleanup, parent))
        for step in body.steps:
            for each, around in _with_handlers(step, parent):
                found[around, each.label] = each.node.type
                pending += [
                    (inside, inside.bodies.get(part.key), each.label) for part in each.node.bodies
                ]
                if each.compensate is not None:
                    pending.append((inside, inside.bodies[each.compensate], each.label))
                if each.linked is not None:
                    pending.append((each.linked, each.linked.main, each.label))
                    pending.append((each.linked, each.linked.on_error, each.label))
    return found


def _with_handlers(step: Step, parent: str) -> Iterable[tuple[Step, str]]:
    pending, seen = [(step, parent)], set()
    while pending:
        each, around = pending.pop()
        if (id(each), around) not in seen:
            seen.add((id(each), around))
            yield each, around
            pending += [(more, each.label) for more in (each.fallback, each.on_timeout) if more]


def labels_of(key: str) -> list[tuple[str, str]]:
    """The labels of the nodes that a key leads through, each behind that of the node around it."""
    nodes = [part.name for part in parse(key) if part.kind == "node"]
    labels = [name for name in nodes if name and not name.startswith("@")]
    return list(zip(["", *labels], labels, strict=False))


def check_same(old: Program, new: Program, keys: Iterable[str]) -> None:
    """Raise InputError for what had begun in ``old`` and is not, or is something else, in ``new``."""
    before, after = places_in(old), places_in(new)
    for pair in dict.fromkeys(each for key in keys for each in labels_of(key)):
        known, found = before.get(pair), after.get(pair)
        if found is None:
            _, label = pair
            around = next((parent for parent, name in after if name == label), None)
            if around is not None:
                where = f"inside {around!r}" if around else "at the top"
                raise InputError(
                    f"the changed document has the node {label!r} {where}, and it had begun "
                    f"{_place(pair[0])} before the fork; expected it where it was"
                )
            near = nearest(label, (name for _, name in after))
            hint = f"; did you rename it to {near!r}?" if near else ""
            raise InputError(
                f"the changed document has no node {label!r} {_place(pair[0])}, which had begun before the fork; "
                f"expected it to be there still{hint}"
            )
        if known is not None and known != found:
            raise InputError(
                f"the node {pair[1]!r} of the changed document is of type {found}; it had begun as {known} "
                "before the fork, so that is what is expected"
            )


def _place(parent: str) -> str:
    return f"inside {parent!r}" if parent else "at the top"
