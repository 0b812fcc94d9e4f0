"""Owns the types of all elements in XML Schema, with the settings that their models declare."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pydantic import BaseModel

from ..language.element import Element as Declared
from ..language.elements import ELEMENTS, own_settings
from ..language.structure import CONTROLS, ENDED, FAMILIES, LIFTED, NODES, SETTINGS_TOO
from ..runtimes.control.types import BODY_CONFIGS, PART_CONFIGS
from ..runtimes.registry import Registry
from ..runtimes.types import NodeRuntime
from ..runtimes.wording import summary_of, words_of
from ..runtimes.wrapping import innermost
from ..types.shapes import UNKNOWN, Shape, describe_shape
from .settings import Setting, Settings, SettingWriter, of_leaf, of_node, settings_of
from .simple import words
from .slots import IN_BLOCK
from .xsd import choice, documented, group, tag, xml_attributes

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
                said = " ".join(filter(None, (summary_of(runtime), _given_by(runtime))))
                yield self._leaf(f"{family}.{name}", settings, said)
            kind = Setting("type", (words(*names),), _TYPE)
            yield self._leaf(family, Settings((kind,)).and_(every), f"A {family}, by its type.")

    def _leaf(self, name: str, settings: Settings, summary: str) -> Element:
        return self._node(name, of_leaf().and_(settings), _lifted(), summary)

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
        element = ELEMENTS[kind]
        common = of_node(waits=element.asks, placed=element.has_place)
        settings = common.and_(settings_of(runtime.config))
        name = f"node.{kind}.or-setting" if mixed else f"node.{kind}"
        summary = summary_of(runtime) + (" Needs an id." if element.needs_id else "")
        if element.parts is not None and element.parts.takes_attributes:
            return self._open(element, name, settings, summary)
        if element.parts is not None:
            return self._node(name, settings, _both(f"parts-of-{kind}"), summary, mixed=mixed)
        if element.sides:
            return self._sided(element, name, settings, summary, mixed)
        if element.form is None:
            return self._node(name, settings, _lifted(), summary, mixed=mixed)
        inside = [group(IN_BLOCK), group("control:nodes")]
        if element.endings:
            inside += _both("endings")
        return self._node(name, settings, inside, summary, slot=IN_BLOCK, mixed=mixed)

    def _sided(
        self, element: Declared, name: str, settings: Settings, summary: str, mixed: bool
    ) -> Element:
        """The type of a node with bodies; one that it needs may be anywhere in it."""
        needed = [one for side in element.sides if side.needed for one in _both(side.tag)]
        others = [side.tag for side in element.sides if not side.needed]
        if not needed:
            inside = [one for other in others for one in _both(other)]
            return self._node(name, settings, inside, summary, mixed=mixed)

        def rest() -> list[Element]:
            named = self._writer.as_elements(settings, without={})
            return [*(one for other in others for one in _both(other)), *named, *_both("handling")]

        content = tag(
            "sequence", choice(rest()), tag("choice", *needed), choice([*_again(needed), *rest()])
        )
        return self._complex(name, content, settings, summary, mixed)

    def _open(self, element: Declared, name: str, settings: Settings, summary: str) -> Element:
        """A call: what is not a setting of its own is an argument."""
        named = own_settings(element)
        own = Settings(tuple(one for one in settings.known if one.name in named))
        inside = [
            *_both(f"parts-of-{element.tag}"),
            *self._writer.as_elements(own, without={}),
            *_both("handling"),
        ]
        return self._complex(name, choice(inside), Settings(own.known, is_open=True), summary)

    def _settings_too(self) -> Iterator[Element]:
        """Elements that are nodes, or a setting of the block that they are in: then they have text."""
        for kind in sorted(SETTINGS_TOO):
            yield self._control(kind, mixed=True)

    # ---- what is not a node ----

    def _bodies(self) -> Iterator[Element]:
        """The types of bodies: nodes in document order."""
        nodes = _both("nodes")
        yield self._complex("body", choice(nodes), _NOTHING)
        for name in sorted(ENDED.difference(BODY_CONFIGS)):
            inside = choice([*_both("nodes"), *_both("endings")])
            yield self._complex(f"body.{name}", inside, _NOTHING)
        for name, model in BODY_CONFIGS.items():
            settings = settings_of(model)
            inside = choice([*_both("nodes"), *(_both("endings") if name in ENDED else ())])
            yield self._complex(f"body.{name}", inside, settings, words_of(model))

    def _parts(self) -> Iterator[Element]:
        """The types of what is in a node and is neither node nor body."""
        for (around, part), model in PART_CONFIGS.items():
            name = part if around == "on-error" else f"part.{around}.{part}"
            declared = ELEMENTS[around].parts if around in ELEMENTS else None
            yield self._part(name, model, declared is not None and declared.is_text)
        yield self._complex("on-error", choice(_both("on-error")), _NOTHING)

    def _part(self, name: str, model: type[BaseModel], mixed: bool) -> Element:
        settings = settings_of(model)
        content = choice(self._writer.as_elements(settings, without={}))
        return self._complex(name, content, settings, words_of(model), mixed)


def _given_by(runtime: NodeRuntime) -> str:
    """What the nodes of a runtime give, whatever their settings are, where that is known: for a reader, since the
    types of expressions are beyond XML Schema."""
    gives = getattr(innermost(runtime), "gives", None)
    shape: Shape = UNKNOWN if gives is None else gives({})
    return f"Gives {describe_shape(shape)}." if shape.is_known else ""


def _both(slot: str) -> list[Element]:
    """What may be in a place, without a prefix and with that of ``control``."""
    return [group(slot), group(f"control:{slot}")]


def _again(groups: list[Element]) -> list[Element]:
    return [group(one.get("ref", "")) for one in groups]


def _lifted() -> list[Element]:
    """The elements whose keys are settings."""
    return [
        documented(tag("element", name=name, type_="xs:string"), "Settings, as YAML.")
        for name in LIFTED
    ]


def _anything() -> Element:
    """Any element without a prefix: a setting, or one that the schema knows everywhere."""
    return tag("any", namespace="##local", processContents="lax")
