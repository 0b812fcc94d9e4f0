"""Owns the check of values that are computed against what is declared for them: arguments and outputs."""

from __future__ import annotations

from collections.abc import Iterator

from ...language.elements import parts_of
from ...types.ast import Document, Shaped
from ...types.findings import Findings
from ...types.shapes import Missing, Shape, member_of, shape_of_schema
from ...types.shapes.overlap import may_be
from ..arguments import arguments_with_parts
from ..checked import CheckedNode
from ..messages import phrase
from .document import DocumentShapes
from .variables import declared_shape


def check_computed_arguments(
    shapes: DocumentShapes, node: CheckedNode, document: Document, findings: Findings
) -> None:
    """Report what a node computes for a document that can never be what that declares.

    Constants are held against the declarations themselves.
    """
    parts = parts_of(node.node)
    wanted = dict(_declared_in(document))
    for name, bound, at in arguments_with_parts(node):
        if name not in wanted or not bound.computed:
            continue
        shape = shapes.value(bound, node, 0)
        if not may_be(shape, wanted[name]):
            findings.at_value(
                parts[at].settings["value"],
                "invalid-argument",
                f"{name!r} is {phrase(shape)}, which {document.name!r} does not take",
                expected=phrase(wanted[name].not_null),
            )


def _declared_in(document: Document) -> Iterator[tuple[str, Shape]]:
    """What a document says of its arguments; a parameter goes before a member of the input."""
    for member in document.input:
        shape = shape_of_schema(member.shape)
        yield member.name, shape if member.required else shape.or_null
    for parameter in document.parameters:
        yield parameter.name, declared_shape(parameter)


def check_declared_output(shapes: DocumentShapes, findings: Findings) -> None:
    """Report the declared members of the output that it cannot have, or that can never be as declared."""
    document = shapes.scene.index.document
    for declared in document.output:
        found = member_of(shapes.output, declared.name)
        wanted = shape_of_schema(declared.shape)
        if isinstance(found, Missing):
            if declared.required:
                message = f"the output has no member {declared.name!r}, which is declared here"
                instead = f'<set field="{declared.name}" value="…"/> in <output>'
                _report(declared, "missing-output", message, findings, expected=instead)
        elif not may_be(found, wanted if declared.required else wanted.or_null):
            message = (
                f"the member {declared.name!r} of the output is {phrase(found)}, and is declared "
                f"here as {phrase(wanted.not_null)}"
            )
            _report(declared, "invalid-output", message, findings)


def _report(
    declared: Shaped, code: str, message: str, findings: Findings, expected: str | None = None
) -> None:
    length = len(declared.name)
    findings.at_place(declared.location, code, message, length=length, expected=expected)
