"""Owns the making of XML Schema's own elements; they are put together as text, so that no XML is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from .simple import TEXT, Restriction, Union

XML = "http://www.w3.org/XML/1998/namespace"
URN = "urn:flowscript:"


def tag(name: str, /, *children: Element, **attributes: str) -> Element:
    """An element of XML Schema; ``type_`` and its like are attributes that are words of Python."""
    made = Element(f"xs:{name}", {key.rstrip("_"): value for key, value in attributes.items()})
    made.extend(children)
    return made


def documented(element: Element, text: str) -> Element:
    """The element with its documentation, which is its first child."""
    if text:
        documentation = tag("documentation")
        documentation.text = text
        element.insert(0, tag("annotation", documentation))
    return element


def choice(children: Iterable[Element]) -> Element:
    """Any of the children, in any order and number."""
    return tag("choice", *children, minOccurs="0", maxOccurs="unbounded")


def group(name: str) -> Element:
    """The use of a group."""
    return tag("group", ref=name)


def attributes(name: str) -> Element:
    """The use of a group of attributes."""
    return tag("attributeGroup", ref=name)


def xml_attributes(others: bool = False) -> Element:
    """What XML itself has (``xml:space``); with ``others`` any attribute without a prefix, too."""
    namespace = f"##local {XML}" if others else XML
    return tag("anyAttribute", namespace=namespace, processContents="skip")


def simple_type(name: str, union: Union) -> Element:
    """The type of that name for texts which may be any of these."""
    if len(union) == 1:
        return tag("simpleType", _restriction(union[0]), name=name)
    members = [tag("simpleType", _restriction(one)) for one in union]
    return tag("simpleType", tag("union", *members), name=name)


def _restriction(one: Restriction) -> Element:
    facets = [tag(facet, value=value) for facet, value in one.facets]
    return tag("restriction", *facets, base=one.base)


def is_any_text(union: Union) -> bool:
    """Whether every text is right."""
    return union == (TEXT,)


def written(
    children: Iterable[Element], comment: str, namespaces: Mapping[str, str], **attributes: str
) -> str:
    """The text of a schema."""
    declared = {"xmlns:xs": "http://www.w3.org/2001/XMLSchema"}
    declared |= {f"xmlns:{prefix}": uri for prefix, uri in namespaces.items()}
    root = Element("xs:schema", {**declared, **attributes})
    root.append(ElementTree.Comment(f" {comment} "))
    root.extend(children)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'
