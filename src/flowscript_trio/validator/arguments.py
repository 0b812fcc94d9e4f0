"""Owns the check of what an ``<include>`` or a ``<call>`` gives, against what the document declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..language.elements import parts_of
from ..runtimes.control.types import ArgConfig, BindConfig
from ..types.ast import CallNode, Document
from ..types.declared import describe_type, fits
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Text
from .checked import CheckedNode
from .members import Inherited
from .messages import show
from .values import BoundSettings


def arguments_of(node: CheckedNode) -> list[tuple[str, BoundSettings]]:
    """The names that an ``<include>`` or a ``<call>`` binds, each with its part."""
    return [(name, bound) for name, bound, _ in _arguments(node)]


def _arguments(node: CheckedNode) -> Iterator[tuple[str, BoundSettings, int]]:
    """The names that a node binds, each with its part and where that is among all of them."""
    for at, part in enumerate(node.parts):
        config = part.base if part.computed else part.constant
        if isinstance(config, BindConfig):
            yield config.key, part, at
        elif isinstance(config, ArgConfig):
            yield config.name, part, at


def keep_texts(node: CheckedNode, document: Document) -> CheckedNode:
    """The node with constants as they are written where the document declares a text: ``1.10``, not 1.1."""
    declared = texts_in(document)
    written_parts = parts_of(node.node)
    parts = list(node.parts)
    for name, bound, at in _arguments(node):
        if name not in declared or bound.computed or isinstance(bound.constant.value, str):
            continue
        written = written_parts[at].settings["value"].value
        if isinstance(written, Text):
            config = bound.constant.model_copy(update={"value": written.value})
            parts[at] = replace(bound, constant=config)
    return replace(node, parts=tuple(parts))


def texts_in(document: Document) -> frozenset[str]:
    """The names that a document declares as texts."""
    kinds = ("string", "enum")
    return frozenset(one.name for one in document.parameters if one.type in kinds)


def check_arguments(
    node: CheckedNode, document: Document, findings: Findings, inherited: Inherited
) -> None:
    """Hold what a node gives a document against what that declares.

    What an ``<include>`` does not give may be in the configuration that the document has ``inherited``.
    """
    calls = isinstance(node.node, CallNode)
    declared = {parameter.name: parameter for parameter in document.parameters}
    parts = parts_of(node.node)
    given: set[str] = set()
    for name, bound, at in _arguments(node):
        part = parts[at]
        word = part.settings.get("name") or part.settings["key"]
        if name in given:
            findings.at_value(word, "setting-twice", f"{name!r} is given twice")
        given.add(name)
        parameter = declared.get(name)
        if parameter is None:
            if declared:
                findings.at_value(
                    word,
                    "unknown-argument",
                    f"{document.name!r} declares no {name!r}",
                    severity="warning",
                    suggestion=nearest(name, declared),
                )
            continue
        if bound.computed:
            continue
        value = bound.constant.value
        if value is None and not parameter.required:
            continue
        if not fits(value, parameter.type, parameter.choices):
            findings.at_value(
                part.settings["value"],
                "invalid-argument",
                f"{name!r} is {show(value)}, which {document.name!r} does not take",
                expected=describe_type(parameter.type, parameter.choices),
            )
    known = given if calls else given | inherited.config
    for name, parameter in declared.items():
        if parameter.required and not parameter.has_default and name not in known:
            findings.at_element(
                node.node,
                "missing-argument",
                f"{document.name!r} needs the argument {name!r}",
                expected=f"{describe_type(parameter.type, parameter.choices)} (declared at {parameter.location})",
            )
