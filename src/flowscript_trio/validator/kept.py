"""Owns the streams that a document gives as its output: its own, and those that nodes and variables hand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..language.elements import parts_of
from ..types.ast import BaseNode, Setting
from ..types.findings import Findings
from .checked import Checked, CheckedNode
from .known import known_settings
from .positions import word_of
from .streams import INSTEAD, is_stream, named_by

_KEPT = "the output of the run is the stream of {!r}, which is closed when the run ends"

Given = tuple[BaseNode | Setting, str]
"""Where a document gives a stream as its output, and the node that opens it."""


def report_kept(given: Iterable[Given], findings: Findings) -> None:
    """Warn of streams that a document gives as its output: it is for one that is not run by another."""
    for where, name in given:
        message = _KEPT.format(name)
        report = findings.at_value if isinstance(where, Setting) else findings.at_element
        report(where, "stream-kept", message, severity="warning", expected=INSTEAD)  # type: ignore[arg-type]


def streams_given(checked: Checked, linked: Iterable[int]) -> list[Given]:
    """The streams in a document's output; ``linked`` are the keys of nodes whose documents give one."""
    names = _hand_on(checked, frozenset(linked))
    found: list[Given] = []
    for node in checked.nodes.values():
        for setting in _given_as_output(node.node):
            name = names.get(named_by(setting))
            if name is not None:
                found.append((setting, name))
    body = checked.document.body
    result = checked.bodies[body.key].result
    last = None if result is None else _source_of(body.nodes[result], checked, names)
    if last is not None:
        name = names[_name(checked.nodes[last.key])]
        if name not in {reported for _, reported in found}:
            found.append((last, name))
    return found


def _hand_on(checked: Checked, linked: frozenset[int]) -> dict[str, str]:
    """The names of what has a stream, each with the node that opens that."""
    takers: dict[str, list[tuple[str, ...]]] = {}
    opened: list[tuple[str, str]] = []
    for key, node in checked.nodes.items():
        if is_stream(node) or key in linked:
            opened.append((_name(node), node.node.label))
        for setting, names in _handed_on(node):
            takers.setdefault(named_by(setting), []).append(names)
    found: dict[str, str] = {}
    while opened:
        name, source = opened.pop()
        if name in found:
            continue
        found[name] = source
        opened += [(other, source) for names in takers.get(name, ()) for other in names]
    return found


def _handed_on(node: CheckedNode) -> Iterator[tuple[Setting, tuple[str, ...]]]:
    """The settings whose value a node gives as it is, each with the names that have it then."""
    settings: Mapping[str, Setting] = node.node.settings
    if node.node.kind == "set" and {"value", "var"} <= settings.keys():
        yield settings["value"], (_name(node), word_of(settings["var"]))
    elif node.node.kind == "context":
        for part in parts_of(node.node):
            if {"value", "key"} <= part.settings.keys():
                yield part.settings["value"], (_name(node), word_of(part.settings["key"]))
    elif node.node.kind == "delay" and node.node.input is not None:
        yield node.node.input, (_name(node),)
    elif node.node.type == "transform:template" and "template" in settings:
        makes_text = known_settings(node.settings).get("format") == "text"
        if not makes_text:
            yield settings["template"], (_name(node),)


def _name(node: CheckedNode) -> str:
    """What a node's output is called; of one that nothing can name, something that no document can write."""
    return node.name or f"@{node.node.key}"


def _source_of(node: BaseNode, checked: Checked, names: Mapping[str, str]) -> BaseNode | None:
    """The node whose stream is the output of a node: itself, or the last one in it."""
    if _name(checked.nodes[node.key]) in names:
        return node
    for body in node.bodies:
        result = checked.bodies[body.key].result
        found = None if result is None else _source_of(body.nodes[result], checked, names)
        if found is not None:
            return found
    return None


def _given_as_output(node: BaseNode) -> Iterator[Setting]:
    if node.kind == "return" and "value" in node.settings:
        yield node.settings["value"]
    if node.kind == "output":
        for part in getattr(node, "fields", ()):
            if "value" in part.settings:
                yield part.settings["value"]
