"""Owns the YAML of settings: interpolations are taken out first and put back, every text keeps its places."""

from __future__ import annotations

import re
from bisect import bisect_right
from operator import itemgetter

import yaml

from ..expression.interpolation import find_end
from ..types.ast import Structure
from ..types.location import Text
from .aligning import Run, align
from .composing import check_keys, compose, scalar
from .yamlproblem import YamlProblem

Value = Text | Structure | int | float | bool | None
_PRIVATE = range(0xE000, 0xF900)
_LITERAL = re.compile(r"\\\{\{[^{}]*\}\}")
_first = itemgetter(0)


def read_yaml(text: Text) -> Value:
    """The structure of a setting's YAML, in time linear in its length.

    Its texts are templates, with their places; interpolations may be anywhere in it. Raises YamlProblem,
    whose offset is in ``text.value``.
    """
    return _YamlReader(text).read()


class _YamlReader:
    """Takes each ``{{…}}`` out, composes, and puts them back."""

    def __init__(self, text: Text) -> None:
        value = text.value
        self._text = text
        self._fence = next((char for char in map(chr, _PRIVATE) if char not in value), "")
        self._mark = re.compile(f"{self._fence}([0-9]+){self._fence}")
        self._taken: list[Text] = []
        self._spans: list[Run] = [(0, 0)]
        self._yaml = self._take_out(value)

    def _take_out(self, value: str) -> str:
        """What YAML is to see; ``_spans`` maps it to the text."""
        pieces: list[str] = []
        at = length = 0
        while (start := value.find("{{", at)) >= 0:
            if not self._fence:
                raise YamlProblem("the text has every character for private use", start)
            if start > at and value[start - 1] == "\\":  # a literal {{, not an escape of YAML's
                start -= 1
                found = _LITERAL.match(value, start)
                end = found.end() if found else start + 3
            else:
                end = find_end(value, start + 2) + 2
                if end < 2:
                    raise YamlProblem("the interpolation has no end", start)
            mark = f"{self._fence}{len(self._taken)}{self._fence}"
            self._taken.append(self._text.slice(start, end))
            pieces += [value[at:start], mark]
            length += start - at + len(mark)
            at = end
            self._spans.append((length, at))
        return "".join([*pieces, value[at:]])

    def read(self) -> Value:
        try:
            node = compose(self._yaml)
            return None if node is None else self._value(node)
        except YamlProblem as exc:
            raise YamlProblem(self._restore(exc.message), self._offset(exc.offset)) from None

    def _offset(self, index: int) -> int:
        """The offset in the text of an offset in what YAML saw."""
        at = bisect_right(self._spans, index, key=_first)
        seen, origin = self._spans[at - 1]
        following = self._spans[at][1] if at < len(self._spans) else len(self._text.value)
        return min(origin + index - seen, following)

    def _restore(self, word: str) -> str:
        """A text that YAML gave, with its interpolations back in it."""
        if not self._taken:
            return word
        return self._mark.sub(lambda found: self._taken[int(found[1])].value, word)

    def _value(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.MappingNode):
            check_keys(node)
            pairs = [(self._template(key), self._value(value)) for key, value in node.value]
            if self._taken:
                self._check_computed_keys([key.value for key, _ in pairs], node)
            return Structure("mapping", tuple(pairs), self._place(node))
        if isinstance(node, yaml.SequenceNode):
            items = tuple([self._value(item) for item in node.value])
            return Structure("list", items, self._place(node))
        assert isinstance(node, yaml.ScalarNode)
        found = scalar(node)
        return self._template(node) if isinstance(found, str) else found

    def _check_computed_keys(self, keys: list[str], node: yaml.MappingNode) -> None:
        """As ``check_keys``, for keys whose interpolations are back in them."""
        seen = set()
        for key, (place, _) in zip(keys, node.value, strict=True):
            if key in seen:
                raise YamlProblem(f"the key {key!r} is given twice", place.start_mark.index)
            seen.add(key)

    def _place(self, node: yaml.Node) -> Text:
        start = self._offset(node.start_mark.index)
        return self._text.slice(start, max(self._offset(node.end_mark.index), start))

    def _template(self, node: yaml.ScalarNode) -> Text:
        """The text of a scalar with its interpolations back in it, and the places of both."""
        start, value = node.start_mark.index, node.value
        runs = align(value, self._yaml[start : node.end_mark.index])
        if len(runs) == 1 and self._fence not in value:
            origin = self._offset(start + runs[0][1])
            part = self._text.slice(origin, origin + len(value))
            # An escape at the end begins no run, and is longer than its character.
            if part.value == value:
                return part
        pieces: list[Text] = []
        at = 0
        for found in self._mark.finditer(value) if self._taken else ():
            pieces += self._literals(runs, start, at, found.start())
            pieces.append(self._taken[int(found[1])])
            at = found.end()
        pieces += self._literals(runs, start, at, len(value))
        return _join(pieces, self._restore(value), self._text)

    def _literals(self, runs: list[Run], base: int, start: int, end: int) -> list[Text]:
        """The literal text of a scalar from ``start`` to ``end``, a piece for each run of it."""
        pieces = []
        at = bisect_right(runs, start, key=_first) - 1
        while start < end:
            index, origin = runs[at]
            stop = min(end, runs[at + 1][0]) if at + 1 < len(runs) else end
            offset = self._offset(base + origin + start - index)
            pieces.append(self._text.slice(offset, offset + stop - start))
            start, at = stop, at + 1
        return pieces


def _join(pieces: list[Text], value: str, whole: Text) -> Text:
    """``value`` with the places of its pieces, which are as long as their parts of it."""
    marks: list[Run] = []
    length = 0
    for piece in pieces:
        marks += [(length + index, origin) for index, origin in piece.marks]
        length += len(piece.value)
    return Text(value, whole.source, tuple(marks) or ((0, whole.offset(0)),))
