"""Owns the declarations of a workflow: its leading ``<param>`` and ``<secret>`` children."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..language.structure import NODES
from ..language.synonyms import nearest_name
from ..types.ast import Parameter, Secret, Setting
from ..types.declared import describe_type
from ..types.errors import nearest
from ..types.location import Text
from .declared import EXPECTED, TYPES, convert, read_type
from .markup import Element
from .names import kind_of
from .reading import SettingReader, Settings
from .texts import element_text

PARAMETER = ("name", "type", "default", "required")


def word_in(settings: Settings, name: str) -> str:
    """The text of a setting; empty where it is not given."""
    setting = settings.get(name)
    return "" if setting is None else str(setting.value)


class DeclarationReader:
    """Reads what a workflow declares."""

    def __init__(self, reader: SettingReader) -> None:
        self._source = reader.source
        self._findings = reader.findings
        self._reader = reader

    def read(self, root: Element) -> tuple[list[Parameter], list[Secret]]:
        """Take the ``<param>`` and ``<secret>`` children before the first node off the element."""
        parameters: list[Parameter] = []
        secrets: list[Secret] = []
        kept: list[Any] = []
        leading = True
        for item in root.content:
            kind = kind_of(item.family, item.local) if isinstance(item, Element) else ""
            leading = leading and kind not in NODES
            if isinstance(item, Element) and leading and kind == "param":
                parameters += self._parameter(item)
            elif isinstance(item, Element) and leading and kind == "secret":
                secrets += self._secret(item)
            else:
                kept.append(item)
        root.content = kept
        return parameters, secrets

    def only(self, settings: Settings, known: Collection[str], element: Element) -> None:
        """Report each attribute that the element does not have."""
        for setting in settings.values():
            if setting.name not in known:
                self._findings.add(
                    setting.offset,
                    "unknown-attribute",
                    f"<{element.name}> has no attribute {setting.written!r}",
                    length=len(setting.written),
                    expected="one of " + ", ".join(known),
                    suggestion=nearest(setting.name, known),
                )

    def _name(self, element: Element, settings: Settings) -> str:
        name = word_in(settings, "name")
        if not name:
            message = f"<{element.name}> needs a name"
            self._findings.at_element(element, "missing-name", message, expected='name="…"')
        return name

    def _secret(self, element: Element) -> list[Secret]:
        settings = self._reader.attributes(element)
        self.only(settings, ("name",), element)
        self._reader.only_text(element)
        name = self._name(element, settings)
        if not name:
            return []
        return [Secret.build(name=name, location=self._source.location(element.offset))]

    def _parameter(self, element: Element) -> list[Parameter]:
        settings = self._reader.attributes(element)
        self.only(settings, PARAMETER, element)
        self._reader.only_text(element)
        name = self._name(element, settings)
        kind, choices = self._type(settings.get("type"))
        required = self._required(settings.get("required"))
        default = settings.get("default")
        value = None if default is None else self._default(default, kind, choices)
        parameter = Parameter.build(
            name=name,
            location=self._source.location(element.offset),
            type=kind,
            choices=choices,
            has_default=default is not None,
            default=value,
            required=required,
            description=element_text(self._source, element).value,
        )
        return [parameter] if name else []

    def _at_value(self, setting: Setting, code: str, message: str, **details: str | None) -> None:
        text = setting.value
        assert isinstance(text, Text)  # attributes have texts
        self._findings.add(text.offset(0), code, message, length=len(text.value), **details)

    def _type(self, setting: Setting | None) -> tuple[Any, tuple[str, ...]]:
        if setting is None:
            return None, ()
        found = read_type(str(setting.value))
        if found is not None:
            return found
        word = str(setting.value)
        self._at_value(
            setting,
            "unknown-type",
            f"there is no type {word!r}",
            expected=EXPECTED,
            suggestion=nearest_name(word, TYPES),
        )
        return None, ()

    def _required(self, setting: Setting | None) -> bool:
        word = "false" if setting is None else str(setting.value).strip()
        if setting is not None and word not in ("true", "false"):
            message = f"{word!r} does not say whether it is required"
            self._at_value(setting, "invalid-required", message, expected="true or false")
        return word == "true"

    def _default(self, setting: Setting, kind: str | None, choices: tuple[str, ...]) -> Any:
        word = str(setting.value)
        try:
            return convert(word, kind, choices)
        except ValueError:
            self._at_value(
                setting,
                "invalid-default",
                f"the default {word[:40]!r} does not fit its type",
                expected=describe_type(kind, choices) + ("" if choices else " as JSON"),
            )
            return None
