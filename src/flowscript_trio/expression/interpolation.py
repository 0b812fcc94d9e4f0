"""Owns where an interpolation ends."""

from __future__ import annotations

_OPENS = {"}": "{", ")": "(", "]": "["}


def find_end(value: str, at: int) -> int:
    """The first ``}}`` from ``at`` on outside of brackets and strings, or -1.

    Where the brackets do not match, a ``}}`` that closes none of them is the end: what is wrong with them
    is then reported by the parser, which knows the place.
    """
    opened: list[str] = []
    while at < len(value):
        char = value[at]
        if char in "\"'":
            at += 1
            while at < len(value) and value[at] != char:
                at += 2 if value[at] == "\\" else 1
        elif char in "([{":
            opened.append(char)
        elif char in ")]}":
            if opened and opened[-1] == _OPENS[char]:
                opened.pop()
            elif char == "}" and value.startswith("}}", at):
                return at
        at += 1
    return -1
