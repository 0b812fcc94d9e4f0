"""Owns the settings of elements: from attributes, from child elements, and from the YAML of a ``<request>``."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..language.elements import ELEMENTS
from ..language.structure import FAMILIES as TYPED
from ..language.structure import NODES, STRUCTURE
from ..language.synonyms import element_instead, is_foreign, renamed, text_instead
from ..types.ast import Setting, Structure
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Source, Text
from ..types.patterns import pattern
from .markup import SPACE, Attribute, Element
from .names import canonical, kind_of
from .prefixes import FAMILIES
from .texts import attribute_text, element_text
from .yamlproblem import YamlProblem

_ENTRY = pattern(r"[A-Za-z_][\w.-]*")

Settings = dict[str, Setting]
_ORDER = {tag: at for at, tag in enumerate(STRUCTURE)}
_NOT_OURS = frozenset(
    {
        *("xml:space", "xml:lang", "xml:base"),
        *("xsi:schemaLocation", "xsi:noNamespaceSchemaLocation"),  # where an editor finds a schema
    }
)
"""Attributes that say something to XML tools, and nothing to us."""


class SettingReader:
    """Reads the settings of elements; what is wrong goes to the findings."""

    def __init__(self, findings: Findings) -> None:
        self.source: Source = findings.source
        self.findings = findings

    def unexpected(self, element: Element, expected: Collection[str], around: Element) -> None:
        """Report an element that is not allowed in the one around it."""
        where = kind_of(around.family, around.local)
        kind = kind_of(element.family, element.local)
        instead = element_instead(kind, where)
        if instead is None or (kind in NODES and expected and not is_foreign(where, kind)):
            names = [f"<{name}>" for name in sorted(expected, key=_in_order)]
            instead = ", ".join(names) or "no elements"
            if kind in NODES and expected:
                instead = " or ".join(names) + " around it"
        self.findings.at_element(
            element,
            "unexpected-element",
            f"<{element.name}> is not allowed in <{around.name}>",
            expected=instead,
            suggestion=renamed(element.local, where) or nearest(element.local, expected),
        )

    # ---- attributes ----

    def own_attributes(self, element: Element) -> Iterator[Attribute]:
        """The attributes that are the document's own: no namespaces, and nothing of XML's."""
        for attribute in element.attributes:
            name = attribute.name
            if ":" in name:
                if name.startswith("xmlns:") or name in _NOT_OURS:
                    continue
                self.findings.add(
                    attribute.offset,
                    "unknown-prefix",
                    f"the attribute {name!r} has a prefix; attributes have none",
                    length=len(name),
                    expected=name.partition(":")[2] or None,
                )
            elif name != "xmlns":
                yield attribute

    def attributes(self, element: Element) -> Settings:
        """The settings that are given as attributes, by their snake_case names."""
        settings: Settings = {}
        if element.attributes:
            for attribute in self.own_attributes(element):
                self.attribute(settings, attribute)
        return settings

    def attribute(self, settings: Settings, attribute: Attribute) -> None:
        value = attribute_text(self.source, attribute)
        self.add(settings, attribute.name, value, attribute.offset)

    def no_attributes(self, element: Element) -> None:
        """Report each attribute of an element that has none."""
        for attribute in self.own_attributes(element):
            self.findings.add(
                attribute.offset,
                "unknown-attribute",
                f"<{element.name}> has no attributes",
                length=len(attribute.name),
                expected=self._entry_instead(element, attribute),
            )

    def _entry_instead(self, element: Element, attribute: Attribute) -> str:
        """How what is written as attributes is written as elements."""
        given = {
            one.name: self.source.text[one.start : one.end] for one in self.own_attributes(element)
        }
        name = given.get("name", given.get("key", ""))
        if len(given) == 2 and "value" in given and _ENTRY.fullmatch(name):
            return f"<{name}>{given['value']}</{name}>"
        return f"an element in it: <{attribute.name}>…</{attribute.name}>"

    # ---- settings ----

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
            self.findings.add(
                offset,
                "setting-twice",
                f"{written!r} is given twice, first as {other.written!r} at {other.location}",
                length=len(written),
            )
            return
        settings[name] = Setting(name, written, value, self.source, offset)

    def child(self, settings: Settings, element: Element) -> None:
        """Take in a child element that is a setting."""
        if element.family:
            self.findings.at_element(
                element,
                "misplaced-element",
                f"<{element.name}> is not allowed here: a setting has no prefix",
                expected=f"<{element.local}>" if element.family in FAMILIES else None,
            )
            return
        self.no_attributes(element)
        self.add(settings, element.local, self.content(element), element.offset)

    def content(self, element: Element) -> Text | Structure:
        """What is in a setting: its text, or its child elements as the entries of a mapping.

        Whether the setting takes entries is decided where its type is known. Names are exactly as written.
        """
        if not element.children:
            return element_text(self.source, element)
        self.no_text(element, f"<{element.name}>, which has elements in it")
        entries: dict[str, tuple[Text, Text | Structure]] = {}
        for inner in element.children:
            name = inner.name
            if ":" in name:
                if inner.family != "?":  # one that means nothing was reported already
                    message = f"<{name}> is not allowed here: an entry of a setting has no prefix"
                    self.findings.at_element(inner, "misplaced-element", message)
            elif name in entries:
                message = f"<{name}> is given twice in <{element.name}>"
                self.findings.at_element(inner, "setting-twice", message)
            else:
                self.no_attributes(inner)
                key = Text(name, self.source, ((0, inner.offset + 1),))
                entries[name] = key, self.content(inner)
        written = self.source.text[element.inner : _end_of(element)]
        text = Text(written, self.source, ((0, element.inner),))
        return Structure("mapping", tuple(entries.values()), text, is_markup=True)

    def is_text(self, element: Element) -> bool:
        """Whether an element has text, and neither attributes nor elements."""
        if element.family or element.attributes or element.children:
            return False
        return bool(element_text(self.source, element).value)

    def only_text(self, element: Element) -> bool:
        """Whether no elements are in an element; reports the first one that does."""
        for inner in element.children:
            self.findings.at_element(
                inner,
                "nested-setting",
                f"<{inner.name}> is in the setting <{element.name}>, which is text",
                expected="text, or YAML where the setting is a mapping or a list",
            )
            return False
        return True

    def request(self, settings: Settings, element: Element) -> None:
        """Lift the keys of a ``<request>`` or a ``<response>`` into the settings."""
        self.no_attributes(element)
        if not self.only_text(element):
            return
        from .yaml import read_yaml  # with PyYAML: only documents that have YAML need it

        text = element_text(self.source, element)
        try:
            found = read_yaml(text)
        except YamlProblem as exc:
            at = min(exc.offset, max(len(text.value) - 1, 0))
            self.findings.add(text.offset(at), "yaml", exc.message)
            return
        if found is None or (isinstance(found, Text) and not found.value):
            return
        if not isinstance(found, Structure) or found.kind != "mapping":
            message = f"the text of <{element.name}> is not a mapping"
            self.findings.add(text.offset(0), "yaml", message, expected="key: value lines")
            return
        for key, value in found.value:
            if "{{" in key.value:
                message = "the name of a setting cannot be computed"
                self.findings.add(key.offset(0), "yaml", message, length=len(key.value))
            else:
                self.add(settings, key.value, value, key.offset(0))

    # ---- text ----

    def no_text(self, element: Element, where: str) -> None:
        """Report text between elements where there may be none."""
        source = self.source.text
        for item in element.content:
            if isinstance(item, Element):
                continue
            start, end, _ = item
            if source[start:end].isspace():
                continue
            bare = source[start:end].strip(SPACE)
            if bare:
                self.findings.add(
                    source.index(bare[0], start),
                    "stray-text",
                    f"text is not allowed in {where}",
                    length=len(bare.split("\n")[0].rstrip()),
                    expected=text_instead(self._kind(element)) or "elements only",
                )

    def _kind(self, element: Element) -> str:
        """Which element it is: of a transform or its like with the type, ``transform:map``."""
        kind = kind_of(element.family, element.local)
        if kind not in TYPED:
            return kind
        if element.family:
            return f"{kind}:{element.local}"
        found = [one for one in element.attributes if one.name == "type"]
        written = [self.source.text[one.start : one.end] for one in found]
        return f"{kind}:{(*written, ELEMENTS[kind].usual)[0]}"


def _in_order(tag: str) -> tuple[int, str]:
    """Then before else, and so on."""
    return (_ORDER.get(tag, -1), tag)


def _end_of(element: Element) -> int:
    """The offset after what is in an element."""
    last = element.content[-1] if element.content else element.inner
    if isinstance(last, Element):
        return _end_of(last)
    return last if isinstance(last, int) else last[1]
