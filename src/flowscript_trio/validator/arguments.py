"""Owns the check of what an ``<include>`` or a ``<call>`` gives, against what the document declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..language.elements import parts_of
from ..runtimes.control.types import ArgConfig, BindConfig
from ..types.ast import CallNode, Document, Part, Shaped
from ..types.declared import describe_type, fits
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.location import Text
from ..types.shapes import Shape, shape_of_schema
from .checked import CheckedNode
from .members import Inherited
from .messages import phrase, show
from .values import BoundSettings


def arguments_of(node: CheckedNode) -> list[tuple[str, BoundSettings]]:
    """The names that an ``<include>`` or a ``<call>`` binds, each with its part."""
    return [(name, bound) for name, bound, _ in arguments_with_parts(node)]


def arguments_with_parts(node: CheckedNode) -> Iterator[tuple[str, BoundSettings, int]]:
    """The names that a node binds, each with its part and where that is among all of them."""
    for at, part in enumerate(node.parts):
        config = part.base if part.computed else part.constant
        if isinstance(config, BindConfig):
            yield config.key, part, at
        elif isinstance(config, ArgConfig):
            yield config.name, part, at


def keep_texts(node: CheckedNode, document: Document) -> CheckedNode:
    """The node with constants as they are written where the document declares a text: ``1.10``, not 1.1."""
    declared = texts_in(document) | _texts_in_input(document)
    written_parts = parts_of(node.node)
    parts = list(node.parts)
    for name, bound, at in arguments_with_parts(node):
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


def _texts_in_input(document: Document) -> frozenset[str]:
    """The members of its input that a document declares as texts."""
    shapes = {member.name: shape_of_schema(member.shape).not_null for member in document.input}
    return frozenset(
        name for name, shape in shapes.items() if shape.texts and shape == Shape(texts=shape.texts)
    )


def check_arguments(
    node: CheckedNode, document: Document, findings: Findings, inherited: Inherited
) -> None:
    """Hold what a node gives a document against what that declares.

    What an ``<include>`` does not give may be in the configuration that the document has ``inherited``.
    """
    calls = isinstance(node.node, CallNode)
    declared = {parameter.name: parameter for parameter in document.parameters}
    members = {member.name: member for member in document.input}
    parts = parts_of(node.node)
    given: set[str] = set()
    for name, bound, at in arguments_with_parts(node):
        part = parts[at]
        word = part.settings.get("name") or part.settings["key"]
        if name in given:
            findings.at_value(word, "setting-twice", f"{name!r} is given twice")
        given.add(name)
        parameter, member = declared.get(name), members.get(name)
        if parameter is None and member is None:
            if declared or members:
                findings.at_value(
                    word,
                    "unknown-argument",
                    f"{document.name!r} declares no {name!r}",
                    severity="warning",
                    suggestion=nearest(name, {**declared, **members}),
                )
            continue
        if bound.computed:
            continue
        value = bound.constant.value
        is_given = value is not None or (parameter is not None and parameter.required)
        if (
            parameter is not None
            and is_given
            and not fits(value, parameter.type, parameter.choices)
        ):
            expected = describe_type(parameter.type, parameter.choices)
            _report_misfit(part, name, show(value), document, expected, findings)
            continue
        if member is not None and (value is not None or member.required):
            _check_member(part, member, value, document, findings)
    known = given if calls else given | inherited.config
    for name, parameter in declared.items():
        if parameter.required and not parameter.has_default and name not in known:
            expected = describe_type(parameter.type, parameter.choices)
            _report_missing(node, name, document, expected, str(parameter.location), findings)
    has_input = bool(given) or node.node.input is None
    for name, member in members.items():
        if has_input and member.required and name not in given and name not in declared:
            expected = phrase(shape_of_schema(member.shape).not_null)
            _report_missing(node, name, document, expected, str(member.location), findings)


def _check_member(
    part: Part, member: Shaped, value: object, document: Document, findings: Findings
) -> None:
    """Hold a constant against what a member of the input is declared to be."""
    from ..runtimes.ai.checking import checker_of_short_form  # by those who declare something

    if checker_of_short_form(member.shape)(value):
        expected = phrase(shape_of_schema(member.shape).not_null)
        _report_misfit(part, member.name, show(value), document, expected, findings)


def _report_misfit(
    part: Part, name: str, found: str, document: Document, expected: str, findings: Findings
) -> None:
    message = f"{name!r} is {found}, which {document.name!r} does not take"
    findings.at_value(part.settings["value"], "invalid-argument", message, expected=expected)


def _report_missing(
    node: CheckedNode,
    name: str,
    document: Document,
    expected: str,
    place: str,
    findings: Findings,
) -> None:
    findings.at_element(
        node.node,
        "missing-argument",
        f"{document.name!r} needs the argument {name!r}",
        expected=f"{expected} (declared at {place})",
    )
