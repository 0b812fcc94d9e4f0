"""Owns what follows the workflow in a ``.flow.md`` document: any Markdown, in which no second one may stand.

A reader could take it for the one that runs. In code and in comments it is an example.
"""

from __future__ import annotations

import re

from ..types.errors import Problem, problem_at
from ..types.location import Source

_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}|~{3,})(.*)")
_TOKEN = re.compile(r"<!--|<workflow(?=[\s/>]|\Z)|(`+)")


def find_second(source: Source, start: int) -> list[Problem]:
    """The second workflow of a document whose first ends at ``start``, as a problem; else nothing."""
    text = source.text
    at = text.find("<workflow", start)
    if at < 0:
        return []
    at = start
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        fence = _FENCE.match(text, at, end)
        if fence is not None and "`" not in fence[2]:
            at = _after_fence(text, end, fence[1])
            continue
        token = _TOKEN.search(text, at, end)
        if token is None:
            at = end + 1
        elif token[0] == "<!--":
            at = _after(text, "-->", token.end())
        elif token[1]:
            at = _after_span(text, token.end(), token[1])
        else:
            message = "this is a second <workflow>, which would never run: a document has one"
            expected = "one <workflow>; an example stands in a code fence or a comment"
            length = len("<workflow")
            problem = problem_at(
                source, token.start(), "second-workflow", message, length=length, expected=expected
            )
            return [problem]
    return []


def _after(text: str, end: str, at: int) -> int:
    """Where to read on behind the next ``end``: there is nothing behind one that is missing."""
    found = text.find(end, at)
    return len(text) if found < 0 else found + len(end)


def _after_fence(text: str, at: int, fence: str) -> int:
    """Behind a block of code: its last line has the same sign at least as often as its first."""
    closing = re.compile(rf"^[ \t>]*{fence[0]}{{{len(fence)},}}[ \t]*\r?$", re.MULTILINE)
    found = closing.search(text, at)
    return len(text) if found is None else found.end()


def _after_span(text: str, at: int, ticks: str) -> int:
    """Behind a piece of code in a line; signs that are never closed are only signs."""
    closing = re.compile(rf"(?<!`){ticks}(?!`)").search(text, at)
    blank = text.find("\n\n", at)
    if closing is None or 0 <= blank < closing.start():
        return at
    return closing.end()
