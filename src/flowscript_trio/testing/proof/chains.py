"""Owns the way from an error to what it groups, and to what it came from."""

from __future__ import annotations

from collections.abc import Iterator

from ...types.exceptions import cause_of, context_of, inner_of, is_a


def behind(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it groups, its causes and contexts, and so on; each once."""
    pending = [error]
    seen: set[int] = set()
    while pending:
        found = pending.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        if is_a(found, BaseExceptionGroup):
            pending += inner_of(found)
        pending += [cause_of(found), context_of(found)]
