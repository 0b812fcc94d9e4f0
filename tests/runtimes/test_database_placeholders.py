"""Owns tests of where parameters stand in a query, against a slow and simple reading of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from flowscript_trio.runtimes.database.placeholders import Bound, match, scan
from flowscript_trio.runtimes.database.text import bind_text

QUIET = [
    "'it''s :a ? $1'",
    '"a""b :a ? $1"',
    "`a :a ? $1`",
    "-- :a ? $1\n",
    "/* :a ? $1 */",
    "$$ :a ? $1 $$",
    "$tag$ $$ :a ? $1 $tag$",
    "E'\\' :a ? $1'",
    "a::int",
    "x[1:2]",
    "a:b",
    "price$1",
    "12:30",
    "%(x)s %",
    "é",
    "(",
    ",",
]
"""What has no parameter in it."""


@given(st.lists(st.sampled_from([*QUIET, ":name", "$1", "?"]), max_size=8))
def test_only_parameters_are_found(parts: list[str]) -> None:
    query = " ".join(parts)
    found = [query[place.start : place.end] for place in scan(query)]
    assert found == [part for part in parts if part in (":name", "$1", "?")]


@given(st.text(alphabet=":?$1a'\"`-/*\\% \n[]()eE", max_size=30))
def test_a_query_without_parameters_is_what_was_written(query: str) -> None:
    assert str(bind_text(query, [], "sqlite").compile(dialect=sqlite.dialect())) == query


@example("%(?", 1)
@given(
    st.text(alphabet=":?$12ab'\"`-/*\\% \n[]()eEIN", max_size=30), st.sampled_from([1, "a", [1]])
)
def test_a_bound_value_changes_nothing_but_its_place(query: str, value: object) -> None:
    places = scan(query)
    bound = [Bound(place, value) for place in places]
    compiled = bind_text(query, bound, "sqlite").compile(
        dialect=sqlite.dialect(paramstyle="named"), compile_kwargs={"render_postcompile": True}
    )
    expected, done = [], 0
    for one in bound:
        start = one.place.list_start if one.is_list else one.place.start
        end = one.place.list_end if one.is_list else one.place.end
        assert start is not None
        assert end is not None
        expected += [query[done:start], " (?) " if one.is_list else " ? "]
        done = end
    shown = re.sub(r":p\d+(_\d+)?", "?", str(compiled))
    assert shown == "".join([*expected, query[done:]])


def test_a_name_that_stands_twice_is_one_parameter_in_postgresql() -> None:
    query = "SELECT date_trunc(:unit, at) FROM t GROUP BY date_trunc(:unit, at)"
    text = bind_text(query, match(scan(query), {"unit": "day"}), "postgresql")
    assert list(text.compile(dialect=postgresql.dialect()).params.values()) == ["day"]


@pytest.mark.parametrize("size", [20_000])
@pytest.mark.parametrize("part", ["'", '"', "''", "$a$", "/*", "$", ":", "?", "E'\\", "IN (", " "])
def test_long_queries_are_read_in_linear_time(part: str, size: int) -> None:
    assert len(scan(part * size)) in (0, size)
