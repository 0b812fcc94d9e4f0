"""Owns what follows the workflow in a ``.flow.md`` document: any Markdown, in which no second one may stand.

A reader could take it for the one that runs. In code and in comments it is an example. All of it takes time
that is linear in the text.
"""

from __future__ import annotations

import re

from ..types.errors import Problem, problem_at
from ..types.location import Source
from ..types.patterns import pattern

_CODE_FENCE = pattern(r"[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})(.*)")
_TOKEN = pattern(r"<!--|(<(?:control:)?workflow)(?=[\s/>]|\Z)|(`+)")


def find_second(source: Source, start: int) -> list[Problem]:
    """The second workflow of a document whose first ends at ``start``, as a problem; else nothing."""
    text = source.text
    at = start
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        begins_line = at == 0 or text[at - 1] == "\n"
        fence = _CODE_FENCE.match(text, at, end) if begins_line else None
        if fence is not None and "`" not in fence[2]:
            at = _after_fence(text, end, fence[1])
            continue
        found, at = _look(text, at, end)
        if found is not None:
            return [_problem(source, found)]
    return []


def _look(text: str, at: int, end: int) -> tuple[re.Match[str] | None, int]:
    """The workflow that begins in a line, and where to read on: behind the line, or behind a comment."""
    tokens = list(_TOKEN.finditer(text, at, end))
    closing = _pairs(tokens)
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token[1]:
            return token, end
        if token[2]:
            place = closing.get(place, place) + 1
            continue
        found = text.find("-->", token.end())
        if found < 0 or found >= end:
            return None, len(text) if found < 0 else found + 3
        while place < len(tokens) and tokens[place].start() < found:
            place += 1
    return None, end + 1


def _pairs(tokens: list[re.Match[str]]) -> dict[int, int]:
    """For each run of ` that begins a piece of code, the one that ends it: the next of its length."""
    later: dict[int, int] = {}
    closing = {}
    for place in reversed(range(len(tokens))):
        ticks = tokens[place][2]
        if ticks:
            if len(ticks) in later:
                closing[place] = later[len(ticks)]
            later[len(ticks)] = place
    return closing


def _after_fence(text: str, at: int, fence: str) -> int:
    """Behind a block of code: its last line has the same sign at least as often as its first."""
    closing = re.compile(rf"^[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*\r?$", re.MULTILINE)
    found = closing.search(text, at)
    return len(text) if found is None else found.end() + 1


def _problem(source: Source, found: re.Match[str]) -> Problem:
    return problem_at(
        source,
        found.start(),
        "second-workflow",
        "this is a second <workflow>, which would never run: a document has one",
        length=len(found[0]),
        expected="one <workflow>; put an example in a code fence or a comment",
    )
