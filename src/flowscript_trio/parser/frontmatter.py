"""Owns the reading of front matter, that of ``.flow.md`` documents for the most part."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any

import yaml

from ..language.synonyms import nearest_name
from ..types.ast import Parameter, Secret, Setting, Shaped
from ..types.declared import describe_type, fits
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Text
from ..types.shorthand import SHORT, NamedSchemas, is_json_schema, nullable, schema_of_value
from .composing import check_keys, compose, scalar
from .declared import EXPECTED, TYPES, read_type
from .front import Front
from .frontkeys import KEYS, PARAMETER, RUNTIME, VERSION
from .hidden import control_in
from .yamlproblem import YamlProblem

_RUNTIME = {key: "max_concurrency" if key == "concurrency" else key for key in RUNTIME}
_VERSION = re.compile(VERSION)
_CALLED = {
    **dict.fromkeys(("params", "parameters", "variables", "vars", "settings", "options"), "config"),
    **dict.fromkeys(("env", "credentials"), "secrets"),
    **dict.fromkeys(("types", "definitions", "models"), "schemas"),
    **dict.fromkeys(("on", "schedule", "cron"), "trigger"),
    **dict.fromkeys(("returns", "result", "results"), "output"),
    "title": "name",
}
"""What keys of other languages are called here."""


class FrontReader:
    """Reads the keys of one front matter; each one that is wrong is reported, and the others are read."""

    def __init__(self, findings: Findings, start: int) -> None:
        self._source = findings.source
        self._start = start
        self._findings = findings

    def read(self, text: str) -> Front:
        front = Front(offset=self._start + 1)
        try:
            node = compose(text)
            if node is None:
                return front
            if not isinstance(node, yaml.MappingNode):
                message = "the front matter is not a mapping"
                self._at(node, "front-matter", message, "key: value lines")
                front.unreadable = True
                return front
            check_keys(node)
        except YamlProblem as exc:
            self._report(exc.offset, "yaml", exc.message)
            front.unreadable = True
            return front
        shaped: list[tuple[str, yaml.Node]] = []
        for key, value in node.value:
            try:
                if key.value in ("input", "output"):
                    shaped.append((key.value, value))
                else:
                    self._entry(front, key, value)
            except YamlProblem as exc:
                self._report(exc.offset, "yaml", exc.message)
        for word, value in shaped:  # last: they may name the schemas
            try:
                setattr(front, word, self._shaped(value, NamedSchemas(front.schemas)))
            except YamlProblem as exc:
                self._report(exc.offset, "yaml", exc.message)
        return front

    def _report(self, index: int, code: str, message: str, length: int = 1, **details: Any) -> None:
        at = min(self._start + index, max(len(self._source.text) - 1, 0))
        self._findings.add(at, code, message, length=length, **details)

    def _at(
        self, node: yaml.Node, code: str, message: str, expected: str | None = None, **details: Any
    ) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        length = max(1, min(end - start, 60))
        self._report(start, code, message, length, expected=expected, **details)

    def _unknown(self, key: yaml.Node, what: str, known: list[str]) -> None:
        word = str(key.value)
        self._at(
            key,
            "unknown-key",
            f"{what} has no key {word!r}",
            ", ".join(known),
            severity="warning",
            suggestion=nearest(word, known) or _CALLED.get(word),
        )

    def _entry(self, front: Front, key: yaml.ScalarNode, value: yaml.Node) -> None:
        word = key.value
        if word in RUNTIME:
            message = f"the front matter has no key {word!r}"
            expected = f"runtime: {{{word}: …}}"
            self._at(key, "unknown-key", message, expected, severity="warning")
        elif word not in KEYS:
            self._unknown(key, "the front matter", sorted(KEYS))
        elif word in ("name", "version", "description"):
            self._text(front, word, value)
        elif word == "config":
            front.parameters = self._parameters(value)
        elif word == "secrets":
            front.secrets = self._secrets(value)
        elif word == "runtime":
            self._runtime(front, value)
        else:
            setattr(front, word, plain(value))
            if word == "schemas" and not isinstance(front.schemas, (dict, NoneType)):
                message = "schemas is not a mapping, so that no schema has a name"
                expected = "schemas: {Name: {name: type}}"
                self._at(value, "front-matter", message, expected, severity="warning")

    def _text(self, front: Front, word: str, value: yaml.Node) -> None:
        if not isinstance(value, yaml.ScalarNode):
            self._at(value, "front-matter", f"{word} is not text", "text")
            front.unreadable = front.unreadable or word == "name"
            return
        setattr(front, word, value.value)
        wrong = control_in(value.value) if word == "name" else None
        if wrong:
            self._at(value, "control-character", wrong)
        if word == "version" and not _VERSION.fullmatch(value.value):
            self._at(value, "version", f"{value.value!r} is not a version", "X.Y or X.Y.Z")

    def _pairs(self, node: yaml.Node) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if isinstance(node, yaml.ScalarNode) and scalar(node) is None:
            return []
        if not isinstance(node, yaml.MappingNode):
            self._at(node, "front-matter", "this is not a mapping", "key: value lines")
            return []
        check_keys(node)
        return list(node.value)

    # ---- config ----

    def _parameters(self, node: yaml.Node) -> tuple[Parameter, ...]:
        if isinstance(node, yaml.MappingNode) and _has_properties(plain(node)):
            message = "this is a JSON Schema; here each key stands with its description"
            self._at(node, "invalid-schema", message, "{name: {type: string, default: …}}")
            return ()
        return tuple(self._parameter(name, entry) for name, entry in self._pairs(node))

    def _parameter(self, name: yaml.ScalarNode, node: yaml.Node) -> Parameter:
        place = self._source.location(self._start + name.start_mark.index)
        if not isinstance(node, yaml.MappingNode):  # `key: 5` is short for a default
            value = plain(node)
            if isinstance(value, str) and read_type(value) is not None:
                message = f"{value!r} is the default of {name.value!r} here, not its type"
                expected = f"{name.value}: {{type: {value}}}"
                self._at(node, "default-not-type", message, expected, severity="warning")
            return Parameter(
                name=name.value, location=place, default=value, has_default=value is not None
            )
        found: dict[str, yaml.Node] = {}
        for key, value in self._pairs(node):
            if key.value in PARAMETER:
                found[key.value] = value
            else:
                self._unknown(key, "a configuration key", sorted(PARAMETER))
        kind, choices = self._type(found.get("type"))
        description = found.get("description")
        return Parameter(
            name=name.value,
            location=place,
            type=kind,
            choices=choices,
            has_default="default" in found,
            default=self._default(found.get("default"), kind, choices),
            required=self._required(found.get("required")),
            description=description.value if isinstance(description, yaml.ScalarNode) else "",
        )

    def _type(self, node: yaml.Node | None) -> tuple[Any, tuple[str, ...]]:
        if node is None:
            return None, ()
        found = read_type(node.value) if isinstance(node, yaml.ScalarNode) else None
        if found is not None:
            return found
        word = self._source.text[self._start + node.start_mark.index :][:40].split("\n")[0]
        if isinstance(node, yaml.ScalarNode):
            word = node.value
        self._at(
            node,
            "unknown-type",
            f"there is no type {word!r}",
            EXPECTED,
            suggestion=None if word == "enum" else nearest_name(word, TYPES),
        )
        return None, ()

    def _default(self, node: yaml.Node | None, kind: str | None, choices: tuple[str, ...]) -> Any:
        if node is None:
            return None
        value = plain(node)
        if value is not None and kind in ("string", "enum") and isinstance(node, yaml.ScalarNode):
            value = node.value  # `default: 1.10` of a string is that text
        if value is not None and not fits(value, kind, choices):
            message = f"the default does not fit: it is not {describe_type(kind, choices)}"
            self._at(node, "invalid-default", message, describe_type(kind, choices))
            return None
        return value

    def _required(self, node: yaml.Node | None) -> bool:
        if node is None:
            return False
        value = plain(node)
        if not isinstance(value, bool):
            message = f"{value!r} does not say whether it is required"
            self._at(node, "invalid-required", message, "true or false")
        return value is True

    # ---- input and output ----

    def _shaped(self, node: yaml.Node, named: NamedSchemas) -> tuple[Shaped, ...]:
        """The members of the input or the output, each in the short form of a schema or as in ``config``.

        The name of a schema stands for all of its members.
        """
        if isinstance(node, yaml.ScalarNode) and scalar(node) is not None:
            return self._named(node, named)
        if isinstance(node, yaml.MappingNode) and is_json_schema(plain(node)):
            message = "this is a JSON Schema; here each member stands with its type"
            self._at(node, "invalid-schema", message, SHORT)
            return ()
        found = []
        for key, value in self._pairs(node):
            place = self._source.location(self._start + key.start_mark.index)
            name = key.value
            if _is_described(value):
                found.append(self._described(self._parameter(key, value)))
                continue
            try:
                shape = schema_of_value(plain(value), name, named)
            except ValueError as exc:
                message, _, expected = str(exc).partition("; expected ")
                self._at(value, "invalid-schema", message, expected or None)
                shape = {}
            is_optional = name.endswith("?")
            if is_optional:
                name, shape = name[:-1].rstrip(), nullable(shape)
            required = not is_optional and bool(shape) and not _takes_null(shape)
            found.append(Shaped(name=name, location=place, shape=shape, required=required))
        return tuple(found)

    def _named(self, node: yaml.ScalarNode, named: NamedSchemas) -> tuple[Shaped, ...]:
        """The members of a schema that has a name of its own."""
        place = self._source.location(self._start + node.start_mark.index)
        if node.value not in named:
            message = f"there is no schema {node.value!r}"
            near = nearest(node.value, list(named))
            expected = f"the members, {{name: type}}, or schemas: {{{node.value}: {{name: type}}}}"
            self._at(node, "front-matter", message, expected, suggestion=near)
            return ()
        try:
            members = named[node.value].get("properties")
        except ValueError as exc:
            message, _, expected = str(exc).partition("; expected ")
            self._at(node, "invalid-schema", message, expected or SHORT)
            return ()
        if members is None:
            message = f"{node.value!r} is not the schema of an object"
            self._at(node, "invalid-schema", message, f"one in {SHORT}")
            return ()
        return tuple(
            Shaped(name=name, location=place, shape=shape, required=not _takes_null(shape))
            for name, shape in members.items()
        )

    def _described(self, parameter: Parameter) -> Shaped:
        """What is declared as a configuration key is."""
        kind = parameter.type
        shape: dict[str, Any] = {} if kind is None else {"type": kind}
        if kind == "enum":
            shape = {"type": "string", "enum": list(parameter.choices)}
        elif kind == "array":
            shape["items"] = {}
        return Shaped(
            name=parameter.name,
            location=parameter.location,
            shape=shape if parameter.required else nullable(shape),
            required=parameter.required and not parameter.has_default,
            has_default=parameter.has_default,
            default=parameter.default,
        )

    # ---- secrets and runtime ----

    def _secrets(self, node: yaml.Node) -> tuple[Secret, ...]:
        if isinstance(node, yaml.ScalarNode) and scalar(node) is None:
            return ()
        if not isinstance(node, yaml.SequenceNode):
            self._at(node, "front-matter", "secrets is not a list", "[NAME, …]")
            return ()
        secrets = []
        for item in node.value:
            if isinstance(item, yaml.ScalarNode) and item.value:
                place = self._source.location(self._start + item.start_mark.index)
                secrets.append(Secret(name=item.value, location=place))
            else:
                self._at(item, "front-matter", "this is not the name of a secret", "NAME")
        return tuple(secrets)

    def _runtime(self, front: Front, node: yaml.Node) -> None:
        for key, value in self._pairs(node):
            name = _RUNTIME.get(key.value)
            if name is None:
                self._unknown(key, "runtime", list(_RUNTIME))
            elif not isinstance(value, yaml.ScalarNode):
                message = f"{key.value} is not a single value"
                self._at(value, "front-matter", message, "a number or a duration")
            else:
                start = self._start + value.start_mark.index + (1 if value.style else 0)
                text = Text(value.value, self._source, ((0, start),))
                offset = self._start + key.start_mark.index
                setattr(
                    front,
                    name,
                    Setting(name, key.value, text, self._source, offset),
                )


def _has_properties(written: dict[str, Any]) -> bool:
    """Whether it is a JSON Schema of an object; keys of a configuration may be called as words of that."""
    return is_json_schema(written) and isinstance(written.get("properties"), dict)


def _is_described(node: yaml.Node) -> bool:
    """Whether a declaration is written as in ``config``: by its type, default and so on."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        return False
    keys = {key.value: value for key, value in node.value}
    kind = keys.get("type")
    return keys.keys() <= PARAMETER.keys() and (
        kind is None or (isinstance(kind, yaml.ScalarNode) and read_type(kind.value) is not None)
    )


def _takes_null(shape: dict[str, Any]) -> bool:
    kind = shape.get("type")
    return "anyOf" in shape or (isinstance(kind, list) and "null" in kind)


def plain(node: yaml.Node) -> Any:
    """The value of a YAML node in plain Python."""
    if isinstance(node, yaml.MappingNode):
        check_keys(node)
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return scalar(node)
