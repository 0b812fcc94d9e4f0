"""Owns the values that tests send there and back, when two of them are the same, and a column that holds them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import trio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import flowscript_trio as fs

from postgresql import URL

EXAMPLES = int(os.environ.get("FLOWSCRIPT_TEST_ROUND_TRIPS", "200"))
"""Values that go there and back by each way; by hand: 10000."""
AT_ONCE = 50
"""Values of one run, where a run is the dearer part."""

values = settings(max_examples=EXAMPLES, deadline=None)
runs = settings(
    max_examples=max(EXAMPLES // AT_ONCE, 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "null", "true", "1e3", "007", "=1+1", "NaN", "\ufeff", "\x00", "a\r\n"]
    ),
    st.text(max_size=20),
    st.text("a,;\t\"'\r\n\\ é😀\x85\u2028", max_size=10),
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 2**64, 1e22, -0.0])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON: there is one kind of number, and a boolean is none."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, (int, float)):
        return one == float(other)
    if isinstance(one, (list, tuple)) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return type(one) is type(other) and bool(one == other)


def has(value: Any, test: Callable[[Any], bool]) -> bool:
    """Whether something in a value passes a test."""
    if isinstance(value, dict):
        return any(has(key, test) or has(item, test) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(has(item, test) for item in value)
    return test(value)


def is_odd_float(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    columns = draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=4, unique=True))
    row = st.fixed_dictionaries(dict.fromkeys(columns, TEXTS | st.integers() | st.booleans()))
    return draw(st.lists(row, min_size=1, max_size=5))


@dataclass(frozen=True, slots=True)
class Column:
    """The column ``v`` of a table of PostgreSQL with that name."""

    name: str

    def element(self, tag: str, inside: str) -> str:
        return f'<{tag}:database id="x" connection="{{{{$config.db}}}}" {inside}/>'

    def run(self, body: str, **options: Any) -> Any:
        """The output of a workflow."""
        flow = fs.loads(f'<workflow name="w">{body}</workflow>')
        return trio.run(lambda: fs.run(flow, config={"db": URL}, **options)).output

    def fill(self, items: list[Any]) -> None:
        """Replace what is in it by the items, by INSERT, and ten times more, by COPY."""
        self.run(self.element("source", f'query="TRUNCATE {self.name}"'))
        rows = [{"n": number, "v": value} for number, value in enumerate(items)]
        self.run(self.element("sink", f'table="{self.name}"'), input=rows)
        many = [{**row, "n": row["n"] + AT_ONCE * times} for times in range(1, 11) for row in rows]
        self.run(self.element("sink", f'table="{self.name}"'), input=many)

    def source(self, settings: str = "") -> str:
        """The source of its rows in order."""
        query = f'query="SELECT v FROM {self.name} ORDER BY n"'
        return self.element("source", f"{query} {settings}")


@contextmanager
def column_of(kind: str) -> Iterator[Column]:
    """A column of that type, which is gone afterwards."""
    column = Column(f"r_{token_hex(4)}")
    column.run(column.element("source", f'query="CREATE TABLE {column.name} (n int, v {kind})"'))
    try:
        yield column
    finally:
        column.run(column.element("source", f'query="DROP TABLE {column.name}"'))
