"""Owns the settings of elements: from attributes, from child elements, and from the YAML of a ``<request>``."""

from __future__ import annotations

from collections.abc import Collection

from ..types.ast import Setting, Structure
from ..types.errors import Problem, nearest, problem_at
from ..types.location import Source, Text
from .names import canonical
from .scanner import Element
from .texts import attribute_text, element_text
from .xml import Tree
from .yaml import YamlProblem, read_yaml

Settings = dict[str, Setting]


class Reader:
    """Reads the settings of elements; what is wrong goes to ``problems``."""

    def __init__(self, source: Source, tree: Tree, problems: list[Problem]) -> None:
        self.source = source
        self.tree = tree
        self.problems = problems

    def report(
        self, offset: int, code: str, message: str, length: int = 1, **details: str | None
    ) -> None:
        self.problems.append(
            problem_at(self.source, offset, code, message, length=length, **details)
        )

    def unexpected(self, element: Element, expected: Collection[str], where: str) -> None:
        """Report an element that may not stand where it does."""
        self.report(
            element.offset,
            "unexpected-element",
            f"<{element.name}> may not stand in {where}",
            length=len(element.name) + 1,
            expected=", ".join(f"<{name}>" for name in sorted(expected)) or "no elements",
            suggestion=nearest(self.tree.name_of(element)[1], expected),
        )

    def attributes(self, element: Element) -> Settings:
        """The settings that stand as attributes, by their snake_case names."""
        settings: Settings = {}
        for attribute in element.attributes:
            if attribute.name.startswith("xmlns"):
                continue
            value = attribute_text(self.source, attribute)
            self.add(settings, attribute.name, value, attribute.offset)
        return settings

    def add(
        self,
        settings: Settings,
        written: str,
        value: Text | Structure | int | float | bool | None,
        offset: int,
    ) -> None:
        name = canonical(written)
        if name in settings:
            other = settings[name]
            self.report(
                offset,
                "setting-twice",
                f"{written!r} is given twice, first as {other.written!r} at {other.location}",
                length=len(written),
            )
            return
        settings[name] = Setting(name, written, value, self.source.location(offset), offset)

    def child(self, settings: Settings, element: Element) -> None:
        """Take in a child element that is a setting."""
        for inner in element.children:
            self.report(
                inner.offset,
                "nested-setting",
                f"<{inner.name}> stands in the setting <{element.name}>, which is text",
                length=len(inner.name) + 1,
                expected="text, or YAML where the setting is a mapping or a list",
            )
            return
        for attribute in element.attributes:
            self.report(
                attribute.offset,
                "unknown-attribute",
                f"the setting <{element.name}> has no attributes",
                length=len(attribute.name),
            )
        name = self.tree.name_of(element)[1]
        self.add(settings, name, element_text(self.source, element), element.offset)

    def request(self, settings: Settings, element: Element) -> None:
        """Lift the keys of a ``<request>`` into the settings."""
        text = element_text(self.source, element)
        try:
            found = read_yaml(text)
        except YamlProblem as exc:
            self.report(
                text.offset(min(exc.offset, max(len(text.value) - 1, 0))), "yaml", exc.message
            )
            return
        if found is None or (isinstance(found, Text) and not found.value):
            return
        if not isinstance(found, Structure) or found.kind != "mapping":
            self.report(
                text.offset(0),
                "yaml",
                "the text of <request> is no mapping",
                expected="key: value lines",
            )
            return
        for key, value in found.value:
            self.add(settings, key.value, value, key.offset(0))

    def no_text(self, element: Element, where: str) -> None:
        """Report text between elements where there may be none."""
        for item in element.content:
            if isinstance(item, Element):
                continue
            start, end, _ = item
            text = self.source.text[start:end]
            if text.strip():
                at = start + len(text) - len(text.lstrip())
                self.report(
                    at,
                    "stray-text",
                    f"text may not stand in {where}",
                    length=len(text.strip().split("\n")[0]),
                    expected="elements only",
                )
