"""Owns the tests of values that are small in memory, and without end when they are written out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.expression import encode_json
from flowscript_trio.expression.sharing import MOST, refuse_expanding


def doubled(times: int, value: Any, wrap: Any = lambda inner: [inner, inner]) -> Any:
    for _ in range(times):
        value = wrap(value)
    return value


WRAPS = [
    lambda inner: [inner, inner],
    lambda inner: (inner, inner),
    lambda inner: {"a": inner, "b": inner},
    lambda inner: [{"a": inner}, [inner]],
]


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_value_that_grows_when_it_is_written_is_refused_at_once(wrap: Any) -> None:
    with pytest.raises(fs.LimitExceeded, match="when it is written out"):
        encode_json(doubled(60, 0, wrap), indent=2)
    with pytest.raises(fs.LimitExceeded, match="when it is written out"):
        encode_json([doubled(60, [0] * 100, wrap)])


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_value_that_shares_little_is_written(wrap: Any) -> None:
    assert encode_json(doubled(10, 7, wrap)).count("7") == 1024


def test_how_much_it_would_be_is_counted() -> None:
    with pytest.raises(fs.LimitExceeded, match=f"{2**25 - 1:,} values"):
        refuse_expanding(doubled(24, 0))


def test_what_shares_nothing_may_be_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowscript_trio.expression.sharing.MOST", 100)
    refuse_expanding([[number] for number in range(1000)])
    shared = [0] * 50
    with pytest.raises(fs.LimitExceeded):
        refuse_expanding([shared] * 100)
    assert MOST == 10_000_000


def test_a_list_that_holds_itself_is_left_to_who_writes_it() -> None:
    endless: list[Any] = []
    endless.append(endless)
    refuse_expanding(endless)
    with pytest.raises(fs.LimitExceeded, match="nests deeper"):
        encode_json(endless)


GROWN = '<set var="x" value="{{ reduce(range(40), (a, i) => [a, a], 0) }}"/>'


@pytest.mark.parametrize(
    "sink",
    [
        '<sink:file id="s" path="x.json" input="$context.x"/>',
        '<sink:file id="s" path="x.yaml" input="$context.x"/>',
        '<sink:file id="s" path="x.txt" input="$context.x"/>',
        '<sink:http id="s" url="http://127.0.0.1:9/" body="{{x}}"/>',
    ],
)
async def test_no_sink_writes_such_a_value(sink: str, tmp_path: Path) -> None:
    flow = fs.loads(f'<workflow name="w">{GROWN}{sink}</workflow>')
    with pytest.raises(fs.LimitExceeded, match="when it is written out"):
        await fs.run(flow, base=tmp_path)
    assert os.listdir(tmp_path) == []
