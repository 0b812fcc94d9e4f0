"""Owns a query and its parameters as SQLAlchemy takes them: no value ever goes into the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.types import NullType

from .placeholders import Bound
from .values import to_driver


def bind_text(query: str, bound: Sequence[Bound], dialect: str) -> TextClause:
    """The query with its parameters bound.

    A list that is alone after ``IN`` is as many parameters as it has items. The types are left to the
    driver and the database: a text may be where a date is expected.
    """
    parts: list[str] = []
    names: dict[tuple[Any, bool], str] = {}
    binds = []
    done = 0
    for one in bound:
        place, is_list = one.place, one.is_list
        start, end = place.start, place.end
        if is_list and place.list_start is not None and place.list_end is not None:
            start, end = place.list_start, place.list_end
        parts.append(_keep(query[done:start]))
        done = end
        key = (place.key, is_list)
        if key not in names:
            names[key] = f"p{len(names)}"
            value = (
                [to_driver(item, dialect) for item in one.value]
                if is_list
                else to_driver(one.value, dialect, is_array=dialect == "postgresql")
            )
            binds.append(bindparam(names[key], value, type_=NullType(), expanding=is_list))
        parts.append(f" :{names[key]} ")  # apart from its neighbours: ``LIMIT?`` is right
    parts.append(_keep(query[done:]))
    return text("".join(parts)).bindparams(*binds)


def _keep(part: str) -> str:
    """A part of the query that has no parameter: SQLAlchemy shall see none in it."""
    return part.replace(":", "\\:")
