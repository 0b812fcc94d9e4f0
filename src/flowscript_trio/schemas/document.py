"""Owns the root of a document in XML Schema: the workflow, what it declares, and that its ids are unique."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ..language.structure import NODES
from ..parser.declared import TYPES
from ..types.limits import EXPECTED_BREAKER, EXPECTED_RATE
from ..validator.common import LIMIT, TIMEOUT
from .settings import Setting, Settings, SettingWriter
from .simple import TEXT, Restriction, text_of_field, words
from .xsd import choice, documented, group, tag, xml_attributes

_ANY = (TEXT,)
_VERSION = Restriction("xs:token", (("pattern", r"[0-9]+\.[0-9]+(\.[0-9]+)?"),))
WORKFLOW = Settings(
    (
        Setting("name", _ANY, "its name (required, here or in the front matter)"),
        Setting("version", (_VERSION,), "X.Y or X.Y.Z"),
        Setting("description", _ANY, "what it is for"),
        Setting("timeout", text_of_field(TIMEOUT), "how long a run may take"),
        Setting(
            "max_concurrency",
            text_of_field(LIMIT),
            "how many nodes of a body run at once, where nothing else is said (default: 10)",
        ),
    )
)
_ENUM = Restriction("xs:token", (("pattern", r"enum\[.+\]"),))
PARAMETER = Settings(
    (
        Setting("name", _ANY, "its name in $config, and in $input of a document that is called"),
        Setting("type", (words(*TYPES), _ENUM), "what its value must be"),
        Setting("default", _ANY, "its value where none is given"),
        Setting("required", (words("true", "false"),), "whether a value must be given"),
    )
)
SECRET = Settings((Setting("name", _ANY, "its name in $secrets"),))

_WHOLE = (Restriction("xs:positiveInteger"),)
NAMED_LIMIT = Settings(
    (
        Setting("name", _ANY, "its name, by which nodes take it"),
        Setting("max", _WHOLE, "how many hold it at once"),
        Setting(
            "rate",
            (Restriction("xs:token", (("pattern", r"[0-9]+(\.[0-9]+)?\s*/\s*.+"),)),),
            f"how often it may be passed: {EXPECTED_RATE}",
        ),
        Setting("burst", _WHOLE, "how many may pass at once after a pause (default: 1)"),
        Setting(
            "breaker",
            (Restriction("xs:token", (("pattern", r"[0-9]+\s+in\s+[^,]+,\s*.+"),)),),
            f"when nothing is tried for a while: {EXPECTED_BREAKER}",
        ),
    )
)


def document_types(writer: SettingWriter) -> Iterator[Element]:
    """The types of the workflow and of what it declares."""
    yield _workflow(writer)
    for name, settings, meaning in (
        ("param", PARAMETER, "Declares an argument; its text is a description."),
        ("secret", SECRET, "Declares a secret by its name."),
        ("limit", NAMED_LIMIT, "Declares a limit that nodes take by its name."),
    ):
        content = tag(
            "extension", *writer.as_attributes(settings), xml_attributes(), base="xs:string"
        )
        yield documented(tag("complexType", tag("simpleContent", content), name=name), meaning)


def _workflow(writer: SettingWriter) -> Element:
    """Declarations are before the first node; what ends a workflow may be anywhere."""
    endings = [
        group(f"{prefix}{slot}") for slot in ("endings", "failing") for prefix in ("", "control:")
    ]
    declarations = [group("declarations"), group("control:declarations")]
    nodes = tag("choice", group("nodes"), group("control:nodes"))
    rest = choice([group("nodes"), group("control:nodes"), *_again(endings)])
    body = tag("sequence", nodes, rest, minOccurs="0")
    return tag(
        "complexType",
        tag("sequence", choice([*declarations, *endings]), body),
        *writer.as_attributes(WORKFLOW),
        xml_attributes(),
        name="workflow",
    )


def _again(groups: list[Element]) -> list[Element]:
    return [group(one.get("ref", "")) for one in groups]


def root_element() -> Element:
    """The workflow's element. No two nodes in it have one id."""
    own = [f".//{name}" for name in sorted(NODES)]
    families = [f".//{family}:*" for family in ("source", "transform", "sink", "control")]
    unique = tag(
        "unique",
        tag("selector", xpath="|".join([*own, *families])),
        tag("field", xpath="@id"),
        name="ids",
    )
    element = tag("element", unique, name="workflow", type_="workflow")
    return documented(element, "A FlowScript workflow.")
