"""Owns the declarations of a workflow: its leading ``<param>``, ``<secret>`` and ``<limit>`` children."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, TypeVar

from ..language.structure import NODES
from ..language.synonyms import nearest_name
from ..types.ast import LimitDeclaration, Parameter, Secret, Setting
from ..types.declared import describe_type
from ..types.errors import nearest
from ..types.limits import NAME, parse_breaker, parse_count, parse_rate
from ..types.location import Text
from .declared import EXPECTED, TYPES, convert, read_type
from .markup import Element
from .names import kind_of
from .reading import SettingReader, Settings
from .texts import element_text

T = TypeVar("T")

PARAMETER = ("name", "type", "default", "required")
LIMIT = ("name", "max", "rate", "burst", "breaker")


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

    def read(self, root: Element) -> tuple[list[Parameter], list[Secret], list[LimitDeclaration]]:
        """Take the declarations before the first node off the element."""
        parameters: list[Parameter] = []
        secrets: list[Secret] = []
        limits: list[LimitDeclaration] = []
        kept: list[Any] = []
        leading = True
        for item in root.content:
            kind = kind_of(item.family, item.local) if isinstance(item, Element) else ""
            leading = leading and kind not in NODES
            if isinstance(item, Element) and leading and kind == "param":
                parameters += self._parameter(item)
            elif isinstance(item, Element) and leading and kind == "secret":
                secrets += self._secret(item)
            elif isinstance(item, Element) and leading and kind == "limit":
                limits += self._limit(item)
            else:
                kept.append(item)
        root.content = kept
        return parameters, secrets, limits

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
        return [Secret(name=name, location=self._source.location(element.offset))]

    def _limit(self, element: Element) -> list[LimitDeclaration]:
        settings = self._reader.attributes(element)
        self.only(settings, LIMIT, element)
        self._reader.no_text(element, f"<{element.name}>")
        for child in element.children:
            self._reader.unexpected(child, (), element)
        name = self._name(element, settings)
        if name and NAME.fullmatch(name) is None:
            message = f"a limit cannot be called {name!r}"
            expected = "a letter or _, then letters, digits, _, - and ."
            self._at_value(settings["name"], "invalid-limit", message, expected=expected)
        burst = self._read(settings.get("burst"), partial(parse_count, what="burst"))
        if "burst" in settings and "rate" not in settings:
            setting = settings["burst"]
            message = "burst goes only with a rate"
            self._at_value(setting, "invalid-limit", message, expected='rate="…" beside it')
        limit = LimitDeclaration(
            name=name,
            location=self._source.location(element.offset),
            max=self._read(settings.get("max"), partial(parse_count, what="max")),
            rate=self._read(settings.get("rate"), parse_rate),
            burst=burst or 1,
            breaker=self._read(settings.get("breaker"), parse_breaker),
        )
        return [limit] if name else []

    def _read(self, setting: Setting | None, parse: Callable[[object], T]) -> T | None:
        """The value of a setting of a limit; None where it is not given, or is wrong, which is reported."""
        if setting is None:
            return None
        try:
            return parse(str(setting.value))
        except ValueError as exc:
            message, _, expected = str(exc).partition("; expected ")
            self._at_value(setting, "invalid-limit", message, expected=expected)
            return None

    def _parameter(self, element: Element) -> list[Parameter]:
        settings = self._reader.attributes(element)
        self.only(settings, PARAMETER, element)
        self._reader.only_text(element)
        name = self._name(element, settings)
        kind, choices = self._type(settings.get("type"))
        required = self._required(settings.get("required"))
        default = settings.get("default")
        value = None if default is None else self._default(default, kind, choices)
        parameter = Parameter(
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
            suggestion=None if word == "enum" else nearest_name(word, TYPES),
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
