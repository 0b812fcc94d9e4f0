"""Owns the misuse of streams that a document shows: read twice, used as a value, or kept as the output of a run.

What cannot be known beforehand is judged when a stream is consumed: a computed setting ``stream``, a stream that
has got another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from ..expression.members import NODE_MEMBERS
from ..language.elements import element_of
from ..runtimes.placing import OTHER_PROCESSES
from ..types.ast import BaseNode, Node, Setting
from ..types.findings import Findings
from ..types.patterns import pattern
from .checked import CheckedNode
from .handlers import Handlers
from .names import Relation, relate
from .positions import Index, Position, word_of
from .texts import Use

SOURCES = frozenset({"source:file", "source:http", "source:database"})
_CONSUMERS = frozenset({"sink:file", "sink:database"})
_LISTS = frozenset({"transform:map", "transform:filter", "transform:reduce"})
"""What takes lists, and waits for none of their items."""
_BODIES = frozenset({"body", "form", "multipart", "upload"})
"""The settings that say what a sink of HTTP sends in place of its input."""

_WHOLE = pattern(r"(?:\{\{)?\s*([A-Za-z_][\w-]*)(?:\.output)?\s*(?:\}\})?", re.ASCII)
_REST = pattern(r"(?:\.output)?\s*\}\}")

INSTEAD = "a <foreach> or a sink that consumes it, or a source without stream"


def is_stream(node: CheckedNode) -> bool:
    """Whether the output of a node is a stream, as far as its constant settings say."""
    if node.node.type not in SOURCES:
        return False
    config = node.settings.constant if node.settings.is_constant else node.settings.base
    return (
        getattr(config, "stream", False) is True and getattr(config, "response", "body") == "body"
    )


def named_by(setting: Setting | None) -> str:
    """The name that a setting consists of; empty for any other."""
    found = _WHOLE.fullmatch(word_of(setting))
    return "" if found is None else found[1]


def check_streams(
    index: Index,
    handlers: Handlers,
    nodes: Mapping[int, CheckedNode],
    uses: Iterable[Use],
    findings: Findings,
) -> None:
    """Report what is made of a stream that has no value, and who would be the second to read one."""
    streams = {
        node.node.id: index.positions[key]
        for key, node in nodes.items()
        if node.node.id is not None and is_stream(node)
    }
    if not streams:
        return
    for use in uses:
        name = use.reference.name
        if name in streams and index.ids[name] is streams[name].node and _is_misused(use):
            findings.in_text(
                use.text,
                use.reference.offset,
                len(name),
                "stream-as-value",
                f"{name!r} is a stream, which has no text, no length and no members",
                expected=INSTEAD,
            )
    _Readers(index, handlers, streams, findings).check()


def _is_misused(use: Use) -> bool:
    """Whether something is made of the stream that a name stands for."""
    reference, names = use.reference, use.visible.position.level.names
    if use.how == "after" or reference.name in names or reference.name in use.visible.bound:
        return False
    if reference.path and reference.path != ("output",):
        return reference.path[0] not in NODE_MEMBERS or reference.path[0] == "output"
    return reference.is_taken or _is_part_of_text(use)


def _is_part_of_text(use: Use) -> bool:
    """Whether an interpolation of the name alone is in a text with something else."""
    text, at = use.text.value, use.reference.offset
    before = text[:at].rstrip()
    rest = _REST.match(text, at + len(use.reference.name))
    if use.how != "expression" or rest is None or not before.endswith("{{"):
        return False
    return bool(before[:-2].strip() or text[rest.end() :].strip())


class _Readers:
    """Finds who reads each stream for certain, and reports whoever would be the second, or reads it in rounds."""

    def __init__(
        self, index: Index, handlers: Handlers, streams: dict[str, Position], findings: Findings
    ) -> None:
        self._index = index
        self._handlers = handlers
        self._streams = streams
        self._findings = findings
        self._found: dict[str, list[tuple[Position, Setting]]] = {}

    def check(self) -> None:
        for position in self._index.positions.values():
            if position.node is not None and self._handlers.around(position) is None:
                self._look_at(position, position.node)
        for name, readers in self._found.items():
            for position, setting in readers:
                self._check_rounds(name, position, setting)
            readers.sort(key=lambda reader: reader[1].offset)
            for (first, _), (second, setting) in pairwise(readers):
                if _both_run(first, second):
                    self._report_second(name, first, setting)

    def _look_at(self, position: Position, node: Node) -> None:
        """Note what a node reads, and report one that cannot read a stream at all."""
        setting = node.settings.get("collection") if node.kind == "foreach" else node.input
        name = self._stream_in(setting, position)
        if name is None or setting is None:
            return
        if node.kind != "foreach" and word_of(node.place) in OTHER_PROCESSES:
            self._findings.at_value(
                setting,
                "cannot-travel",
                f"{name!r} is a stream, which cannot go to {word_of(node.place)!r}",
                expected="the place on a <foreach> that consumes it, or a source without stream",
            )
            return
        if node.kind == "foreach" or node.type in _CONSUMERS:
            self._found.setdefault(name, []).append((position, setting))
        elif node.type in _LISTS or (node.type == "sink:http" and not _BODIES & set(node.settings)):
            self._findings.at_value(
                setting,
                "stream-as-value",
                f"{name!r} is a stream, and {node.label!r} takes a value",
                expected="a <foreach> with batch around it, or a source without stream",
            )

    def _stream_in(self, setting: Setting | None, position: Position) -> str | None:
        """The stream that a setting names, and nothing else."""
        name = named_by(setting)
        return name if name in self._streams and name not in position.level.names else None

    def _check_rounds(self, name: str, position: Position, setting: Setting) -> None:
        for around in _owners(position, self._streams[name]):
            element = element_of(around)
            if element.is_loop:
                self._findings.at_value(
                    setting,
                    "stream-twice",
                    f"{name!r} is a stream, which can be read once, and this reads it in every round of "
                    f"{around.label!r}",
                    expected=f"{name!r} inside {around.label!r}, or without stream",
                )
                return

    def _report_second(self, name: str, first: Position, setting: Setting) -> None:
        assert first.node is not None
        self._findings.at_value(
            setting,
            "stream-twice",
            f"{name!r} is a stream, which can be read once, and {first.node.label!r} "
            f"(line {first.node.location.line}) reads it",
            expected="a second source, or one without stream, whose output is a list",
        )


def _owners(position: Position, outside: Position) -> Iterator[BaseNode]:
    """The nodes around a place, from within, that are not around another one too."""
    level = position.level
    while level is not outside.level and level.outer is not None:
        if level.outer.node is not None:
            yield level.outer.node
        level = level.outer.level


def _both_run(first: Position, second: Position) -> bool:
    """Whether nothing that the document shows decides that only one of two runs."""
    relation, here, there = relate(second, first)
    if relation is Relation.OTHER_SIDE:
        return False
    return _is_certain(second, here) and _is_certain(first, there)


def _is_certain(position: Position, upto: Position) -> bool:
    """Whether a node runs if ``upto``, which is it or around it, is reached."""
    while True:
        node = position.node
        if node is None or node.condition is not None or position.level.role != "body":
            return False
        if position is upto:
            return True
        assert position.level.outer is not None
        position = position.level.outer
        if position.node is not None and position.node.kind in ("if", "branch", "while"):
            return False
