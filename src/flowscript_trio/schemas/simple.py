"""Owns what the text of a setting may be, as a union of restrictions of XML Schema's own types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from ..validator.fields import Field, Form
from .patterns import ANY_TEXT, xsd_pattern


@dataclass(frozen=True, slots=True)
class Restriction:
    """A type of XML Schema (``xs:integer``) with facets, such as ("minInclusive", "1")."""

    base: str
    facets: tuple[tuple[str, str], ...] = ()


Union = tuple[Restriction, ...]
"""What a text may be: one of these."""

TEXT = Restriction("xs:string")
TEMPLATE = Restriction("xs:string", (("pattern", ANY_TEXT + r"\{\{" + ANY_TEXT),))
CONSTANT = Restriction(
    "xs:string",
    (("pattern", r"(\\(\{\{)?|\{?[^{\\]|\{\\(\{\{)?)*\{?"),),
)
"""A text in which no template begins; ``\\{{`` begins none."""

ID = Restriction("xs:string", (("pattern", "[A-Za-z_][A-Za-z0-9_-]*"),))

# What pydantic reads as these; XML Schema's own types know only some of it.
_BOOLEAN = (
    Restriction("xs:token", (("enumeration", "true"), ("enumeration", "false"))),
    Restriction(
        "xs:token",
        (
            (
                "pattern",
                "[tT]([rR][uU][eE])?|[fF]([aA][lL][sS][eE])?|[yY]([eE][sS])?|[nN][oO]?|[oO]([nN]|[fF][fF])|0|1",
            ),
        ),
    ),
)
_ODD_NUMBER = Restriction("xs:token", (("pattern", r"[+\-]?[0-9]+(_[0-9]+)+|[+\-]?[0-9_]+\.0*"),))
_BOUNDS = {
    "minimum": "minInclusive",
    "maximum": "maxInclusive",
    "exclusiveMinimum": "minExclusive",
    "exclusiveMaximum": "maxExclusive",
}


def _without_template(one: Restriction) -> Restriction:
    """The same where no ``{{`` may be written: unless its pattern says what may."""
    if one.base != TEXT.base or any(facet == "pattern" for facet, _ in one.facets):
        return one
    return Restriction(one.base, (*CONSTANT.facets, *one.facets))


def words(*choices: str) -> Restriction:
    """One of these words, with white space around it or not."""
    return Restriction("xs:token", tuple(("enumeration", word) for word in choices))


def text_of_field(field: Field) -> Union:
    """What the text of a setting may be, as its model says; a template wherever it need not be a constant."""
    if field.form is Form.EXPRESSION:
        return (words(*field.words), TEXT) if field.words else (TEXT,)
    if field.form is Form.TEMPLATE:
        return (TEXT,)
    schema = json_schema(field.type)
    reader = _SchemaReader(schema.get("$defs", {}), null=field.form is Form.STRUCTURE)
    found = reader.read(schema)
    if field.constant is not None:
        return tuple(_without_template(one) for one in found)
    return found if TEXT in found else (*found, TEMPLATE)


def json_schema(kind: Any) -> Mapping[str, Any]:
    """The JSON Schema of a field's type; an empty one, which allows everything, where pydantic has none."""
    try:
        return TypeAdapter(kind).json_schema()
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return {}


def join(unions: Iterable[Union]) -> Union:
    """What may be any of these, each restriction once."""
    return tuple(dict.fromkeys(one for union in unions for one in union))


@dataclass(frozen=True, slots=True)
class _SchemaReader:
    """Reads a JSON Schema of scalars; what is a list, an object, or not said may be any text.

    ``null`` says that the text is YAML, so that ``null`` can be written.
    """

    definitions: Mapping[str, Any]
    null: bool

    def read(self, schema: Mapping[str, Any]) -> Union:
        if "$ref" in schema:
            return self.read(self.definitions[schema["$ref"].rpartition("/")[2]])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return join(map(self.read, schema[union]))
        if "const" in schema or "enum" in schema:
            choices = schema.get("enum", [schema.get("const")])
            return (words(*(str(choice) for choice in choices)),)
        match schema.get("type"):
            case "null":
                return (words("null"),) if self.null else ()
            case "boolean":
                return _BOOLEAN
            case "integer":
                return (Restriction("xs:integer", _bounds(schema)), _ODD_NUMBER)
            case "number":
                return (Restriction("xs:double", _bounds(schema)), _ODD_NUMBER)
            case "string":
                return (_text(schema),)
            case _:
                return (TEXT,)


def _bounds(schema: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((facet, str(schema[bound])) for bound, facet in _BOUNDS.items() if bound in schema)


def _text(schema: Mapping[str, Any]) -> Restriction:
    facets = []
    pattern = xsd_pattern(schema["pattern"]) if "pattern" in schema else None
    if pattern is not None:
        facets.append(("pattern", pattern))
    for bound in ("minLength", "maxLength"):
        if bound in schema:
            facets.append((bound, str(schema[bound])))
    return Restriction("xs:string", tuple(facets))
