"""Owns what follows the workflow in a ``.flow.md`` document: any Markdown that has no second one.

A reader could take it for the one that runs. In code and in comments it is an example; where Markdown could be
read in two ways, it has to be one in both. All of it takes time that is linear in the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..types.errors import Problem, problem_at
from ..types.location import Source
from ..types.patterns import pattern

_CODE_FENCE = pattern(r"((?:[ \t]*>)*)([ \t]*)((?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})(.*)")
_BLANK = pattern(r"[ \t\r>]*")
_TAG = r"<(?:control:)?workflow(?=[\s/>]|\Z)"
_WORKFLOW = pattern(_TAG)
_TOKEN = pattern(rf"<!--|({_TAG})|(?<!\\)(\\*)(`+)")
_COMMENT_END = pattern("--!?>")
"""Also as browsers read it, for which ``<!-->`` is a whole comment."""


def find_second(source: Source, start: int) -> list[Problem]:
    """The second workflow of a document whose first ends at ``start``, as a problem; else nothing."""
    if _WORKFLOW.search(source.text, start) is None:
        return []
    for in_list in (False, True):
        found = _Reading(source.text, in_list).find(start)
        if found is not None:
            return [_problem(source, found)]
    return []


class _Reading:
    """One way to read the text; ``in_list`` says of fences behind spaces that they are in the item of a list."""

    def __init__(self, text: str, in_list: bool) -> None:
        self._text = text
        self._in_list = in_list
        self._unpaired: set[int] = set()
        """The lengths of the runs of ` in earlier lines of this paragraph which might begin code that goes on."""

    def find(self, at: int) -> re.Match[str] | None:
        """The first workflow at or behind a place that is neither in code nor in a comment."""
        text = self._text
        while at < len(text):
            end = _end_of_line(text, at)
            begins_line = at == 0 or text[at - 1] == "\n"
            fence = _CODE_FENCE.match(text, at, end) if begins_line else None
            if fence is not None and ("`" not in fence[5] or fence[4][0] == "~"):
                self._unpaired.clear()
                at = _Fence.of(fence, self._in_list).end_in(text, end + 1)
                continue
            if begins_line and _BLANK.fullmatch(text, at, end):
                self._unpaired.clear()
            found, at = self._look(at, end)
            if found is not None:
                return found
        return None

    def _look(self, at: int, end: int) -> tuple[re.Match[str] | None, int]:
        """The workflow that begins in a line, and where to read on: after the line, or after a comment."""
        text = self._text
        tokens = list(_TOKEN.finditer(text, at, end))
        closing = _pairs(tokens)
        place = 0
        while place < len(tokens):
            token = tokens[place]
            if token[1]:
                return token, end
            if token[3]:
                place = self._behind_code(tokens, place, closing)
                continue
            found = _COMMENT_END.search(text, token.end() - 2)
            if found is None or found.end() > end:
                return None, len(text) if found is None else found.end()
            while place < len(tokens) and tokens[place].start() < found.end():
                place += 1
        return None, end + 1

    def _behind_code(self, tokens: list[re.Match[str]], place: int, closing: dict[int, int]) -> int:
        """After the code that begins at a run of `, or after the run where no code begins there."""
        length = len(tokens[place][3])
        is_escaped = len(tokens[place][2]) % 2 == 1
        if place in closing and not is_escaped and length not in self._unpaired:
            return closing[place] + 1
        if not is_escaped:
            self._unpaired.add(length)
        return place + 1


def _pairs(tokens: list[re.Match[str]]) -> dict[int, int]:
    """For each run of ` that begins a piece of code, the one that ends it: the next of its length."""
    later: dict[int, int] = {}
    closing = {}
    for place in reversed(range(len(tokens))):
        ticks = tokens[place][3]
        if ticks:
            if len(ticks) in later:
                closing[place] = later[len(ticks)]
            later[len(ticks)] = place
    return closing


class _Fence(NamedTuple):
    """A fence that begins a block of code: its sign, how often, and what it is in.

    The block ends with what it is in: before a line with fewer signs of quotation, or fewer spaces than what
    is in the item of a list begins with.
    """

    sign: str
    quotes: int
    column: int
    """Where the lines of what it is in begin."""

    @classmethod
    def of(cls, found: re.Match[str], in_list: bool) -> _Fence:
        quotes, spaces, marker, sign, _ = found.groups()
        if quotes:
            spaces = spaces.removeprefix(" ")  # which belongs to the sign of quotation
        column = _width(spaces + (marker or ""))
        if not marker and not in_list:
            column = max(column - 3, 0)  # up to three spaces say nothing
        return cls(sign, quotes.count(">"), column)

    def end_in(self, text: str, at: int) -> int:
        """Where to read on in a text whose line at a place is the first one after the fence."""
        quoted = re.compile(rf"(?:[ \t]*>){{{self.quotes}}}")
        closing = re.compile(rf"[ \t]*{self.sign[0]}{{{len(self.sign)},}}[ \t]*\r?")
        while at < len(text):
            end = _end_of_line(text, at)
            begin = quoted.match(text, at, end)
            if begin is None:
                return at
            first = begin.end() + (self.quotes > 0 and text.startswith(" ", begin.end()))
            line = text[first : min(end, first + self.column + 200)]
            if line.strip():
                width = _width(line[: len(line) - len(line.lstrip(" \t"))])
                if width < self.column:
                    return at
                if width <= self.column + 3 and closing.fullmatch(text, first, end):
                    return end + 1
            at = end + 1
        return len(text)


def _width(spaces: str) -> int:
    """The columns of the beginning of a line; a tab leads to the next multiple of four."""
    return len(spaces.expandtabs(4))


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _problem(source: Source, found: re.Match[str]) -> Problem:
    return problem_at(
        source,
        found.start(),
        "second-workflow",
        "this is a second <workflow>, which would never run: a document has one",
        length=len(found[0]),
        expected="one <workflow>; put an example in a code fence or a comment",
    )
