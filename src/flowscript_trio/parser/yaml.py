"""Owns YAML: the settings that are written in it, interpolations taken out first and put back after."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import Any

import yaml

from ..expression.template import find_end
from ..types.ast import Structure
from ..types.errors import FlowScriptError
from ..types.location import Text

Value = Text | Structure | int | float | bool | None
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,999})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "": None}
_LITERAL = re.compile(r"\\\{\{[^{}]*\}\}")
MAX_DEPTH = 50


class YamlProblem(FlowScriptError):
    """A text is no YAML. ``offset`` is in characters of it."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class _Loader(yaml.SafeLoader):
    """Composes nodes, and no more of YAML than settings need: aliases could multiply a small text into a
    huge one, and tags mean nothing here."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        place: int = event.start_mark.index
        if isinstance(event, yaml.AliasEvent):
            raise YamlProblem("YAML aliases (*name) are not read", place)
        if getattr(event, "tag", None) is not None:
            raise YamlProblem("YAML tags (!name) are not read", place)
        if self.depth > MAX_DEPTH:
            raise YamlProblem("the YAML nests too deep", place)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def compose(text: str) -> yaml.Node | None:
    """The YAML nodes of a text; raises YamlProblem."""
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        words = " ".join(word for word in (exc.context, exc.problem) if word)
        raise YamlProblem(f"not YAML: {words}", mark.index if mark else 0) from None
    except yaml.reader.ReaderError as exc:
        raise YamlProblem(f"not YAML: {exc.reason}", exc.position) from None


def scalar(node: yaml.ScalarNode) -> Any:
    """A scalar: numbers, ``true``, ``false`` and ``null`` where plain; everything else is text.

    Numbers are those of JSON, so that no text loses a character (``+49…``, ``010``, ``1_000``).
    """
    word: str = node.value
    if node.style is not None:
        return word
    if word in _WORDS:
        return _WORDS[word]
    if _INT.fullmatch(word):
        return int(word)
    if _FLOAT.fullmatch(word) and math.isfinite(number := float(word)):
        return number
    return word


def check_keys(node: yaml.MappingNode) -> None:
    """Raise YamlProblem where a key is no text, or stands in the mapping before."""
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlProblem("a key is a text", key.start_mark.index)
        if key.value in seen:
            raise YamlProblem(f"the key {key.value!r} is given twice", key.start_mark.index)
        seen.add(key.value)


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
        self._begin, self._end = _absent_characters(text.value)
        self._mark = re.compile(f"{self._begin}([0-9]+){self._end}")
        self._spans: list[tuple[int, int]] = [(0, 0)]
        self._yaml = self._take_out()

    def _take_out(self) -> str:
        value = self._text.value
        pieces: list[str] = []
        at = length = 0
        while (start := value.find("{{", at)) >= 0:
            if start > at and value[start - 1] == "\\":
                start -= 1
                found = _LITERAL.match(value, start)
                end = found.end() if found else start + 3
            else:
                end = find_end(value, start + 2) + 2
                if end < 2:
                    raise YamlProblem("the interpolation has no end", start)
            mark = f"{self._begin}{len(self._taken)}{self._end}"
            self._taken.append(self._text.slice(start, end))
            pieces += [value[at:start], mark]
            length += start - at + len(mark)
            at = end
            self._spans.append((length, at))
        pieces.append(value[at:])
        return "".join(pieces)

    def build(self) -> Value:
        try:
            node = compose(self._yaml)
            return None if node is None else self._value(node)
        except YamlProblem as exc:
            message = self._mark.sub(lambda found: self._taken[int(found[1])].value, exc.message)
            raise YamlProblem(message, self._offset(exc.offset)) from None

    def _offset(self, index: int) -> int:
        """The offset in the text of an offset in what YAML saw."""
        at = bisect_right(self._spans, index, key=lambda span: span[0]) - 1
        seen, origin = self._spans[at]
        following = self._spans[at + 1][1] if at + 1 < len(self._spans) else len(self._text.value)
        return min(origin + index - seen, following)

    def _value(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.MappingNode):
            check_keys(node)
            pairs = tuple([(self._template(key), self._value(value)) for key, value in node.value])
            return Structure("mapping", pairs, self._place(node))
        if isinstance(node, yaml.SequenceNode):
            items = tuple([self._value(item) for item in node.value])
            return Structure("list", items, self._place(node))
        assert isinstance(node, yaml.ScalarNode)
        found = scalar(node)
        return self._template(node) if isinstance(found, str) else found

    def _place(self, node: yaml.Node) -> Text:
        start = self._offset(node.start_mark.index)
        return self._text.slice(start, max(self._offset(node.end_mark.index), start))

    def _template(self, node: yaml.ScalarNode) -> Text:
        """The text of a scalar with its interpolations back in it, and the places of both."""
        pieces: list[str] = []
        marks: list[tuple[int, int]] = []
        at = length = 0
        places = self._align(node)
        for found in [*self._mark.finditer(node.value), None]:
            end = found.start() if found else len(node.value)
            if end > at or (found is None and not marks):
                marks += [(length + max(a - at, 0), b) for a, b in _between(places, at, end)]
                pieces.append(node.value[at:end])
                length += end - at
            if found is not None:
                taken = self._taken[int(found[1])]
                marks += [(length + mark, offset) for mark, offset in taken.marks]
                pieces.append(taken.value)
                length += len(taken.value)
                at = found.end()
        return Text("".join(pieces), self._text.source, tuple(marks))

    def _align(self, node: yaml.ScalarNode) -> list[tuple[int, int]]:
        """Marks of (offset in the scalar's value, offset in the source), ascending.

        Words are looked for one after another in what YAML saw, so that folding and indents are followed;
        from an escape on (``"\\u00e9"``, ``''``) places are approximate.
        """
        raw, at = self._yaml, node.start_mark.index
        if node.style in ("|", ">"):
            at = raw.find("\n", at) + 1
        elif node.style:
            at += 1
        marks = [(0, self._source_offset(at))]
        for word in re.finditer(r"[^ \t\n]+", node.value):
            start = at
            while start < node.end_mark.index and raw[start] in " \t\n":
                start += 1
            if not raw.startswith(word[0], start):
                break
            for found in [None, *self._mark.finditer(word[0])]:
                inner = found.end() if found else 0
                marks.append((word.start() + inner, self._source_offset(start + inner)))
            at = start + len(word[0])
        return marks

    def _source_offset(self, index: int) -> int:
        return self._text.offset(self._offset(index))


def _between(places: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The marks of a part: first that of ``start``, then those inside."""
    first = bisect_right(places, start, key=lambda mark: mark[0])
    at, origin = places[first - 1]
    last = bisect_right(places, max(end - 1, start), key=lambda mark: mark[0])
    return [(start, origin + start - at), *places[first:last]]


def _absent_characters(text: str) -> tuple[str, str]:
    """Two characters for private use that do not stand in a text."""
    absent = (char for code in range(0xE000, 0xF8FF) if (char := chr(code)) not in text)
    try:
        return next(absent), next(absent)
    except StopIteration:
        raise YamlProblem("the text has every character for private use", 0) from None
