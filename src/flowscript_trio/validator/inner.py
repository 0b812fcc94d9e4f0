"""Owns references into blocks: ``gather.fetch.output`` is what the node ``fetch`` in ``gather`` gave.

"A member of a block's output takes precedence over a node in it": which of the two it is, is known on evaluation,
so that the expression becomes a choice between both. A phase's name stands for its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile

from ..expression import NODE_MEMBERS, ParsedExpression, ParsedTemplate, Reference
from ..expression.members import static_name
from ..expression.rewriting import rewrite
from ..expression.syntax import Call, Chain, Choice, Constant, Item, Member, Method, Name, Tree
from ..types.ast import Node
from ..types.errors import nearest
from ..types.findings import Findings
from .positions import Index, contains, name_of

MOST_COMPARISONS = 20_000
"""How many names are compared with those that no node has in one document."""

Hidden = Callable[[str], bool]
"""Whether a name means something else at a place: what is bound there."""


class InnerNodes:
    """Resolves references into the blocks of one document."""

    def __init__(self, index: Index, findings: Findings) -> None:
        self._index = index
        self._findings = findings
        self._compared = 0

    def in_template(self, parsed: ParsedTemplate, hidden: Hidden) -> ParsedTemplate:
        """The template with its references into blocks resolved."""
        parts = tuple(
            part if isinstance(part, str) else self.resolve(part, hidden) for part in parsed.parts
        )
        return parsed if parts == parsed.parts else replace(parsed, parts=parts)

    def resolve(self, parsed: ParsedExpression, hidden: Hidden) -> ParsedExpression:
        """The expression with its references into blocks resolved; a node that a block does not have is reported,
        where one of a like name is in it."""
        found: dict[int, tuple[Reference, ...]] = {}
        for reference in parsed.references:
            node = None if hidden(reference.name) else self._index.results.get(reference.name)
            if node is None:
                continue
            if name_of(node) != reference.name or self._inner(node, reference) is not None:
                found[reference.offset - parsed.shift] = ()
            else:
                self._report(parsed, node, reference)
        if not found:
            return parsed
        tree = rewrite(parsed.tree, lambda part: self._change(part, found, parsed.shift))
        kept = [r for r in parsed.references if r.offset - parsed.shift not in found]
        made = [reference for several in found.values() for reference in several]
        together = sorted([*kept, *made], key=lambda reference: reference.offset)
        return replace(parsed, tree=tree, references=tuple(together))

    def _change(self, part: Tree, found: dict[int, tuple[Reference, ...]], shift: int) -> Tree:
        base = part.base if isinstance(part, Chain) else part
        if not isinstance(base, Name) or base.local or base.offset not in found:
            return part
        steps = part.steps if isinstance(part, Chain) else ()
        tree, references = self._choice(base, steps, shift)
        found[base.offset] = references
        return tree

    def _choice(
        self, base: Name, steps: tuple[Member | Item | Method, ...], shift: int
    ) -> tuple[Tree, tuple[Reference, ...]]:
        """The tree of a name and what follows it, and the references in it."""
        node = self._index.results[base.name]
        name = Name(name_of(node) or base.name, base.offset, False)
        path = tuple(name for name in takewhile(bool, map(static_name, steps)) if name)
        outer = Reference(name.name, path, base.offset + shift)
        whole: Tree = Chain(name, steps, base.offset) if steps else name
        if not path or self._inner(node, outer) is None:
            return whole, (outer,)
        at = steps[0].offset
        inner, references = self._choice(Name(path[0], at, False), steps[1:], shift)
        has = Call("has", ((False, name), (False, Constant(path[0], at))), base.offset)
        choice = Choice(((has, whole),), inner, base.offset)
        return choice, (replace(outer, path=()), *references)

    def _inner(self, node: Node, reference: Reference) -> Node | None:
        """The node in a block that the path of a reference to it begins with."""
        if not reference.path or not node.bodies:
            return None
        inner = self._index.ids.get(reference.path[0])
        places = self._index.positions
        if inner is None or inner is node or not contains(places[node.key], places[inner.key]):
            return None
        return inner

    def _report(self, parsed: ParsedExpression, node: Node, reference: Reference) -> None:
        path = reference.path
        if (
            len(path) < 2
            or path[1] not in NODE_MEMBERS
            or path[0] in NODE_MEMBERS
            or not node.bodies
        ):
            return
        self._compared += len(self._index.ids)
        if self._compared > MOST_COMPARISONS:
            return
        places = self._index.positions
        inside = [
            name
            for name, one in self._index.ids.items()
            if one is not node and contains(places[node.key], places[one.key])
        ]
        near = nearest(path[0], inside)
        if near is not None:
            at = parsed.text.value.find(path[0], reference.offset)
            self._findings.in_text(
                parsed.text,
                max(at, reference.offset),
                len(path[0]),
                "unknown-node",
                f"there is no node {path[0]!r} in {reference.name!r}",
                suggestion=near,
            )
