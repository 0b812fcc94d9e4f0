"""Owns the composing of YAML: text → nodes with places, within bounds, with no aliases and no tags."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import yaml
from yaml.reader import Reader

from .yamlproblem import YamlProblem

MAX_DEPTH = 50
"""Levels of mappings and lists in one text."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same events, ten times as fast
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,999})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "": None}

Make = Callable[[Any], yaml.Node]
"""What makes the node that an event begins, or that it stands for; raises YamlProblem."""


def compose(text: str, make: Make | None = None, *, max_depth: int = MAX_DEPTH) -> yaml.Node | None:
    """The nodes of a text, None where it is empty; raises YamlProblem.

    Without ``make`` aliases are refused, because a few lines of them stand for more values than any memory
    holds, and tags because they mean nothing in a document.
    """
    if forbidden := Reader.NON_PRINTABLE.search(text):
        code = ord(forbidden[0])
        raise YamlProblem(f"the character U+{code:04X} is not allowed in YAML", forbidden.start())
    try:
        return _compose(yaml.parse(text, Loader=_LOADER), make or _make_plain, max_depth)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        if "nesting" in str(exc.problem):  # a bound of the scanner itself, which looks far ahead
            raise YamlProblem(_too_deep(max_depth), mark.index if mark else 0) from None
        words = " ".join(word for word in (exc.context, exc.problem) if word)
        raise YamlProblem(f"not YAML: {words}", mark.index if mark else 0) from None


def _compose(events: Iterable[Any], make: Make, max_depth: int) -> yaml.Node | None:
    """The root of the nodes that a stream of events describes. Without recursion: texts nest as they like."""
    root: yaml.Node | None = None
    stack: list[_Collection] = []
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop().node.end_mark = event.end_mark
        elif isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise YamlProblem("there is a second document", _index(event))
        elif isinstance(event, yaml.NodeEvent):
            node = make(event)
            if stack:
                stack[-1].add(node)
            else:
                root = node
            if isinstance(event, yaml.CollectionStartEvent):
                assert isinstance(node, yaml.CollectionNode)
                stack.append(_Collection(node))
                if len(stack) > max_depth:
                    raise YamlProblem(_too_deep(max_depth), _index(event))
    return root


def _too_deep(levels: int) -> str:
    return f"the YAML nests deeper than {levels} levels"


def _make_plain(event: Any) -> yaml.Node:
    """The node that an event begins; raises YamlProblem for aliases, anchors and tags."""
    refused = (
        ("an alias", "*")
        if isinstance(event, yaml.AliasEvent)
        else ("an anchor", "&")
        if event.anchor is not None
        else ("a tag", "!")
        if event.tag is not None
        else None
    )
    if refused:
        what, sign = refused
        message = f"{what} is not allowed; text that begins with {sign} must be in quotes"
        raise YamlProblem(message, _index(event))
    return make_node(event)


def make_node(event: Any) -> yaml.Node:
    """The node that an event begins, without its tag."""
    if isinstance(event, yaml.MappingStartEvent):
        return yaml.MappingNode("", [], event.start_mark)  # type: ignore[arg-type]
    if isinstance(event, yaml.SequenceStartEvent):
        return yaml.SequenceNode("", [], event.start_mark)  # type: ignore[arg-type]
    return yaml.ScalarNode("", event.value, event.start_mark, event.end_mark, event.style or None)


def _index(event: Any) -> int:
    index: int = event.start_mark.index
    return index


class _Collection:
    """A mapping or list that is not complete yet."""

    __slots__ = ("_key", "node")

    def __init__(self, node: yaml.CollectionNode) -> None:
        self.node = node
        self._key: yaml.Node | None = None

    def add(self, node: yaml.Node) -> None:
        if isinstance(self.node, yaml.SequenceNode):
            self.node.value.append(node)
        elif self._key is None:
            self._key = node
        else:
            self.node.value.append((self._key, node))
            self._key = None


def check_keys(node: yaml.MappingNode) -> None:
    """Raise YamlProblem where a key is not text, or is in the mapping before."""
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlProblem("a key must be text, not a mapping or a list", key.start_mark.index)
        if key.value in seen:
            raise YamlProblem(f"the key {key.value!r} is given twice", key.start_mark.index)
        seen.add(key.value)


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
