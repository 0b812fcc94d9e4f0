"""Owns namespace declarations: a prefix must mean what it says, and the same in the whole document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from ..types.errors import Problem, problem_at
from ..types.location import Source
from .markup import Attribute, Element
from .texts import attribute_text

FAMILIES = ("source", "transform", "sink", "control")
URN = "urn:flowscript:"


def judge_declarations(source: Source, elements: Iterable[Element]) -> list[Problem]:
    """What is wrong with the declarations of prefixes in a document, whose elements these are."""
    problems = []
    meanings: dict[str, str] = {}
    for element in elements:
        for attribute in element.attributes:
            name, colon, prefix = attribute.name.partition(":")
            if name != "xmlns" or (colon and not prefix):
                continue
            uri = attribute_text(source, attribute).value
            lie = _lie_of(prefix, uri, meanings.setdefault(prefix, uri))
            if lie is not None:
                problems.append(_problem(source, attribute, *lie))
            elif uri.startswith(URN) and not prefix.isascii():
                message = f"the prefix {prefix!r} has letters that can look like others"
                expected = f"{uri.removeprefix(URN)}, or another prefix in ASCII"
                problems.append(_problem(source, attribute, message, expected, "warning"))
    return problems


def _lie_of(prefix: str, uri: str, first: str) -> tuple[str, str] | None:
    """What is wrong with a declaration, and what to write instead; ``first`` is what the prefix meant first."""
    family = uri.removeprefix(URN)
    is_builtin = uri != family and family in FAMILIES
    if not prefix:
        if is_builtin:
            message = (
                f"with the default namespace {uri!r} a name without a prefix would be a {family}"
            )
            return message, f'xmlns:{family}="{uri}", and the prefix on each of them'
        return None
    meant = prefix.lower()
    if meant in FAMILIES and family != meant:
        return f"the prefix {prefix!r} stands for {uri!r} here", f"{URN}{meant}, or no declaration"
    if first != uri and (is_builtin or first.startswith(URN)):
        return f"the prefix {prefix!r} stood for {first!r} before", "a prefix of its own for each"
    return None


def _problem(
    source: Source,
    attribute: Attribute,
    message: str,
    expected: str,
    severity: Literal["error", "warning"] = "error",
) -> Problem:
    return problem_at(
        source,
        attribute.offset,
        "misleading-prefix",
        message,
        severity=severity,
        length=len(attribute.name),
        expected=expected,
    )
