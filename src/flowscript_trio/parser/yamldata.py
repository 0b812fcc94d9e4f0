"""Owns YAML as data: text → plain values by the core schema of YAML 1.2, in bounded time and memory."""

from __future__ import annotations

import binascii
import math
import re
from base64 import b64decode
from typing import Any

import yaml

from .composing import check_keys, compose, make_node
from .yamlproblem import YamlProblem

MAX_DEPTH = 200
"""Levels of mappings and lists: as many as are written."""
MOST = 10_000_000
"""Values, counted as often as aliases repeat them."""
_DIGITS = 4000  # of an integer: Python refuses to read more than 4,300

_CORE = "tag:yaml.org,2002:"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{
        sign + word: float(sign + "inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)")
_BREAKS = "\x85\u2028\u2029"
"""Line breaks in YAML 1.1, by which libyaml reads, and characters as any other in 1.2."""
_PRIVATE = range(0xE000, 0xF900)
_NO_MEMO = object()


def read_data(text: str) -> Any:
    """The value of the one document in a text: what JSON has, and bytes (``!!binary``).

    Keys are texts, as they are written (``on``, ``200``), and so are dates. Aliases and merges (``<<``)
    are followed. Raises YamlProblem, whose offset is in ``text``, for what is not valid, for keys given
    twice, other tags, and for more than ten million values.
    """
    return _Data(text).read()


class _Data:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self._anchors: dict[str, yaml.Node] = {}
        self._memo: dict[int, tuple[Any, int]] = {}
        self._restored: dict[int, int] = {}
        for char in _BREAKS:
            if char in text:
                stand_in = next(chr(code) for code in _PRIVATE if chr(code) not in text)
                text = text.replace(char, stand_in)
                self._restored[ord(stand_in)] = ord(char)
        self._text = text

    def read(self) -> Any:
        node = compose(self._text, self._make, max_depth=MAX_DEPTH)
        return None if node is None else self._value(node)[0]

    def _make(self, event: Any) -> yaml.Node:
        if isinstance(event, yaml.AliasEvent):
            found = self._anchors.get(str(event.anchor))
            if found is None:
                raise _problem(f"there is no anchor for the alias *{event.anchor}", event)
            if isinstance(found, yaml.CollectionNode) and found.end_mark is None:
                raise _problem("an alias of the YAML contains itself", event)
            return found
        node = make_node(event)
        node.tag = event.tag or ""
        if self._restored and isinstance(node, yaml.ScalarNode):
            node.value = node.value.translate(self._restored)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _value(self, node: yaml.Node) -> tuple[Any, int]:
        """The value of a node, and how many values there are in it."""
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node), 1
        known = self._memo.get(id(node))
        if known is None:
            known = self._memo[id(node)] = self._collection(node)
        return known

    def _collection(self, node: yaml.Node) -> tuple[Any, int]:
        _refuse_tag(node, "map" if isinstance(node, yaml.MappingNode) else "seq")
        size = 1
        if isinstance(node, yaml.SequenceNode):
            items = []
            for inner in node.value:
                item, count = self._value(inner)
                size += count
                items.append(item)
            self._count(size, node)
            return items, size
        assert isinstance(node, yaml.MappingNode)
        check_keys(node)
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, inner in node.value:
            value, count = self._value(inner)
            size += count
            if key.value == "<<" and key.style is None and not key.tag:
                merged = self._merge(value, inner)
            else:
                own[key.value] = value
        self._count(size, node)
        return ({**merged, **own} if merged else own), size

    def _merge(self, value: Any, node: yaml.Node) -> dict[str, Any]:
        """What ``<<`` adds to a mapping; of several the first takes precedence."""
        merged: dict[str, Any] = {}
        for one in reversed(value if isinstance(value, list) else [value]):
            if not isinstance(one, dict):
                raise _problem("<< takes a mapping, or a list of mappings", node)
            merged.update(one)
        return merged

    def _count(self, size: int, node: yaml.Node) -> None:
        if size > MOST:
            raise _problem(f"the aliases of the YAML make more than {MOST:,} values", node)


def _scalar(node: yaml.ScalarNode) -> Any:
    word: str = node.value
    tag: str = node.tag
    if not tag:
        return word if node.style is not None else _core(word, node)
    if tag in ("!", _CORE + "str"):
        return word
    if tag == _CORE + "binary":
        try:
            return b64decode("".join(word.split()), validate=True)
        except (binascii.Error, ValueError):
            raise _problem("!!binary takes base64", node) from None
    kinds = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
    kind: Any = kinds.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
    if kind is None:
        _refuse_tag(node, "str")
    found = _core(word, node)
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise _problem(f"{word!r} is not what its tag says, {_shown(tag)}", node)
    return float(found) if tag.endswith(":float") else found


def _core(word: str, node: yaml.Node) -> Any:
    """A plain scalar by the core schema: a number, true, false, null, or else the text itself."""
    found = _WORDS.get(word, _NO_MEMO)
    if found is not _NO_MEMO:
        return found
    if word[0] not in "+-.0123456789":
        return word
    if _INT.fullmatch(word):
        if len(word) > _DIGITS:
            raise _problem(f"an integer has more than {_DIGITS:,} digits", node)
        return int(word)
    if _FLOAT.fullmatch(word):
        number = float(word)
        if math.isinf(number):
            raise _problem(
                "a number beyond 1.8e+308 (expected it as text, in quotes, or .inf)", node
            )
        return number
    if based := _BASED.fullmatch(word):
        if len(word) > _DIGITS:
            raise _problem(f"an integer has more than {_DIGITS:,} digits", node)
        return int(based["octal"], 8) if based["octal"] else int(based["hex"], 16)
    return word


def _refuse_tag(node: yaml.Node, kind: str) -> None:
    if node.tag and node.tag not in ("!", _CORE + kind):
        raise _problem(
            f"the tag {_shown(node.tag)} is not known; expected a value without a tag, as JSON has it",
            node,
        )


def _shown(tag: str) -> str:
    return "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag


def _problem(message: str, place: Any) -> YamlProblem:
    return YamlProblem(message, place.start_mark.index)
