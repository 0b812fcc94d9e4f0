"""Owns characters that hide what a document says: controls in names, and those that turn the direction of text."""

from __future__ import annotations

import re

from ..types.errors import Problem, problem_at
from ..types.location import Source

MOST = 100
"""This many lines with such characters are reported."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BIDI = "202[a-eA-E]|206[6-9]|200[eEfF]|0?61[cC]"
_TURNS = re.compile(
    "([\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c])"
    rf"|&#x0*({_BIDI});|&#0*(823[4-8]|829[4-7]|820[67]|1564);|\\(?:u|U0000)({_BIDI})|\\u\{{0*({_BIDI})\}}"
)
"""The marks of direction are among them: they decide where the signs and digits beside them are shown."""


def control_in(name: str) -> str | None:
    """What is wrong with a name that has a control character in it, or a line that ends."""
    found = _CONTROL.search(name)
    if found is None:
        return None
    return f"a name has the control character U+{ord(found[0]):04X} in it"


def find_turns(source: Source) -> list[Problem]:
    """A warning for each line that has characters in it after which text is shown in another order."""
    problems: list[Problem] = []
    found = _TURNS.search(source.text)
    while found is not None and len(problems) < MOST:
        raw, *references = found.groups()
        decimal = references[1]
        code = (
            ord(raw)
            if raw
            else int(decimal)
            if decimal
            else int(next(filter(None, references)), 16)
        )
        problems.append(
            problem_at(
                source,
                found.start(),
                "bidirectional-control",
                f"the character U+{code:04X} changes the order in which text is shown: "
                "what is read here may not be what is seen",
                severity="warning",
                length=len(found[0]),
                expected="text without it",
            )
        )
        end = source.text.find("\n", found.end())
        found = None if end < 0 else _TURNS.search(source.text, end)
    return problems
