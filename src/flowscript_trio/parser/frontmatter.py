"""Owns the front matter of ``.flow.md`` documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from ..types.ast import Parameter, Secret, Setting
from ..types.errors import Problem, nearest, problem_at
from ..types.location import Source, Text
from .yaml import YamlProblem, compose, scalar

_FENCE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_KEYS = frozenset(
    {
        "name",
        "version",
        "description",
        "config",
        "secrets",
        "runtime",
        "trigger",
        "schemas",
        "evolution",
    }
)
_RUNTIME = {"timeout": "timeout", "concurrency": "max_concurrency", "retry": "retry"}
_PARAMETER = frozenset({"type", "default", "required", "description"})
_TYPES = ("string", "number", "boolean", "object", "array")
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


@dataclass(slots=True)
class Front:
    """What the front matter says. ``offset`` is its place."""

    offset: int | None = None
    name: str = ""
    version: str | None = None
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
    timeout: Setting | None = None
    max_concurrency: Setting | None = None
    retry: Setting | None = None
    trigger: Any = None
    schemas: Any = None
    evolution: Any = None


def read_front(source: Source, start: int, problems: list[Problem]) -> tuple[Front, int]:
    """The front matter of a document and the offset where it ends."""
    first = _FENCE.match(source.text, start)
    if first is None:
        return Front(), start
    second = _FENCE.search(source.text, first.end())
    if second is None:
        message = "the front matter has no end"
        problems.append(
            problem_at(source, start, "front-matter", message, length=3, expected="---")
        )
        return Front(), len(source.text)
    reader = _FrontReader(source, first.end(), problems)
    return reader.read(source.text[first.end() : second.start()]), second.end()


class _FrontReader:
    def __init__(self, source: Source, start: int, problems: list[Problem]) -> None:
        self._source = source
        self._start = start
        self._problems = problems

    def read(self, text: str) -> Front:
        front = Front(offset=self._start + 1 if text else self._start)
        try:
            node = compose(text)
        except YamlProblem as exc:
            self._report(exc.offset, "yaml", exc.message)
            return front
        if node is None:
            return front
        if not isinstance(node, yaml.MappingNode):
            self._at(node, "front-matter", "the front matter is no mapping", "key: value lines")
            return front
        for key, value in node.value:
            self._entry(front, key, value)
        return front

    def _report(self, index: int, code: str, message: str, length: int = 1, **details: Any) -> None:
        self._problems.append(
            problem_at(self._source, self._start + index, code, message, length=length, **details)
        )

    def _at(
        self, node: yaml.Node, code: str, message: str, expected: str | None = None, **details: Any
    ) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        length = max(1, min(end - start, 60))
        self._report(start, code, message, length, expected=expected, **details)

    def _entry(self, front: Front, key: yaml.Node, value: yaml.Node) -> None:
        word = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if word not in _KEYS:
            self._at(
                key,
                "unknown-key",
                f"the front matter has no key {word!r}",
                ", ".join(sorted(_KEYS)),
                severity="warning",
                suggestion=nearest(word, _KEYS),
            )
        elif word in ("name", "version", "description"):
            self._text(front, word, value)
        elif word == "config":
            front.parameters = tuple(
                self._parameter(name, entry) for name, entry in self._pairs(value)
            )
        elif word == "secrets":
            front.secrets = self._secrets(value)
        elif word == "runtime":
            self._runtime(front, value)
        else:
            setattr(front, word, plain(value))

    def _text(self, front: Front, word: str, value: yaml.Node) -> None:
        if not isinstance(value, yaml.ScalarNode):
            self._at(value, "front-matter", f"{word} is no text", "a text")
            return
        setattr(front, word, value.value)
        if word == "version" and not _VERSION.fullmatch(value.value):
            self._at(value, "version", f"{value.value!r} is no version", "X.Y or X.Y.Z")

    def _pairs(self, node: yaml.Node) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if isinstance(node, yaml.ScalarNode) and node.value == "":
            return []
        if not isinstance(node, yaml.MappingNode):
            self._at(node, "front-matter", "this is no mapping", "key: value lines")
            return []
        return [(k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode)]

    def _parameter(self, name: yaml.ScalarNode, node: yaml.Node) -> Parameter:
        place = self._source.location(self._start + name.start_mark.index)
        if isinstance(node, yaml.ScalarNode):  # `key: 5` is short for a default
            value = scalar(node)
            return Parameter.model_construct(
                name=name.value, location=place, default=value, has_default=value is not None
            )
        found: dict[str, Any] = {}
        places: dict[str, yaml.Node] = {}
        for key, value in self._pairs(node):
            if key.value not in _PARAMETER:
                self._at(
                    key,
                    "unknown-key",
                    f"a configuration key has no {key.value!r}",
                    ", ".join(sorted(_PARAMETER)),
                    severity="warning",
                    suggestion=nearest(key.value, _PARAMETER),
                )
                continue
            found[key.value] = plain(value)
            places[key.value] = value
        kind, choices = self._type(found.get("type"), places.get("type"))
        default = found.get("default")
        if default is not None and not _fits(default, kind, choices):
            expected = ", ".join(choices) if choices else f"a {kind}"
            self._at(places["default"], "invalid-default", "the default does not fit", expected)
        return Parameter.model_construct(
            name=name.value,
            location=place,
            type=kind,
            choices=choices,
            has_default="default" in found,
            default=default,
            required=found.get("required") is True,
            description=str(found.get("description") or ""),
        )

    def _type(self, word: Any, node: yaml.Node | None) -> tuple[Any, tuple[str, ...]]:
        if word is None or node is None:
            return None, ()
        if isinstance(word, list) and len(word) == 1:
            word = word[0]
        if word in _TYPES:
            return word, ()
        if isinstance(word, str) and word.startswith("enum[") and word.endswith("]"):
            return "enum", tuple(part.strip().strip("'\"") for part in word[5:-1].split(","))
        self._at(
            node,
            "unknown-type",
            f"there is no type {word!r}",
            ", ".join(_TYPES) + ", enum[a, b]",
            suggestion=nearest(str(word), _TYPES),
        )
        return None, ()

    def _secrets(self, node: yaml.Node) -> tuple[Secret, ...]:
        if not isinstance(node, yaml.SequenceNode):
            self._at(node, "front-matter", "secrets is no list", "[NAME, …]")
            return ()
        return tuple(
            Secret.model_construct(
                name=item.value, location=self._source.location(self._start + item.start_mark.index)
            )
            for item in node.value
            if isinstance(item, yaml.ScalarNode)
        )

    def _runtime(self, front: Front, node: yaml.Node) -> None:
        for key, value in self._pairs(node):
            name = _RUNTIME.get(key.value)
            if name is None:
                self._at(
                    key,
                    "unknown-key",
                    f"runtime has no {key.value!r}",
                    ", ".join(_RUNTIME),
                    severity="warning",
                    suggestion=nearest(key.value, _RUNTIME),
                )
            elif not isinstance(value, yaml.ScalarNode):
                self._at(
                    value, "front-matter", f"{key.value} is no scalar", "a number or a duration"
                )
            else:
                start = self._start + value.start_mark.index + (1 if value.style else 0)
                text = Text(value.value, self._source, ((0, start),))
                offset = self._start + key.start_mark.index
                place = self._source.location(offset)
                setattr(front, name, Setting(name, key.value, text, place, offset))


def plain(node: yaml.Node) -> Any:
    """The value of a YAML node in plain Python."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return scalar(node)


def _fits(value: Any, kind: str | None, choices: tuple[str, ...]) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "enum":
            return value in choices
    return True
