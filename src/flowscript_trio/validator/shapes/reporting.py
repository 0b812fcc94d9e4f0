"""Owns the words for a member that cannot be there."""

from __future__ import annotations

from ...types.errors import nearest
from ...types.findings import Findings
from ...types.location import Text
from ...types.shapes import Missing

MOST_COMPARISONS = 20_000
"""How many names are compared with missing members in one document, to find the nearest."""
_MOST_LISTED = 8


class Reports:
    """Reports members that cannot be there to the findings of a document; without those to nobody."""

    def __init__(self, findings: Findings | None) -> None:
        self._findings = findings
        self._comparisons = 0

    def report(
        self,
        text: Text,
        offset: int,
        name: str,
        whose: str,
        missing: Missing,
        inner: tuple[str, ...] = (),
    ) -> None:
        """Report the member ``name`` of what ``whose`` says, that is at an offset of a text or behind it.

        ``inner`` are the nodes in it, where it is a block: their names may be there, too.
        """
        if self._findings is None:
            return
        self._comparisons += len(missing.known) + len(inner)
        is_looked = self._comparisons <= MOST_COMPARISONS
        start = text.value.find(name, offset, offset + len(name) + 1)
        found, length = (start, len(name)) if start >= 0 else (offset, 1)
        if self._findings.has_any_at(text, found):
            return  # one word about it is enough
        self._findings.in_text(
            text,
            found,
            length,
            "unknown-member",
            _words_for(whose, name, missing),
            expected=_list((*missing.known, *inner)),
            suggestion=nearest(name, (*missing.known, *inner)) if is_looked else None,
        )


def _words_for(whose: str, name: str, missing: Missing) -> str:
    if missing.origin:
        return f"{missing.origin!r} has no member {name!r}"
    if missing.known or missing.kind == "an object":
        return f"{whose!r} has no member {name!r}"
    return f"{whose!r} is {missing.kind}, which has no member {name!r}"


def _list(names: tuple[str, ...]) -> str | None:
    """The members for a message, not more than fit in one."""
    if not names:
        return None
    shown = ", ".join(names[:_MOST_LISTED])
    if len(names) > _MOST_LISTED:
        return f"one of {shown}, …"
    return f"one of {shown}" if len(names) > 1 else shown
