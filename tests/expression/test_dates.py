"""Owns the comparison of dates with Babel, which knows the same letters and writes them by the CLDR's data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.expression.library import dates
from flowscript_trio.types.errors import EvaluationError

from expressing import evaluate

AMERICAN = """
G GG GGG GGGG GGGGG y yy yyy yyyy yyyyy Q QQ QQQ QQQQ QQQQQ q qq qqq qqqq qqqqq
M MM MMM MMMM MMMMM L LL LLL LLLL LLLLL d dd D DDD F E EE EEE EEEE EEEEE EEEEEE
eee eeee eeeee eeeeee ccc cccc ccccc cccccc a aaa aaaa aaaaa
h hh H HH K KK k kk m mm s ss S SS SSS SSSS SSSSSS A g gggg gggggggggg
"""
"""Letters that mean the same in the United States."""
EUROPEAN = "w ww W e ee c"
"""Letters that go by the week, which begins on Monday, as ISO 8601 has it."""
ZONED = "Z ZZ ZZZ ZZZZ ZZZZZ OOOO VV VVV x xx xxx xxxx xxxxx X XX XXX XXXX XXXXX"
MOMENTS = [
    datetime(2024, 2, 29, 12, 30, 45, 678000, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2023, 12, 31, 12, tzinfo=UTC),
    datetime(2021, 1, 3, 23, 59, 59, 999000, tzinfo=UTC),
    datetime(2020, 12, 28, 6, tzinfo=UTC),
    datetime(1999, 8, 1, 0, 0, 1, tzinfo=UTC),
    datetime(1987, 11, 9, 18, 5, tzinfo=UTC),
]


def written(moment: datetime, pattern: str, zone: str = "UTC") -> str:
    text = evaluate("format_date(t, p, z)", t=moment.isoformat(), p=pattern, z=zone)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("pattern", AMERICAN.split())
def test_a_letter_means_what_babel_writes(pattern: str) -> None:
    for moment in MOMENTS:
        assert written(moment, pattern) == format_datetime(moment, pattern, locale="en_US"), moment


@pytest.mark.slow
@pytest.mark.parametrize("pattern", EUROPEAN.split())
def test_a_letter_of_weeks_means_what_babel_writes_where_weeks_begin_on_monday(
    pattern: str,
) -> None:
    for day in range(3000):
        moment = MOMENTS[0] + timedelta(days=day)
        assert written(moment, pattern) == format_datetime(moment, pattern, locale="en_GB"), moment


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("pattern", ZONED.split())
def test_a_letter_of_zones_means_what_babel_writes(pattern: str, zone: str) -> None:
    for moment in (MOMENTS[0], MOMENTS[0] + timedelta(days=180)):
        there = format_datetime(moment, pattern, tzinfo=ZoneInfo(zone), locale="en_US")
        assert written(moment, pattern, zone) == there


@pytest.mark.parametrize(
    ("hour", "usual", "narrow"),
    [(0, "midnight", "mi"), (12, "noon", "n"), (13, "PM", "p"), (9, "AM", "a")],
)
def test_b_is_noon_midnight_or_half_of_the_day(hour: int, usual: str, narrow: str) -> None:
    """Babel writes here what B is on its own; the standard says this."""
    moment = datetime(2024, 1, 1, hour, tzinfo=UTC)
    assert written(moment, "b bbb bbbb bbbbb") == f"{usual} {usual} {usual} {narrow}"


@pytest.mark.parametrize(
    ("hour", "words"),
    [
        (0, "at night"),
        (5, "at night"),
        (6, "in the morning"),
        (12, "in the afternoon"),
        (17, "in the afternoon"),
        (18, "in the evening"),
        (21, "at night"),
    ],
)
def test_a_time_of_day_is_called_as_the_standard_says(hour: int, words: str) -> None:
    """Babel calls the hours behind midnight the morning."""
    assert written(datetime(2024, 1, 1, hour, 1, tzinfo=UTC), "B") == words
    exact = {0: "midnight", 12: "noon"}.get(hour, words)
    assert written(datetime(2024, 1, 1, hour, tzinfo=UTC), "BBBB") == exact


def test_zones_without_words_are_distances_from_greenwich() -> None:
    """Babel writes nothing for O."""
    noon = MOMENTS[0]
    assert written(noon, "O OOOO ZZZZ zzzz Z X VV VVV z") == "GMT GMT GMT GMT +0000 Z UTC UTC UTC"
    berlin = written(noon, "O OOOO zzzz zzz VVV", "Europe/Berlin")
    assert berlin == "GMT+1 GMT+01:00 GMT+01:00 CET Berlin"
    assert written(noon, "O", "Asia/Kolkata") == "GMT+5:30"


def test_a_zone_is_named_by_its_country_as_babel_does_where_both_call_it_the_same() -> None:
    english = Locale("en").territories
    compared = 0
    for country, zones in zones_of_countries().items():
        for zone in zones:
            there = partial(format_datetime, MOMENTS[0], tzinfo=ZoneInfo(zone), locale="en")
            ours = written(MOMENTS[0], "VVVV|VVV", zone)
            place, _ = ours.split("|")
            assert written(MOMENTS[0], "V|v|vvvv", zone) == f"{place}|{place}|{place}"
            if place in (f"{english[country]} Time", f"{english[country]} ({there('VVV')}) Time"):
                assert place == there("VVVV")
                compared += 1
            else:
                assert place.endswith(" Time")
    assert compared > 300


def zones_of_countries() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    table = files("tzdata") / "zoneinfo" / "zone.tab"
    for line in table.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return found


def test_a_zone_in_no_country_is_a_distance_from_greenwich() -> None:
    assert written(MOMENTS[0], "v VVVV") == "GMT GMT"
    assert written(MOMENTS[0], "vvvv", "Etc/GMT-3") == "GMT+03:00"


@pytest.mark.parametrize("pattern", ["vv", "vvv", "VVVVV"])
def test_a_letter_that_stands_too_often_is_an_error(pattern: str) -> None:
    with pytest.raises(EvaluationError, match=f"the date format has no '{pattern}'"):
        written(MOMENTS[0], pattern)


def test_every_letter_that_babel_knows_is_written() -> None:
    from babel.dates import PATTERN_CHARS

    compared = {pattern[0] for pattern in f"{AMERICAN} {EUROPEAN} {ZONED}".split()}
    taken = {"Y", "u"}  # as y
    apart = set("bBz")  # what Babel does to them is not what the standard says
    places = {"v"}  # compared for all zones
    assert set(PATTERN_CHARS) - compared - taken == apart | places
    assert {dates.token(letter)[0] for letter in PATTERN_CHARS} == set(dates.FIELDS)


@settings(max_examples=200)
@given(st.datetimes(datetime(1583, 1, 1), datetime(9000, 1, 1)))
def test_any_moment_is_read_as_it_was_written(moment: datetime) -> None:
    pattern = "EEEE, d MMMM yyyy HH:mm:ss.SSS XXX"
    text = written(moment.replace(tzinfo=UTC), pattern)
    read = evaluate("parse_date(t, p)", t=text, p=pattern)
    assert read == moment.isoformat(timespec="milliseconds") + "Z"
