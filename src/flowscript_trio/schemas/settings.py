"""Owns the settings of elements in XML Schema: as attributes in every spelling, and as child elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..language.elements import ELEMENTS
from ..parser.names import spellings
from ..runtimes.control.types import PLACE_MEANING
from ..runtimes.wording import default_of
from ..validator.common import ON_CRASH, TIMEOUT, WAITING_TIME
from ..validator.fields import Form, plan_of
from .simple import CONSTANT, ID, TEXT, Union, join, text_of_field
from .xsd import choice, documented, is_any_text, simple_type, tag

ENTRIES = "text.or-entries"

_WITHOUT_ID = " and ".join(
    ", ".join(sorted(tag for tag, one in ELEMENTS.items() if not one.needs_id)).rsplit(", ", 1)
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an element: its snake_case name, what its text may be, and what it means."""

    name: str
    text: Union
    meaning: str = ""
    has_entries: bool = False
    """Whether it is structured, so that child elements may be its entries."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an element; ``is_open`` says that it allows others."""

    known: tuple[Setting, ...] = ()
    is_open: bool = False

    def and_(self, other: Settings) -> Settings:
        """These and the other ones; one that is in both may be what it may be in either."""
        found: dict[str, Setting] = {one.name: one for one in self.known}
        for one in other.known:
            here = found.get(one.name)
            found[one.name] = one if here is None else _either(here, one)
        return Settings(tuple(found.values()), self.is_open or other.is_open)


def _either(one: Setting, other: Setting) -> Setting:
    text = join((one.text, other.text))
    meaning = " / ".join(dict.fromkeys(filter(None, (one.meaning, other.meaning))))
    return Setting(one.name, text, meaning, one.has_entries or other.has_entries)


def settings_of(model: type[BaseModel] | None) -> Settings:
    """The settings that a config model declares; without one any are allowed."""
    if model is None:
        return Settings(is_open=True)
    plan = plan_of(model)
    found = []
    for name, one in plan.fields.items():
        if not name.endswith("_"):  # the model's own name of what is a word of Python
            info = model.model_fields[one.attribute]
            structured = one.form is Form.STRUCTURE
            found.append(Setting(name, text_of_field(one), _meaning(info), structured))
    return Settings(tuple(found), plan.is_open)


def _meaning(info: FieldInfo) -> str:
    """The description of a setting, with its default."""
    said = info.description or ""
    if info.is_required():
        return f"{said} (required)".strip()
    default = default_of(info)
    return f"{said} (default: {default})".strip() if default else said


def of_leaf() -> Settings:
    """The settings that every node has which the language itself does not run."""
    said = (
        "what becomes of it in a durable run when the process dies while it is at work: `retry`, it is done "
        "again (the default), or `fail`, it fails, so that it is done at most once"
    )
    own = Setting("on_crash", text_of_field(ON_CRASH), said)
    return of_node(placed=True).and_(Settings((own,)))


def of_node(waits: bool = False, placed: bool = False) -> Settings:
    """The settings that every node has.

    ``waits`` says that its timeout is a time of waiting for an answer, ``placed`` that it says where it runs.
    """
    timeout = text_of_field(WAITING_TIME if waits else TIMEOUT)
    place = (Setting("place", (TEXT,), PLACE_MEANING),) if placed else ()
    return Settings(
        (
            Setting(
                "id",
                (ID,),
                f"its name in expressions, unique in the document; {_WITHOUT_ID} may go without",
            ),
            Setting(
                "input",
                (TEXT,),
                "the id whose output is its input, or several ids: then it is the list of their outputs; "
                "default: the input of the block around it",
            ),
            Setting("after", (TEXT,), "the ids that it waits for without taking their output"),
            Setting(
                "if",
                (TEXT,),
                "an expression: when falsy the node is skipped, and its output is null",
            ),
            Setting(
                "timeout", timeout, "how long each attempt may take; for a block, the whole of it"
            ),
            Setting(
                "limit",
                (CONSTANT,),
                "the names of limits that it takes for each attempt; for a block, that it holds while it runs",
            ),
            *place,
        )
    )


@dataclass(slots=True)
class SettingWriter:
    """Writes settings as attributes and as elements. The types of their texts get names, and each is made once."""

    names: dict[Union, str] = field(default_factory=dict)

    def as_attributes(self, settings: Settings) -> list[Element]:
        """An attribute for every spelling of every setting."""
        return [
            documented(tag("attribute", name=word, type_=self._type(one)), meaning)
            for one in settings.known
            for word, meaning in _spelled(one)
        ]

    def as_elements(self, settings: Settings, without: Mapping[str, object]) -> list[Element]:
        """An element for every spelling of every setting, but those whose names mean other elements there."""
        return [
            documented(
                tag("element", name=word, type_=ENTRIES if one.has_entries else self._type(one)),
                meaning,
            )
            for one in settings.known
            for word, meaning in _spelled(one)
            if word not in without
        ]

    def types(self) -> list[Element]:
        """The types that were used."""
        return [_entries(), *(simple_type(name, union) for union, name in self.names.items())]

    def _type(self, setting: Setting) -> str:
        if is_any_text(setting.text):
            return "xs:string"
        taken = self.names.values()
        if setting.text not in self.names:
            numbers = range(2, len(self.names) + 3)
            wanted = f"text.{setting.name}"
            self.names[setting.text] = next(
                name for name in (wanted, *(f"{wanted}.{n}" for n in numbers)) if name not in taken
            )
        return self.names[setting.text]


def _entries() -> Element:
    """The type of a setting that is text (YAML), or has its entries as elements of any names."""
    entry = tag("any", namespace="##local", processContents="skip")
    return tag("complexType", choice([entry]), name=ENTRIES, mixed="true")


def _spelled(setting: Setting) -> list[tuple[str, str]]:
    """Each spelling with its documentation."""
    first, *others = spellings(setting.name)
    return [
        (first, setting.meaning),
        *((other, f"Another spelling of {first}.") for other in others),
    ]
