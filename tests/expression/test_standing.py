"""Owns what enumerations, paths and lengths of time that an application gives are to expressions, and as JSON."""

from __future__ import annotations

import enum
import ipaddress
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.expression import encode_json, to_text
from flowscript_trio.types.durations import parse_duration


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.Enum):
    LOW = 1
    HIGH = 10


class Inner(enum.Enum):
    ONE = Colour.RED


class Word(enum.StrEnum):
    A = "a"


class Number(enum.IntEnum):
    TWO = 2


HOME = PurePosixPath("/home/ann")
HOUR = timedelta(hours=1, milliseconds=5)


def value_of(expression: str, given: Any) -> Any:
    text = f'<workflow name="w"><return value="{{{{{expression}}}}}"/></workflow>'
    return trio.run(lambda: _run(fs.loads(text), given))


async def _run(flow: fs.Flow, given: Any) -> Any:
    return (await fs.run(flow, input=given)).output


@pytest.mark.parametrize(
    ("value", "text", "json"),
    [
        (Colour.RED, "red", '"red"'),
        (Level.HIGH, "10", "10"),
        (Inner.ONE, "red", '"red"'),
        (Word.A, "a", '"a"'),
        (Number.TWO, "2", "2"),
        (HOME, "/home/ann", '"/home/ann"'),
        (HOUR, "PT1H0.005S", '"PT1H0.005S"'),
        (timedelta(0), "PT0S", '"PT0S"'),
        (timedelta(days=2), "P2D", '"P2D"'),
        (timedelta(days=1, hours=2, minutes=3, seconds=4), "P1DT2H3M4S", '"P1DT2H3M4S"'),
        (timedelta(minutes=-90), "PT-1H-30M", '"PT-1H-30M"'),
        (timedelta(microseconds=1), "PT0.000001S", '"PT0.000001S"'),
    ],
)
def test_it_is_written_as_what_it_stands_for(value: Any, text: str, json: str) -> None:
    assert to_text(value) == text
    assert encode_json(value) == json
    assert encode_json({"a": [value]}) == f'{{"a":[{json}]}}'
    assert value_of("'' + input", value) == text
    assert value_of("input", value) is value


@pytest.mark.parametrize("seconds", [0, 0.005, 3600.25, 90_061.5, 10 * 86_400])
def test_a_length_of_time_is_a_duration_of_the_language(seconds: float) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(to_text(length)) == seconds
    assert parse_duration(length) == seconds


@pytest.mark.parametrize(
    ("expression", "given", "value"),
    [
        ("input == 'red'", Colour.RED, True),
        ("'red' == input", Colour.RED, True),
        ("input == 'blue'", Colour.RED, False),
        ("input == 10", Level.HIGH, True),
        ("input &lt; 11", Level.HIGH, True),
        ("input + 1", Level.HIGH, 11),
        ("input in ['red']", Colour.RED, True),
        ("input == '/home/ann'", HOME, True),
        ("input &lt; '/home/bob'", HOME, True),
        ("input == 'PT1H0.005S'", HOUR, True),
        ("input[0] &lt; input[1]", [timedelta(seconds=59), timedelta(minutes=1)], True),
        ("max(input)", [timedelta(seconds=59), timedelta(minutes=1)], timedelta(minutes=1)),
        ("sort(input)", [Level.HIGH, Level.LOW], [Level.LOW, Level.HIGH]),
        ("sort(input)", [Colour.RED, Colour.BLUE], [Colour.BLUE, Colour.RED]),
        ("sort(input)", [HOME, PurePosixPath("/a")], [PurePosixPath("/a"), HOME]),
        ("unique(input)", [Colour.RED, "red", Level.LOW, 1], [Colour.RED, Level.LOW]),
        ("{red: 5}[input]", Colour.RED, 5),
        ("{[input]: 5}", Colour.RED, {"red": 5}),
        ("switch(input, {red: 5}, 6)", Colour.RED, 5),
        ("add_time('2024-01-01', input)", HOUR, "2024-01-01T01:00:00.005Z"),
        ("duration(input)", HOUR, 3_600_005),
        ("typeof input", Colour.RED, "object"),
    ],
)
def test_it_is_compared_and_counted_as_what_it_stands_for(
    expression: str, given: Any, value: Any
) -> None:
    assert value_of(expression, given) == value


class Named:
    def __str__(self) -> str:
        return "by its class"


class Nameless:
    pass


def test_an_object_is_the_text_that_its_class_gives_it_and_an_error_where_it_gives_none() -> None:
    assert value_of("'' + input", Named()) == "by its class"
    assert value_of("'' + input", ipaddress.ip_address("192.0.2.1")) == "192.0.2.1"
    for expression in ("'' + input", "upper(input)", "{[input]: 1}"):
        with pytest.raises(fs.EvaluationError, match=r"object of type .*\.Nameless has no text"):
            value_of(expression, Nameless())
