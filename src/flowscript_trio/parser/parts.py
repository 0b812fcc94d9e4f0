"""Owns the parts of nodes: ``<retry>``, ``<fallback>``, ``<set>``, ``<bind>``, ``<arg>``, ``<action>``."""

from __future__ import annotations

from ..language.structure import HANDLING, NODES
from ..types.ast import OnError, Part, Setting
from ..types.location import Text
from .markup import SPACE, Attribute, Element
from .names import kind_of
from .reading import SettingReader, Settings
from .texts import attribute_text, element_text


class PartReader:
    """Reads the elements that are neither nodes nor bodies."""

    def __init__(self, reader: SettingReader) -> None:
        self._reader = reader
        self._source = reader.source

    def part(self, element: Element, tag: str, *, is_text: bool = False) -> Part:
        """The part that an element is; with ``is_text`` its text is its value."""
        settings = self._reader.attributes(element)
        for child in element.children:
            kind = kind_of(child.family, child.local)
            if kind in NODES and (child.family or child.attributes or child.children):
                self._reader.unexpected(child, (), element)
            elif child.family != "?":
                self._reader.child(settings, child)
        if is_text and not element.children and self._has_text(element):
            self._reader.add(settings, "value", element_text(self._source, element), element.offset)
        else:
            self._reader.no_text(element, f"<{element.name}>")
        return self._make(tag, element.offset, settings)

    def _has_text(self, element: Element) -> bool:
        text = self._source.text
        pieces = [item for item in element.content if not isinstance(item, Element)]
        return any(cdata or text[a:b].strip(SPACE) for a, b, cdata in pieces)

    def argument(self, attribute: Attribute, tag: str) -> Part:
        """An attribute as the argument that it is, its name as written."""
        offset = attribute.offset
        word = Text(attribute.name, self._source, ((0, offset),))
        value = attribute_text(self._source, attribute)
        settings = {
            "name": Setting("name", "name", word, self._source, offset),
            "value": Setting("value", attribute.name, value, self._source, offset),
        }
        return self._make(tag, offset, settings)

    def _make(self, tag: str, offset: int, settings: Settings) -> Part:
        return Part(
            tag=tag, location=self._source.location(offset), offset=offset, settings=settings
        )

    def on_error(self, element: Element) -> OnError:
        self._reader.no_attributes(element)
        self._reader.no_text(element, "<on-error>")
        retries: list[Part] = []
        fallback: Part | None = None
        for child in element.children:
            tag = kind_of(child.family, child.local)
            if tag == "?":
                continue
            if tag not in HANDLING:
                self._reader.unexpected(child, HANDLING, element)
            elif tag == "retry":
                retries.append(self.part(child, tag))
            elif fallback is not None:
                self._reader.findings.at_element(child, "element-twice", f"<{tag}> is given twice")
            else:
                fallback = self.part(child, tag)
        return OnError(
            location=self._source.location(element.offset),
            offset=element.offset,
            retries=tuple(retries),
            fallback=fallback,
        )
