"""Owns the types of all elements in XML Schema, with the settings that their models declare."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pydantic import BaseModel

from ..parser.names import CONTROLS, LEAVES, LIFTED, NODES, PARTED, SETTINGS_TOO, WITHOUT_ID
from ..parser.parts import CALL_SETTINGS, WITH_TEXT
from ..runtimes.control.types import BODY_CONFIGS, PART_CONFIGS
from ..runtimes.registry import Registry
from ..runtimes.wording import summary_of, words_of
from .settings import Setting, Settings, SettingWriter, of_node, settings_of
from .simple import words
from .slots import IN_BLOCK
from .xsd import choice, documented, group, tag, xml_attributes

FAMILIES = ("source", "transform", "sink")
_ENDING = frozenset({"timeout", "phase"})
_CHOOSERS = {"if": ("then", "else"), "branch": ("case", "default")}
"""Nodes that hold bodies: one that they need, and one that they may have."""

_NOTHING = Settings()
_TYPE = "what runs it"


class Language:
    """The types of the elements, for the runtimes of one registry."""

    def __init__(self, registry: Registry, writer: SettingWriter) -> None:
        self._registry = registry
        self._writer = writer

    def types(self) -> list[Element]:
        """Every type of an element of a workflow."""
        return [
            *self._bodies(),
            *self._parts(),
            *self._leaves(),
            *(self._control(name) for name in sorted(CONTROLS)),
            *self._settings_too(),
        ]

    def runtimes(self, family: str) -> list[str]:
        """The words of a family's runtimes: ``http`` of ``source:http``."""
        found = (name.partition(":") for name in self._registry.names())
        return [word for kind, _, word in found if kind == family]

    # ---- nodes without bodies ----

    def _leaves(self) -> Iterator[Element]:
        """A type for each runtime, and one for each family, which has the settings of all."""
        for family in FAMILIES:
            every = _NOTHING
            names = self.runtimes(family)
            for name in names:
                runtime = self._registry.get_runtime(f"{family}:{name}")
                settings = settings_of(runtime.config)
                every = every.and_(settings)
                yield self._leaf(f"{family}.{name}", settings, summary_of(runtime))
            kind = Setting("type", (words(*names),), _TYPE)
            yield self._leaf(family, Settings((kind,)).and_(every), f"A {family}, by its type.")

    def _leaf(self, name: str, settings: Settings, summary: str) -> Element:
        return self._node(name, of_node().and_(settings), _lifted(), summary)

    def _node(
        self,
        name: str,
        settings: Settings,
        children: list[Element],
        summary: str,
        slot: str | None = None,
        mixed: bool = False,
    ) -> Element:
        """The type of a node: its settings, ``children``, and what handles its errors."""
        slots = dict.fromkeys(LIFTED) if slot is None else dict.fromkeys(NODES)
        if settings.is_open:
            inside = [_anything(), group("control:handling")]
        else:
            named = self._writer.as_elements(settings, without=slots)
            inside = [*children, *named, *_both("handling")]
        return self._complex(name, choice(inside), settings, summary, mixed)

    def _complex(
        self,
        name: str,
        content: Element | None,
        settings: Settings,
        summary: str = "",
        mixed: bool = False,
    ) -> Element:
        made = tag("complexType", name=name, **({"mixed": "true"} if mixed else {}))
        if content is not None:
            made.append(content)
        made.extend(self._writer.as_attributes(settings))
        made.append(xml_attributes(settings.is_open))
        return documented(made, summary)

    # ---- control elements ----

    def _control(self, kind: str, mixed: bool = False) -> Element:
        runtime = self._registry.get_runtime(f"control:{kind}")
        settings = of_node(waits=kind == "checkpoint").and_(settings_of(runtime.config))
        name = f"node.{kind}.or-setting" if mixed else f"node.{kind}"
        summary = summary_of(runtime) + ("" if kind in WITHOUT_ID else " Needs an id.")
        if kind == "call":
            return self._call(name, settings, summary)
        if kind in PARTED:
            return self._node(name, settings, _both(f"parts-of-{kind}"), summary, mixed=mixed)
        if kind == "parallel":
            return self._node(name, settings, _both("branches"), summary)
        if kind in _CHOOSERS:
            return self._chooser(name, settings, summary, *_CHOOSERS[kind], mixed=mixed)
        if kind in LEAVES:
            return self._node(name, settings, _lifted(), summary, mixed=mixed)
        inside = [group(IN_BLOCK), group("control:nodes")]
        if kind in _ENDING:
            inside += _both("endings")
        return self._node(name, settings, inside, summary, slot=IN_BLOCK, mixed=mixed)

    def _chooser(
        self, name: str, settings: Settings, summary: str, needed: str, other: str, mixed: bool
    ) -> Element:
        """The type of a node that needs a body of one kind, wherever in it that stands."""

        def rest() -> list[Element]:
            named = self._writer.as_elements(settings, without={})
            return [*_both(other), *named, *_both("handling")]

        body = tag("choice", *_both(needed))
        content = tag("sequence", choice(rest()), body, choice([*_both(needed), *rest()]))
        return self._complex(name, content, settings, summary, mixed)

    def _call(self, name: str, settings: Settings, summary: str) -> Element:
        """A call: what is no setting of its own is an argument."""
        own = Settings(tuple(one for one in settings.known if one.name in CALL_SETTINGS))
        inside = [
            *_both("parts-of-call"),
            *self._writer.as_elements(own, without={}),
            *_both("handling"),
        ]
        return self._complex(name, choice(inside), Settings(own.known, is_open=True), summary)

    def _settings_too(self) -> Iterator[Element]:
        """Elements that are nodes, or a setting of the block that they stand in: then they have text."""
        for kind in sorted(SETTINGS_TOO):
            yield self._control(kind, mixed=True)

    # ---- what is no node ----

    def _bodies(self) -> Iterator[Element]:
        """The types of bodies: nodes in document order."""
        nodes = _both("nodes")
        yield self._complex("body", choice(nodes), _NOTHING)
        yield self._complex("body.branch", choice([*nodes, *_both("endings")]), _NOTHING)
        for name, model in BODY_CONFIGS.items():
            settings = settings_of(model)
            yield self._complex(f"body.{name}", choice(_both("nodes")), settings, words_of(model))

    def _parts(self) -> Iterator[Element]:
        """The types of what stands in a node and is neither node nor body."""
        for (around, part), model in PART_CONFIGS.items():
            name = part if around == "on-error" else f"part.{around}.{part}"
            yield self._part(name, model, mixed=part in WITH_TEXT)
        yield self._complex("on-error", choice(_both("on-error")), _NOTHING)

    def _part(self, name: str, model: type[BaseModel], mixed: bool) -> Element:
        settings = settings_of(model)
        content = choice(self._writer.as_elements(settings, without={}))
        return self._complex(name, content, settings, words_of(model), mixed)


def _both(slot: str) -> list[Element]:
    """What may stand in a place, without a prefix and with that of ``control``."""
    return [group(slot), group(f"control:{slot}")]


def _lifted() -> list[Element]:
    """The elements whose keys are settings."""
    return [
        documented(tag("element", name=name, type_="xs:string"), "Settings, as YAML.")
        for name in LIFTED
    ]


def _anything() -> Element:
    """Any element without a prefix: a setting, or one that the schema knows everywhere."""
    return tag("any", namespace="##local", processContents="lax")
