"""Owns the building of the syntax tree: elements → nodes and bodies, and what may stand where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..types.ast import (
    UNTYPED,
    BaseNode,
    Body,
    BranchNode,
    BreakNode,
    CallNode,
    CheckpointNode,
    ContextNode,
    DelayNode,
    ForeachNode,
    IfNode,
    IncludeNode,
    LoopNode,
    OnError,
    OutputNode,
    ParallelNode,
    Part,
    PhaseNode,
    SetNode,
    Setting,
    SinkNode,
    SourceNode,
    TimeoutNode,
    TransformNode,
    WhileNode,
)
from ..types.errors import Problem, nearest
from ..types.location import Source, Text
from .ids import Ids
from .names import LEAVES, NODES, PARTED, STRUCTURE, WITHOUT_ID
from .reading import Reader, Settings
from .scanner import Element
from .texts import attribute_text
from .xml import Tree

_LEAF_MODELS: dict[str, type[BaseNode]] = {
    "source": SourceNode,
    "transform": TransformNode,
    "sink": SinkNode,
    "delay": DelayNode,
    "set": SetNode,
    "break": BreakNode,
}
_BODY_MODELS: dict[str, type[BaseNode]] = {
    "foreach": ForeachNode,
    "loop": LoopNode,
    "while": WhileNode,
    "timeout": TimeoutNode,
}
_PART_MODELS: dict[str, tuple[type[BaseNode], str]] = {
    "context": (ContextNode, "assignments"),
    "output": (OutputNode, "fields"),
    "include": (IncludeNode, "binds"),
    "call": (CallNode, "arguments"),
    "checkpoint": (CheckpointNode, "actions"),
}


@dataclass(slots=True)
class Content:
    """What the children of a node's element came to."""

    settings: Settings
    nodes: list[Any] = field(default_factory=list)
    bodies: dict[str, list[Body]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    on_error: OnError | None = None
    compensate: Body | None = None

    def body(self, tag: str) -> Body | None:
        found = self.bodies.get(tag)
        return found[0] if found else None


class Builder(Reader):
    """Builds the nodes of one document; every problem goes to ``problems``."""

    def __init__(self, source: Source, tree: Tree, problems: list[Problem]) -> None:
        super().__init__(source, tree, problems)
        self._ids = Ids(source, problems)
        self._keys = 0

    # ---- names ----

    def kind_of(self, element: Element) -> str:
        """Which node it is: ``source`` for ``<source:http>``, ``parallel`` for ``<control:parallel>``."""
        family, name = self.tree.name_of(element)
        return name if family in ("", "control") else family

    def next_key(self) -> int:
        self._keys += 1
        return self._keys - 1

    # ---- bodies ----

    def body(
        self, element: Element, kind: str, tag: str | None = None, settings: Settings | None = None
    ) -> Body:
        """The body that an element is (``<branch>``, ``<then>``, ``<finally>``, …)."""
        key = self.next_key()
        given = self.attributes(element) if settings is None else settings
        content = Content(given)
        allowed = frozenset({"finally"}) if (tag or element.name) == "branch" else frozenset()
        self._read_children(element, content, f"<{element.name}>", allowed, nodes=True, other=False)
        return self._make_body(key, kind, tag or self.kind_of(element), element, content, given)

    def _make_body(
        self, key: int, kind: str, tag: str, element: Element, content: Content, settings: Settings
    ) -> Body:
        return Body.model_construct(
            key=key,
            kind=kind,
            tag=tag,
            location=self.source.location(element.offset),
            offset=element.offset,
            nodes=tuple(content.nodes),
            settings=settings,
            cleanup=content.body("finally"),
        )

    # ---- nodes ----

    def node(self, element: Element) -> Any:
        kind = self.kind_of(element)
        key = self.next_key()
        content = Content(self.attributes(element))
        identity = self._identify(element, kind, content.settings)
        fields: dict[str, Any] = {}
        if kind in LEAVES:
            self._leaf(element, content)
        elif kind in PARTED:
            fields = self._parted(element, content, kind)
        elif kind in _BODY_MODELS or kind == "phase":
            fields = {"body": self._inner_body(element, content, kind)}
        else:
            fields = self._chooser(element, content, kind)
        return self._make_node(element, kind, key, content, {**identity, **fields})

    def _make_node(
        self, element: Element, kind: str, key: int, content: Content, fields: dict[str, Any]
    ) -> Any:
        settings = content.settings
        model = self._model_of(kind)
        return model.model_construct(
            key=key,
            tag=element.name,
            location=self.source.location(element.offset),
            offset=element.offset,
            input=settings.pop("input", None),
            after=settings.pop("after", None),
            condition=settings.pop("if", None),
            timeout=settings.pop("timeout", None),
            settings=settings,
            on_error=content.on_error,
            compensate=content.compensate,
            kind=model.model_fields["kind"].default,
            **fields,
        )

    def _identify(self, element: Element, kind: str, settings: Settings) -> dict[str, Any]:
        """What says which node it is: type, id, and the name of a phase."""
        identity: dict[str, Any] = {"type": self._type_of(element, kind, settings)}
        if kind == "phase":
            identity["name"] = self._phase_name(element, settings)
        identity["id"] = self._id_of(element, kind, settings)
        return identity

    def _model_of(self, kind: str) -> type[BaseNode]:
        others: dict[str, type[BaseNode]] = {
            "parallel": ParallelNode,
            "if": IfNode,
            "branch": BranchNode,
            "phase": PhaseNode,
            "ai": TransformNode,
        }
        if kind in _PART_MODELS:
            return _PART_MODELS[kind][0]
        return (_LEAF_MODELS | _BODY_MODELS | others)[kind]

    def _type_of(self, element: Element, kind: str, settings: Settings) -> str:
        """The name of the runtime."""
        if kind == "ai":
            return "transform:ai"
        if kind not in ("source", "transform", "sink"):
            return f"control:{kind}"
        family, name = self.tree.name_of(element)
        if family == kind:
            return f"{kind}:{name}"
        given = settings.pop("type", None)
        if given is None or not isinstance(given.value, Text) or not given.value.value:
            self.report(
                element.offset,
                "missing-type",
                f"<{kind}> needs a type",
                length=len(element.name) + 1,
                expected=f'type="…", or <{kind}:…>',
            )
            return f"{kind}:{UNTYPED}"
        return f"{kind}:{given.value.value}"

    def _id_of(self, element: Element, kind: str, settings: Settings) -> str | None:
        given = settings.pop("id", None)
        if given is not None and isinstance(given.value, Text):
            return self._ids.check(given.value)
        if kind not in WITHOUT_ID:
            self._ids.missing(element.offset, element.name)
        return None

    def _phase_name(self, element: Element, settings: Settings) -> str:
        given = settings.pop("name", None)
        if given is None or not isinstance(given.value, Text) or not given.value.value:
            self.report(
                element.offset,
                "missing-name",
                "<phase> needs a name",
                len(element.name) + 1,
                expected='name="…"',
            )
            return ""
        if "id" not in settings:
            return self._ids.check(given.value)
        return given.value.value

    # ---- what stands in a node ----

    def _leaf(self, element: Element, content: Content) -> None:
        where = f"<{element.name}>"
        for child in element.children:
            name = self.tree.name_of(child)[1]
            if name == "on-error":
                self._on_error(child, content)
            elif name == "compensate":
                self._compensate(child, content)
            elif name == "request":
                self.request(content.settings, child)
            else:
                self.child(content.settings, child)
        self.no_text(element, where)

    def _inner_body(self, element: Element, content: Content, kind: str) -> Body:
        """The body of a node whose nodes stand directly in it."""
        key = self.next_key()
        allowed = frozenset({"finally"}) if kind in ("timeout", "phase") else frozenset()
        self._read_children(element, content, f"<{element.name}>", allowed, nodes=True, other=True)
        form = "graph" if kind == "phase" else "sequence"
        return self._make_body(key, form, kind, element, content, {})

    def _chooser(self, element: Element, content: Content, kind: str) -> dict[str, Any]:
        """A node that holds bodies: parallel, if, branch."""
        allowed = {
            "parallel": frozenset({"branch"}),
            "if": frozenset({"then", "else"}),
            "branch": frozenset({"case", "default"}),
        }[kind]
        self._read_children(element, content, f"<{element.name}>", allowed, nodes=False, other=True)
        if kind == "parallel":
            return {"branches": tuple(content.bodies.get("branch", ()))}
        if kind == "if":
            self._once(content, "then", "else")
            if "then" not in content.bodies:
                self.report(
                    element.offset,
                    "missing-then",
                    "<if> needs a <then>",
                    len(element.name) + 1,
                    expected="<then>…</then>",
                )
            return {"then": content.body("then"), "otherwise": content.body("else")}
        self._once(content, "default")
        if "case" not in content.bodies:
            self.report(
                element.offset,
                "missing-case",
                "<branch> needs at least one <case>",
                len(element.name) + 1,
                expected='<case when="…">',
            )
        return {"cases": tuple(content.bodies.get("case", ())), "default": content.body("default")}

    def _once(self, content: Content, *tags: str) -> None:
        for tag in tags:
            for extra in content.bodies.get(tag, [])[1:]:
                self.report(extra.offset, "element-twice", f"<{tag}> is given twice", len(tag) + 1)

    def _parted(self, element: Element, content: Content, kind: str) -> dict[str, Any]:
        part = PARTED[kind]
        name = _PART_MODELS[kind][1]
        if kind == "call":
            self._extra_arguments(element, content)
        for child in element.children:
            tag = self.tree.name_of(child)[1]
            if tag == part:
                content.parts.append(self._part(child))
            elif tag == "on-error":
                self._on_error(child, content)
            elif tag == "compensate":
                self._compensate(child, content)
            else:
                self.child(content.settings, child)
        self.no_text(element, f"<{element.name}>")
        return {name: tuple(content.parts)}

    def _extra_arguments(self, element: Element, content: Content) -> None:
        """Of a ``<call>``, attributes that are no settings are arguments, their names as written."""
        known = {"id", "workflow", "input", "after", "if", "timeout"}
        for attribute in element.attributes:
            if attribute.name in known or attribute.name.startswith("xmlns"):
                continue
            content.settings = {
                key: setting
                for key, setting in content.settings.items()
                if setting.written != attribute.name
            }
            place = self.source.location(attribute.offset)
            word = Text(attribute.name, self.source, ((0, attribute.offset),))
            value = attribute_text(self.source, attribute)
            settings = {
                "name": Setting("name", "name", word, place, attribute.offset),
                "value": Setting("value", attribute.name, value, place, attribute.offset),
            }
            content.parts.append(self._make_part("arg", attribute.offset, settings))

    def _part(self, element: Element) -> Part:
        settings = self.attributes(element)
        text = [item for item in element.content if not isinstance(item, Element)]
        for child in element.children:
            self.child(settings, child)
        if element.children or not any(self.source.text[a:b].strip() for a, b, _ in text):
            self.no_text(element, f"<{element.name}>")
        else:
            self._text_value(element, settings)
        return self._make_part(self.tree.name_of(element)[1], element.offset, settings)

    def _text_value(self, element: Element, settings: Settings) -> None:
        """The text of a part is its value (``<arg name="x">…</arg>``)."""
        from .texts import element_text

        self.add(settings, "value", element_text(self.source, element), element.offset)

    def _make_part(self, tag: str, offset: int, settings: Settings) -> Part:
        return Part.model_construct(
            tag=tag, location=self.source.location(offset), offset=offset, settings=settings
        )

    def _on_error(self, element: Element, content: Content) -> None:
        if content.on_error is not None:
            self.report(element.offset, "element-twice", "<on-error> is given twice", 9)
            return
        found: dict[str, Part] = {}
        for child in element.children:
            tag = self.tree.name_of(child)[1]
            if tag not in ("retry", "fallback"):
                self.unexpected(child, {"retry", "fallback"}, "<on-error>")
            elif tag in found:
                self.report(child.offset, "element-twice", f"<{tag}> is given twice", len(tag) + 1)
            else:
                found[tag] = self._part(child)
        self.no_text(element, "<on-error>")
        content.on_error = OnError.model_construct(
            location=self.source.location(element.offset),
            offset=element.offset,
            retry=found.get("retry"),
            fallback=found.get("fallback"),
        )

    def _compensate(self, element: Element, content: Content) -> None:
        if content.compensate is not None:
            self.report(element.offset, "element-twice", "<compensate> is given twice", 11)
            return
        content.compensate = self.body(element, "sequence")

    def _read_children(
        self,
        element: Element,
        content: Content,
        where: str,
        allowed: frozenset[str],
        *,
        nodes: bool,
        other: bool,
    ) -> None:
        """Read what stands in a block or a body: its structure, nodes, and (with ``other``) settings."""
        self.no_text(element, where)
        for child in element.children:
            family, name = self.tree.name_of(child)
            kind = self.kind_of(child)
            if family == "?":
                continue
            if kind in allowed:
                self._structure(child, kind, content)
            elif other and kind == "on-error":
                self._on_error(child, content)
            elif other and kind == "compensate":
                self._compensate(child, content)
            elif nodes and kind in NODES:
                content.nodes.append(self.node(child))
            elif not other or kind in NODES or kind in STRUCTURE:
                self._misplaced(child, kind, where, allowed, nodes)
            else:
                self._setting_or_typo(child, name, content, nodes)

    def _structure(self, element: Element, kind: str, content: Content) -> None:
        if kind == "finally" and kind in content.bodies:
            self.report(element.offset, "element-twice", "<finally> is given twice", 8)
            return
        content.bodies.setdefault(kind, []).append(self.body(element, "sequence", kind))

    def _setting_or_typo(self, element: Element, name: str, content: Content, nodes: bool) -> None:
        """A child element of a block that is no node: a setting, or an element spelled wrongly."""
        near = nearest(name, NODES) if nodes else None
        if near is not None and (element.children or "id" in {a.name for a in element.attributes}):
            self.report(
                element.offset,
                "unknown-element",
                f"there is no element <{element.name}>",
                length=len(element.name) + 1,
                suggestion=near,
            )
            return
        self.child(content.settings, element)

    def _misplaced(
        self, element: Element, kind: str, where: str, allowed: frozenset[str], nodes: bool
    ) -> None:
        if kind in STRUCTURE:
            self.report(
                element.offset,
                "misplaced-element",
                f"<{element.name}> may not stand in {where}",
                length=len(element.name) + 1,
                expected=f"<{kind}> in a {STRUCTURE[kind]}"
                if kind not in ("on-error", "compensate")
                else f"<{kind}> in a node",
            )
        elif kind in NODES:
            self.unexpected(element, allowed, where)
        else:
            self.report(
                element.offset,
                "unknown-element",
                f"there is no element <{element.name}>",
                length=len(element.name) + 1,
                expected="a node" if nodes else None,
                suggestion=nearest(kind, NODES | allowed),
            )
