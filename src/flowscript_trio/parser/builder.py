"""Owns the building of the syntax tree: elements → nodes and bodies, and what may be where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace
from typing import Any

from ..language.element import Element as Declared
from ..language.element import Parts
from ..language.elements import ELEMENTS, own_settings
from ..language.structure import (
    DECLARATIONS_TOO,
    ENDED,
    ENDINGS,
    HANDLING,
    LIFTED,
    MANY,
    NODES,
    SETTINGS_TOO,
    STRUCTURE,
)
from ..language.synonyms import element_instead, is_foreign
from ..types.ast import Body, Form, LeafNode, Node, OnError, Part
from ..types.deferred import dataclass
from ..types.errors import nearest
from ..types.location import Text
from .ids import Ids, is_id
from .markup import Element
from .names import kind_of
from .parts import PartReader
from .reading import SettingReader, Settings

_NONE: frozenset[str] = frozenset()
_SETTINGS = SETTINGS_TOO | DECLARATIONS_TOO


@dataclass(slots=True)
class Content:
    """What the children of a node's element came to."""

    settings: Settings
    nodes: list[Node] = field(default_factory=list)
    bodies: dict[str, list[Body]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    on_error: OnError | None = None
    compensate: Body | None = None

    def body(self, tag: str) -> Body | None:
        found = self.bodies.get(tag)
        return found[0] if found else None


class Builder:
    """Builds the nodes of one document."""

    def __init__(self, reader: SettingReader) -> None:
        self.ids: Ids = Ids(reader.findings)
        self._source = reader.source
        self._findings = reader.findings
        self._reader = reader
        self._parts = PartReader(reader)
        self._keys = 0

    def next_key(self) -> int:
        self._keys += 1
        return self._keys - 1

    # ---- bodies ----

    def body(self, element: Element, kind: str) -> Body:
        """The sequence body that an element is (``<branch>``, ``<then>``, ``<finally>``, …)."""
        key = self.next_key()
        settings = self._reader.attributes(element)
        content = Content(settings)
        allowed = ENDINGS if kind in ENDED else _NONE
        self.read_children(element, content, allowed, nodes=True, other=False)
        return self.make_body(key, "sequence", kind, element, content, settings)

    def make_body(
        self, key: int, form: Form, tag: str, element: Element, content: Content, settings: Settings
    ) -> Body:
        return Body(
            key=key,
            kind=form,
            tag=tag,
            location=self._source.location(element.offset),
            offset=element.offset,
            nodes=told_apart(content.nodes),
            settings=settings,
            cleanup=content.body("finally"),
        )

    # ---- nodes ----

    def node(self, element: Element, kind: str) -> Any:
        declared, parts = ELEMENTS[kind], ELEMENTS[kind].parts
        key = self.next_key()
        mixed = parts is not None and parts.takes_attributes
        content = Content({} if mixed else self._reader.attributes(element))
        fields: dict[str, Any] = {"kind": kind} if declared.node is LeafNode else {}
        if parts is not None:
            self._parted(element, content, declared, parts)
            fields[parts.field] = tuple(content.parts)
        elif declared.sides:
            fields |= self._chooser(element, content, declared)
        elif declared.form is not None:
            fields["body"] = self._inner_body(element, content, declared)
        else:
            self._leaf(element, content)
        settings = content.settings
        fields["type"] = self._type_of(element, declared, settings)
        if declared.is_named:
            fields["name"] = self._name_of(element, settings)
        return declared.node(
            key=key,
            tag=element.name,
            id=self._id_of(element, declared, settings),
            location=self._source.location(element.offset),
            offset=element.offset,
            input=settings.pop("input", None),
            after=settings.pop("after", None),
            condition=settings.pop("if", None),
            timeout=settings.pop("timeout", None),
            limit=settings.pop("limit", None),
            place=settings.pop("place", None) if declared.has_place else None,
            on_crash=None if declared.is_control else settings.pop("on_crash", None),
            settings=settings,
            on_error=content.on_error,
            compensate=content.compensate,
            **fields,
        )

    def _type_of(self, element: Element, declared: Declared, settings: Settings) -> str:
        """The name of the runtime."""
        kind, known = declared.tag, declared.type
        if known is not None and declared.is_control:
            return known
        given = settings.pop("type", None)
        if known is not None or element.family == kind:
            if given is not None:
                message = f"the type is given twice: <{element.name}> has one in its name"
                self._findings.add(
                    given.offset, "setting-twice", message, length=len(given.written)
                )
            return known or f"{kind}:{element.local}"
        if given is None and declared.usual is not None:
            return f"{kind}:{declared.usual}"
        if given is None or not isinstance(given.value, Text) or not given.value.value:
            expected = f'type="…", or <{kind}:…>'
            self._findings.at_element(
                element, "missing-type", f"<{element.name}> needs a type", expected=expected
            )
            return f"{kind}:?"
        return f"{kind}:{given.value.value}"

    def _id_of(self, element: Element, declared: Declared, settings: Settings) -> str | None:
        given = settings.pop("id", None)
        if given is None:
            if declared.needs_id:
                self.ids.missing(element.offset, element.name)
            return None
        if isinstance(given.value, Text):
            return self.ids.add(given.value)
        self.ids.malformed(given.offset, given.value)
        return None

    def _name_of(self, element: Element, settings: Settings) -> str:
        given = settings.pop("name", None)
        if given is None or not isinstance(given.value, Text) or not given.value.value:
            message = f"<{element.name}> needs a name"
            self._findings.at_element(element, "missing-name", message, expected='name="…"')
            return ""
        if "id" not in settings and is_id(given.value.value):
            self.ids.add(given.value)
        return given.value.value

    # ---- what is in a node ----

    def _leaf(self, element: Element, content: Content) -> None:
        self._reader.no_text(element, f"<{element.name}>")
        for child in element.children:
            if child.local in LIFTED and not child.family:
                self._reader.request(content.settings, child)
            else:
                self._common_child(element, child, content)

    def _parted(self, element: Element, content: Content, declared: Declared, parts: Parts) -> None:
        self._reader.no_text(element, f"<{element.name}>")
        if parts.takes_attributes:
            own = own_settings(declared)
            for attribute in self._reader.own_attributes(element):
                if attribute.name in own:
                    self._reader.attribute(content.settings, attribute)
                else:
                    content.parts.append(self._parts.argument(attribute, parts.tag))
        for child in element.children:
            if kind_of(child.family, child.local) == parts.tag:
                part = self._parts.part(child, parts.tag, is_text=parts.is_text)
                content.parts.append(part)
            else:
                self._common_child(element, child, content)

    def _common_child(self, element: Element, child: Element, content: Content) -> None:
        """A child element that is not a node: ``<on-error>``, ``<compensate>`` or a setting."""
        kind = kind_of(child.family, child.local)
        if is_foreign(kind_of(element.family, element.local), kind):
            self._reader.unexpected(child, (), element)
            return
        if kind in HANDLING:
            self._misplaced(element, child, kind)
            return
        if kind == "on-error":
            self._on_error(child, content)
        elif kind == "compensate":
            self._compensate(child, content)
        elif kind != "?":
            self._reader.child(content.settings, child)

    def _on_error(self, element: Element, content: Content) -> None:
        if content.on_error is not None:
            self._findings.at_element(element, "element-twice", "<on-error> is given twice")
            return
        content.on_error = self._parts.on_error(element)

    def _compensate(self, element: Element, content: Content) -> None:
        if content.compensate is not None:
            self._findings.at_element(element, "element-twice", "<compensate> is given twice")
            return
        content.compensate = self.body(element, "compensate")

    def _inner_body(self, element: Element, content: Content, declared: Declared) -> Body:
        """The body of a node whose nodes are directly in it."""
        key = self.next_key()
        allowed = ENDINGS if declared.endings else _NONE
        self.read_children(element, content, allowed, nodes=True, other=True)
        form = declared.form or "sequence"
        return self.make_body(key, form, declared.tag, element, content, {})

    def _chooser(self, element: Element, content: Content, declared: Declared) -> dict[str, Any]:
        """The bodies of a node that holds each in an element of its own."""
        allowed = frozenset(side.tag for side in declared.sides)
        self.read_children(element, content, allowed, nodes=False, other=True)
        fields: dict[str, Any] = {}
        for side in declared.sides:
            found = content.bodies.get(side.tag, ())
            if not found and side.needed is not None:
                self._findings.at_element(
                    element,
                    f"missing-{side.tag}",
                    f"<{element.name}> needs a <{side.tag}>",
                    expected=side.needed,
                )
            fields[side.field] = tuple(found) if side.many else content.body(side.tag)
        return fields

    # ---- what is in a block ----

    def read_children(
        self,
        element: Element,
        content: Content,
        allowed: frozenset[str],
        *,
        nodes: bool,
        other: bool,
    ) -> None:
        """Read what is in a block or a body: its structure, nodes, and (with ``other``) settings."""
        self._reader.no_text(element, f"<{element.name}>")
        for child in element.children:
            kind = kind_of(child.family, child.local)
            if kind == "?":
                continue
            if kind in allowed:
                self._structure(child, kind, content)
            elif other and kind in _SETTINGS and self._reader.is_text(child):
                self._reader.child(content.settings, child)
            elif nodes and kind in NODES:
                content.nodes.append(self.node(child, kind))
            elif kind in NODES:
                self._reader.unexpected(child, allowed, element)
            elif other and kind in ("on-error", "compensate"):
                self._common_child(element, child, content)
            elif is_foreign(kind_of(element.family, element.local), kind):
                self._reader.unexpected(child, allowed, element)
            elif kind in STRUCTURE:
                self._misplaced(element, child, kind)
            elif not other or child.family or child.attributes or child.children:
                self._unknown(element, child, allowed, nodes, other)
            else:
                self._reader.child(content.settings, child)

    def _misplaced(self, around: Element, element: Element, kind: str) -> None:
        self._findings.at_element(
            element,
            "misplaced-element",
            f"<{element.name}> is not allowed in <{around.name}>",
            expected=f"<{kind}> in {STRUCTURE[kind]}",
        )

    def _structure(self, element: Element, kind: str, content: Content) -> None:
        if kind not in MANY and kind in content.bodies:
            self._findings.at_element(element, "element-twice", f"<{kind}> is given twice")
            return
        content.bodies.setdefault(kind, []).append(self.body(element, kind))

    def _unknown(
        self, around: Element, element: Element, allowed: frozenset[str], nodes: bool, other: bool
    ) -> None:
        """Report an element that is not a node, and cannot be a setting."""
        kind = kind_of(element.family, element.local)
        names = ", ".join(f"<{name}>" for name in sorted(allowed))
        instead = element_instead(kind, kind_of(around.family, around.local))
        message = f"there is no element <{element.name}>"
        if other and instead is None:
            message += ", and a setting has no attributes and no elements in it"
        near = nearest(kind.rpartition(":")[2], NODES | allowed if nodes else allowed)
        self._findings.at_element(
            element,
            "unknown-element",
            message,
            expected=instead or ("a node" if nodes else names),
            suggestion=near if instead is None else None,
        )


def told_apart(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes of a body, those with the same label distinguished by their columns."""
    found = Counter(node.label for node in nodes if node.id is None)
    if len(found) == found.total():
        return tuple(nodes)
    return tuple(
        replace(node, shares_line=True) if node.id is None and found[node.label] > 1 else node
        for node in nodes
    )
