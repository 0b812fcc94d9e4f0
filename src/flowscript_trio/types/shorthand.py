"""Owns the short form of a schema: ``{score: number, tags: string[], note: string?}`` as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from .errors import nearest
from .patterns import pattern

TYPES = ("string", "number", "integer", "boolean", "object", "array", "any")
DEEPEST = 64

Named = Mapping[str, dict[str, Any]]
"""Schemas that have names, which stand for them in others."""
NONE: Named = MappingProxyType({})

_TOKEN = pattern(
    r"""\s*(?:(?P<word>[^\W\d][\w-]*|\d[\w.-]*)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<mark>[{}\[\]:,?])|(?P<other>\S)|$)"""
)

Token = tuple[str, str, int]
"""Its kind (``word``, ``text``, ``mark``, or empty at the end), what it says, and the character it begins at."""


_JSON_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_CHOICES = ("anyOf", "oneOf", "allOf", "enum", "required")
_BOUNDS = (
    "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "additionalProperties",
)  # fmt: skip
_WHERE = "which only an output-schema can be, as a whole or by its name among the schemas"
SHORT = "the short form: {name: type}"


def is_json_schema(fields: Mapping[Any, Any]) -> bool:
    """Whether a mapping that should be in the short form is written as a JSON Schema.

    A field may be called ``type``; what no field can be are the bounds and lists beside it.
    """
    kind = fields.get("type")
    if any(isinstance(key, str) and key.startswith("$") for key in fields):
        return True
    if any(isinstance(fields.get(key), list) and len(fields[key]) != 1 for key in _CHOICES):
        return True
    if not isinstance(kind, str) or kind not in _JSON_TYPES:
        return isinstance(kind, list) and len(kind) > 1
    inner = {"object": "properties", "array": "items"}.get(kind, "")
    if isinstance(fields.get(inner), Mapping):
        return True
    return any(isinstance(fields.get(key), (int, float)) for key in _BOUNDS)


def schema_of_text(text: str, named: Named = NONE) -> dict[str, Any]:
    """The JSON Schema that a text in the short form means; ``named`` are those that have names of their own.

    Objects are closed. All their fields are required; a value that may be absent (``?``) may be null, since
    structured-output requests know no other way to say so. Raises ValueError that says where.
    """
    return _ShorthandReader(text, named).read()


def schema_of_mapping(
    fields: Mapping[Any, Any], named: Named = NONE, depth: int = 0
) -> dict[str, Any]:
    """The same of a mapping (as YAML has it) whose values are in the short form; raises ValueError."""
    if depth > DEEPEST:
        raise ValueError("the schema nests too deeply")
    if is_json_schema(fields):
        raise ValueError(f"that is a JSON Schema, {_WHERE}; expected {SHORT}")
    properties = {}
    for key, value in fields.items():
        name = str(key)
        schema = schema_of_value(value, name, named, depth + 1)
        if name.endswith("?"):
            name, schema = name[:-1].rstrip(), nullable(schema)
        if name in properties:
            raise ValueError(f"the schema has the field {name!r} twice")
        properties[name] = schema
    return _closed(properties)


def schema_of_value(value: Any, name: str, named: Named = NONE, depth: int = 0) -> dict[str, Any]:
    """The same of one field of such a mapping: a text, a mapping, or a list of one of them."""
    if isinstance(value, Mapping):
        return schema_of_mapping(value, named, depth)
    if isinstance(value, list) and len(value) == 1:
        return {"type": "array", "items": schema_of_value(value[0], name, named, depth + 1)}
    if not isinstance(value, str):
        raise ValueError(f"the field {name!r} of the schema has no type; expected {_names()}")
    try:
        return schema_of_text(value, named)
    except ValueError as exc:
        raise ValueError(f"in the field {name!r}: {exc}") from None


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what may also be null."""
    kind = schema.get("type")
    if not schema or "anyOf" in schema or isinstance(kind, list):
        return schema  # it allows null as it is
    if "enum" in schema:
        return {"type": [kind, "null"], "enum": [*schema["enum"], None]}
    if kind in ("object", "array"):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [kind, "null"]}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _names() -> str:
    return ", ".join(TYPES) + ", enum[…] or {…}"


class NamedSchemas(Mapping[str, dict[str, Any]]):
    """Schemas by their names, each in the short form, in which others may be named. Each is read when it is used.

    Raises ValueError for one that is not in the short form, or that has itself inside.
    """

    def __init__(self, written: Any) -> None:
        self._written: Mapping[Any, Any] = written if isinstance(written, Mapping) else {}
        self._made: dict[str, dict[str, Any] | None] = {}

    def __getitem__(self, name: str) -> dict[str, Any]:
        if name not in self._made:
            self._made[name] = None
            self._made[name] = self._read(name)
        made = self._made[name]
        if made is None:
            raise ValueError(f"the schema {name!r} has itself inside")
        return made

    def _read(self, name: str) -> dict[str, Any]:
        written = self._written[name]
        if isinstance(written, Mapping) and is_json_schema(written):
            raise ValueError(f"{name!r} is a JSON Schema, {_WHERE}; expected {SHORT}")
        return schema_of_value(written, name, self)

    def __contains__(self, name: object) -> bool:
        return name in self._written

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._written if isinstance(name, str))

    def __len__(self) -> int:
        return len(self._written)


class _ShorthandReader:
    """Reads one text from left to right."""

    def __init__(self, text: str, named: Named) -> None:
        self._text = text
        self._given = named
        self._at = 0
        self._token: Token = ("", "", 0)
        self._next()

    def read(self) -> dict[str, Any]:
        schema = self._type(0)
        if self._token[0]:
            raise self._error("the end")
        return schema

    def _type(self, depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            raise ValueError("the schema nests too deeply")
        kind, word, at = self._token
        schema: dict[str, Any]
        if word == "{" and kind == "mark":
            schema = self._object(depth)
        elif kind == "word" and word == "enum":
            schema = self._enum()
        elif kind == "text":  # a quoted type, as in JSON
            schema = schema_of_text(self._value(), self._given)
        elif kind == "word":
            self._next()
            schema = self._named(word, at)
        else:
            raise self._error(_names())
        while self._token[:2] in (("mark", "["), ("mark", "?")):
            if self._token[1] == "?":
                self._next()
                schema = nullable(schema)
            else:
                self._next()
                self._take("]")
                schema = {"type": "array", "items": schema}
        return schema

    def _named(self, word: str, at: int) -> dict[str, Any]:
        if word in self._given and word not in TYPES:
            return self._given[word]
        if word not in TYPES:
            near = nearest(word, [*TYPES, "enum", *self._given])
            hint = f" (did you mean {near!r}?)" if near else ""
            raise ValueError(
                f"there is no type {word!r} at character {at + 1}{hint}; expected {_names()}"
            )
        if word == "any":
            return {}
        return {"type": "array", "items": {}} if word == "array" else {"type": word}

    def _object(self, depth: int) -> dict[str, Any]:
        self._take("{")
        properties: dict[str, Any] = {}
        while self._token[:2] != ("mark", "}"):
            kind, _, at = self._token
            if kind not in ("word", "text"):
                raise self._error("the name of a field or '}'")
            name = self._value()
            is_optional = self._token[:2] == ("mark", "?")
            if is_optional:
                self._next()
            self._take(":")
            schema = self._type(depth + 1)
            if name in properties:
                raise ValueError(f"the schema has the field {name!r} twice, at character {at + 1}")
            properties[name] = nullable(schema) if is_optional else schema
            if self._token[:2] == ("mark", ","):
                self._next()
            elif self._token[:2] != ("mark", "}"):
                raise self._error("',' or '}'")
        self._take("}")
        return _closed(properties)

    def _enum(self) -> dict[str, Any]:
        self._next()
        self._take("[")
        words: list[str] = []
        while self._token[:2] != ("mark", "]"):
            if self._token[0] not in ("word", "text"):
                raise self._error("a word or ']'")
            words.append(self._value())
            if self._token[:2] == ("mark", ","):
                self._next()
            elif self._token[:2] != ("mark", "]"):
                raise self._error("',' or ']'")
        if not words:
            raise self._error("a word")
        self._take("]")
        return {"type": "string", "enum": list(dict.fromkeys(words))}

    def _value(self) -> str:
        """The word, or what is between the quotes."""
        kind, word, _ = self._token
        self._next()
        return re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL) if kind == "text" else word

    def _take(self, mark: str) -> None:
        if self._token[:2] != ("mark", mark):
            raise self._error(repr(mark))
        self._next()

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        assert found is not None, "every text begins with a token or is at its end"
        kind = found.lastgroup or ""
        self._token = (
            kind,
            found[kind] if kind else "",
            found.start(kind) if kind else found.end(),
        )
        self._at = found.end()

    def _error(self, expected: str) -> ValueError:
        kind, word, at = self._token
        found = f"has {word!r} at character {at + 1}" if kind else "ends"
        return ValueError(f"the schema {found}; expected {expected}")
