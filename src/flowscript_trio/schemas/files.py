"""Owns the files of the schemas: which there are, and how they refer to each other."""

from __future__ import annotations

import json
from xml.etree.ElementTree import Element

from ..language.elements import ELEMENTS
from ..language.structure import FAMILIES
from ..runtimes.registry import Registry
from ..runtimes.registry import registry as default_registry
from .document import document_types, root_element
from .front import front_matter_schema
from .language import Language
from .settings import SettingWriter
from .slots import HANDLING, SLOTS
from .xsd import URN, group, tag, written

MAIN = "flowscript.xsd"
FRONT = "front-matter.json"
_PREFIXES = (*FAMILIES, "control")
_COMMENT = (
    "The language FlowScript, written by flowscript schema: write it again, do not change it."
)


def schema_files(registry: Registry | None = None) -> dict[str, str]:
    """The schemas of the language with the runtimes of a registry, for editors and other tools.

    Args:
        registry: the runtimes; without one the default registry.

    Returns:
        The texts of the files by their names. ``flowscript.xsd`` is the schema of documents (XML Schema 1.0) and
        imports the others that end in ``.xsd``, one for each prefix, from beside itself; ``front-matter.json`` is
        the JSON Schema of the front matter of ``.flow.md`` documents.

    It waits for nothing, so cancellation does nothing to it.
    """
    registry = registry or default_registry
    writer = SettingWriter()
    language = Language(registry, writer)
    types = [*document_types(writer), *language.types()]
    front = json.dumps(front_matter_schema(), indent=2, ensure_ascii=False)
    return {
        MAIN: _main([*types, *writer.types()]),
        "control.xsd": _other(
            "control", [_slot(slot) for slot in SLOTS if slot != "nodes-in-block"]
        ),
        **{f"{family}.xsd": _other(family, [_family(language, family)]) for family in FAMILIES},
        FRONT: front + "\n",
    }


def _main(types: list[Element]) -> str:
    imports = [
        tag("import", namespace=f"{URN}{prefix}", schemaLocation=f"{prefix}.xsd")
        for prefix in _PREFIXES
    ]
    everywhere = [tag("element", name=name, type_=kind) for name, kind in HANDLING.items()]
    groups = [_slot(slot, more=_leaves() if slot.startswith("nodes") else []) for slot in SLOTS]
    namespaces = {prefix: f"{URN}{prefix}" for prefix in _PREFIXES}
    children = [*imports, root_element(), *everywhere, *groups, *types]
    return written(children, _COMMENT, namespaces)


def _leaves() -> list[Element]:
    """The nodes that are not control elements, with their types as attributes and as prefixes."""
    own = [tag("element", name=family, type_=family) for family in FAMILIES]
    own += [
        tag("element", name=one.tag, type_=one.runtime.replace(":", "."))
        for one in ELEMENTS.values()
        if one.runtime
    ]
    return [*own, *(group(f"{family}:runtimes") for family in FAMILIES)]


def _other(prefix: str, groups: list[Element]) -> str:
    """The schema of one prefix; the types of its elements are in the main one."""
    back = tag("import", schemaLocation=MAIN)
    uri = f"{URN}{prefix}"
    return written(
        [back, *groups], _COMMENT, {}, targetNamespace=uri, elementFormDefault="qualified"
    )


def _slot(slot: str, more: list[Element] | None = None) -> Element:
    named = [tag("element", name=name, type_=kind) for name, kind in SLOTS[slot].items()]
    return tag("group", tag("choice", *named, *(more or [])), name=slot)


def _family(language: Language, family: str) -> Element:
    named = [
        tag("element", name=name, type_=f"{family}.{name}") for name in language.runtimes(family)
    ]
    return tag("group", tag("choice", *named), name="runtimes")
