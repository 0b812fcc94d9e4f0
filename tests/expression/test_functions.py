"""Owns the tables of every function: plain, null, empty and wrong arguments."""

from __future__ import annotations

from typing import Any

import pytest

from flowscript_trio.expression import function_names
from flowscript_trio.types.errors import EvaluationError

from expressing import evaluate
from function_cases.cases import Cases, Refused
from function_cases.kinds import TYPES
from function_cases.lists import LISTS
from function_cases.numbers import NUMBERS
from function_cases.objects import OBJECTS
from function_cases.tables import CSV
from function_cases.text import TEXT
from function_cases.times import TIMES

TABLES: dict[str, Cases] = {
    **TEXT,
    **LISTS,
    **NUMBERS,
    **TYPES,
    **OBJECTS,
    **TIMES,
    **CSV,
}
ROWS = [pair for cases in TABLES.values() for pair in cases.all]

SECTION_FOUR = """
upper lower trim replace split join truncate concat includes starts_with ends_with substring pad_start pad_end
repeat char_at len
length first last slice flatten unique reverse contains index_of sort compact count at every some find filter map
reduce take skip range sum avg min max zip group_by chunk clean array_concat
round floor ceil abs pow sqrt random random_int clamp mod sign trunc percent add subtract multiply divide
typeof is_null is_array is_object is_string is_number is_boolean is_empty to_string to_number to_boolean to_array
coalesce default if_else switch is_finite is_integer is_nan not is_truthy is_falsy
keys values entries from_entries get has merge pick omit size set delete equals clone
now date time parse_date format_date add_time subtract_time diff timestamp from_timestamp start_of end_of get_part
is_before is_after relative duration
hash base64_encode base64_decode url_encode url_decode json_encode json_decode uuid regex_match regex_replace
match match_all test pretty
csv_decode csv_encode
"""


def test_there_are_the_functions_of_the_language_and_no_others() -> None:
    assert function_names() == set(SECTION_FOUR.split())


def test_every_function_has_cases() -> None:
    assert set(TABLES) == function_names()
    takes_nothing = {"now", "uuid", "random"}
    for name, cases in TABLES.items():
        assert cases.plain, name
        assert name in takes_nothing or (cases.null and cases.empty and cases.wrong), name


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=[text for text, _ in ROWS])
def test_a_function_gives_what_its_table_says(text: str, expected: Any) -> None:
    if not isinstance(expected, Refused):
        value = evaluate(text)
        assert repr(value) == repr(expected)  # tells 1 from 1.0 and True, a list from a range
        return
    with pytest.raises(EvaluationError) as caught:
        evaluate(text)
    assert expected.part in str(caught.value)
    assert caught.value.offset is not None
    assert caught.value.location is not None
