"""Owns YAML: of settings (with interpolations taken out first and put back) and of front matter."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..expression.template import find_end
from ..types.ast import Structure
from ..types.errors import FlowScriptError
from ..types.location import Text

Value = Text | Structure | int | float | bool | None
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")
_INT = re.compile(r"[-+]?(?:0|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)")
_WORDS = {"true": True, "false": False, "null": None, "": None}
MAX_DEPTH = 50


class YamlProblem(FlowScriptError):
    """A text is no YAML. ``offset`` is in characters of it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def compose(text: str) -> yaml.Node | None:
    """The YAML nodes of a text; raises YamlProblem."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        words = " ".join(word for word in (exc.context, exc.problem) if word)
        raise YamlProblem(f"not YAML: {words}", mark.index if mark else 0) from None
    except yaml.YAMLError as exc:
        raise YamlProblem(f"not YAML: {exc}".split("\n")[0], getattr(exc, "position", 0)) from None
    except RecursionError:
        raise YamlProblem("the YAML nests too deep", 0) from None


def scalar(node: yaml.ScalarNode) -> Any:
    """A scalar: numbers, ``true``, ``false`` and ``null`` where plain; everything else is text."""
    word: str = node.value
    if node.style is not None:
        return word
    if word in _WORDS:
        return _WORDS[word]
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word):
        return float(word)
    return word


def read_yaml(text: Text) -> Value:
    """The structure of a setting's YAML. Its texts are templates, with their places; interpolations may
    stand anywhere in it. Raises YamlProblem.
    """
    return _Builder(text).build()


class _Builder:
    """Takes each ``{{…}}`` out, composes, and puts them back."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._taken: list[Text] = []
        pieces: list[str] = []
        self._spans: list[tuple[int, int]] = [(0, 0)]
        at = length = 0
        value = text.value
        while (start := value.find("{{", at)) >= 0:
            end = find_end(value, start + 2)
            if end < 0:
                break
            mark = _MARK.format(len(self._taken))
            self._taken.append(text.slice(start, end + 2))
            pieces += [value[at:start], mark]
            length += start - at + len(mark)
            at = end + 2
            self._spans.append((length, at))
        pieces.append(value[at:])
        self._yaml = "".join(pieces)

    def build(self) -> Value:
        try:
            node = compose(self._yaml)
        except YamlProblem as exc:
            raise YamlProblem(exc.message, self._offset(exc.offset)) from None
        return None if node is None else self._value(node, 0)

    def _offset(self, index: int) -> int:
        """The offset in the text of an offset in what YAML saw."""
        return next(o + index - m for m, o in reversed(self._spans) if m <= index)

    def _value(self, node: yaml.Node, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise YamlProblem("the YAML nests too deep", self._offset(node.start_mark.index))
        if isinstance(node, yaml.MappingNode):
            pairs = tuple(
                (self._key(key), self._value(value, depth + 1)) for key, value in node.value
            )
            self._check_keys(pairs, node)
            return Structure("mapping", pairs, self._place(node))
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self._value(item, depth + 1) for item in node.value)
            return Structure("list", items, self._place(node))
        assert isinstance(node, yaml.ScalarNode)
        found = scalar(node)
        return self._template(node) if isinstance(found, str) else found

    def _key(self, node: yaml.Node) -> Text:
        if not isinstance(node, yaml.ScalarNode):
            raise YamlProblem("a key is a text", self._offset(node.start_mark.index))
        return self._template(node)

    def _check_keys(self, pairs: tuple[tuple[Text, Value], ...], node: yaml.MappingNode) -> None:
        seen = set()
        for (key, _), (place, _) in zip(pairs, node.value, strict=True):
            if key.value in seen:
                raise YamlProblem(
                    f"the key {key.value!r} is given twice", self._offset(place.start_mark.index)
                )
            seen.add(key.value)

    def _place(self, node: yaml.Node) -> Text:
        start = self._offset(node.start_mark.index)
        return self._text.slice(start, max(self._offset(node.end_mark.index), start))

    def _template(self, node: yaml.ScalarNode) -> Text:
        """The text of a scalar with its interpolations back in it, and the places of both."""
        start = self._offset(node.start_mark.index) + (1 if node.style in ("'", '"') else 0)
        raw = self._yaml[node.start_mark.index : node.end_mark.index]
        pieces: list[str] = []
        marks: list[tuple[int, int]] = []
        at = length = 0
        plain = node.value in raw
        origin = node.start_mark.index + (raw.index(node.value) if plain else 0)
        for found in [*_MARKED.finditer(node.value), None]:
            end = found.start() if found else len(node.value)
            if end > at or (not found and not marks):
                literal = self._offset(origin + at) if plain else start
                marks.append((length, self._text.offset(min(literal, len(self._text.value)))))
                pieces.append(node.value[at:end])
                length += end - at
            if found is not None:
                taken = self._taken[int(found[1])]
                marks += [(length + mark, offset) for mark, offset in taken.marks]
                pieces.append(taken.value)
                length += len(taken.value)
                at = found.end()
        return Text("".join(pieces), self._text.source, tuple(marks))
