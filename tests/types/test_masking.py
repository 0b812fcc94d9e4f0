"""Owns the tests of masking: a secret is found however it is written, and nothing else is changed."""

from __future__ import annotations

import base64
import html
import json
from collections import UserString, deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus, urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowscript_trio.types.masking import Masker
from flowscript_trio.types.written import PLAIN as CLASSES
from secrecy import left_of

SECRET = 'p4ss "w\\ört" <&> +/=?%'

WRITTEN = {
    "as it is": SECRET,
    "in JSON": json.dumps({"key": SECRET}),
    "in JSON as it is": json.dumps([SECRET], ensure_ascii=False),
    "by repr": repr([SECRET]),
    "by repr of bytes": repr(SECRET.encode()),
    "by repr of JSON": repr(json.dumps({"key": SECRET}).encode()),
    "in JSON of JSON": json.dumps(json.dumps(SECRET)),
    "in XML": f"<a b='{html.escape(SECRET)}'/>",
    "in a URL": "https://example.com/?key=" + quote(SECRET, safe=""),
    "in a URL with slashes": "https://example.com/" + quote(SECRET),
    "in a form": urlencode({"key": SECRET}),
    "in a form in small letters": quote_plus(SECRET).lower().replace("p4ss", "p4ss"),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    "in a data URL": "data:;base64," + base64.b64encode(b"x" + SECRET.encode() + b"yz").decode(),
    "for basic authorisation": "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode(),
    "of a longer name": base64.b64encode(f"name:{SECRET}!".encode()).decode(),
    "cut off": f"expected a number, found 'x{SECRET[:9]}…'",
    "cut off by dots": f"found {SECRET[:6]}... and more",
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_secret_is_found_however_it_is_written(how: str) -> None:
    masker = Masker(["other-secret", SECRET])
    masked = masker.text(WRITTEN[how])
    assert "***" in masked
    assert SECRET[:6] not in masked
    for shift in range(3):
        core = base64.b64encode(bytes(shift) + SECRET.encode()).decode()[8:20]
        assert core not in masked


@given(st.text(min_size=4), st.binary(max_size=7), st.binary(max_size=7))
def test_no_part_of_a_base64_text_tells_of_a_secret_in_it(
    secret: str, before: bytes, after: bytes
) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    masked = Masker([secret]).text(encoded)
    assert masked != encoded
    rest = masked.replace("***", "")
    assert len(rest) <= len(encoded) - (8 * len(secret.encode())) // 6 + 1


@given(st.text(min_size=4), st.text(), st.text())
def test_a_secret_is_masked_in_any_text(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).text(before + secret + after)
    assert secret not in masked.replace("***", "\0")


PLAIN: list[Any] = [
    "plain",
    3,
    None,
    2.5,
    True,
    {"a": [1, ("x",)]},
    b"bytes",
    "50 % + 3 …",
    object(),
]


@pytest.mark.parametrize("value", PLAIN)
def test_what_has_no_secret_in_it_is_the_same_object(value: Any) -> None:
    assert Masker([SECRET, "ab"]).value(value) is value
    assert Masker([]).value(value) is value


def test_texts_and_keys_are_masked_at_any_depth_and_the_rest_is_kept() -> None:
    kept = [1, 2]
    value = {"a": {SECRET: [f"is {SECRET}", kept]}, "t": (SECRET,), "b": b"x" + SECRET.encode()}
    masked = Masker([SECRET]).value(value)
    assert masked == {"a": {"***": ["is ***", [1, 2]]}, "t": ("***",), "b": b"x***"}
    assert masked["a"]["***"][1] is kept
    assert SECRET in value["a"], "the value itself is not changed"


def test_a_value_that_refers_to_itself_can_be_masked() -> None:
    value: list[Any] = [SECRET]
    value.append(value)
    assert Masker([SECRET]).value(value)[0] == "***"


def test_a_short_secret_is_masked_only_where_it_is_the_whole_text() -> None:
    masker = Masker(["abc"])
    assert masker.value(["abc", "abcd", {"abc": "x abc"}]) == ["***", "abcd", {"***": "x abc"}]


def test_of_secrets_in_each_other_the_longer_one_is_masked() -> None:
    assert Masker(["pass", "password"]).text("my password, my pass") == "my ***, my ***"


def test_how_urls_begin_tells_nothing_of_a_secret_that_is_one() -> None:
    masker = Masker(["https://me:password@host/"])
    assert masker.text("expected http://… or https://…") == "expected http://… or https://…"
    assert masker.text("found https://me:pass… here") == "found ***… here"


def test_a_secret_that_is_no_unicode_can_be_masked() -> None:
    secret = b"caf\xe9-key".decode("utf-8", "surrogateescape")  # as the environment gives it
    assert Masker([secret]).text(f"is {secret} and {secret!r}") == "is *** and '***'"


@pytest.mark.parametrize(
    ("secret", "value"),
    [
        ("4711081512345678", 4711081512345678),
        ("4711081512345678\n", Decimal("4711081512345678")),
        ("de305d54-75b4-431b-adb2-eb6b9e546014", UUID("de305d54-75b4-431b-adb2-eb6b9e546014")),
        ("2024-12-24", date(2024, 12, 24)),
        ("0815.4711", 815.4711),
        ("4711", 4711),
        ("2024-12-24 18:30", datetime(2024, 12, 24, 18, 30, 7)),
        ("18:30:07.123", time(18, 30, 7, 123_000)),
        ("23:59:59", timedelta(3, 86_399)),
        ("47110815", 47110815 + 0.5j),
        ("47110815", range(47110815)),
    ],
)
def test_what_is_written_as_a_secret_is_masked_whatever_its_class(secret: str, value: Any) -> None:
    masker = Masker([secret])
    for shown in (masker.value(value), *masker.value([value]), *masker.value({"a": [value]})["a"]):
        assert left_of(secret, str(shown)) is None
        assert str(value) not in str(shown)
    assert masker.value({value: 1}) == {masker.value(value): 1}
    assert str(value) not in str(masker.value(deque([value])))


def test_numbers_are_looked_at_only_where_a_secret_could_be_one() -> None:
    numbers = [4711, 1.5, True, None, datetime(2024, 12, 24), UUID(int=7)]
    floats = {float, complex, Decimal}
    times = {datetime, time, timedelta}
    for secret, kinds in [
        ("s3cret-t0k3n", set()),
        ("a1b2c3d4e5f6", {UUID}),
        ("12bc", {UUID}),
        ("47110815", {int, range, date, UUID} | floats | times),
        ("key 471.0815", floats | times),
        ("18:30:07", times),
        ("123", {int, range, date, UUID} | floats | times),
    ]:
        masker = Masker([secret])
        assert masker.written_alike == kinds, secret
        assert masker.value(numbers) is numbers


def some_plain_value(random: Random, kind: type) -> Any:
    number = random.choice([0, 7, -7, random.randint(-(10**6), 10**6), random.getrandbits(100)])
    real = random.choice(
        [float(number), number * 1e-200, float("inf"), -float("inf"), float("nan")]
    )
    zone = random.choice([None, UTC, timezone(timedelta(seconds=random.randint(-86_399, 86_399)))])
    moment = datetime(1, 1, 1, tzinfo=zone) + timedelta(microseconds=random.randrange(10**17))
    span = timedelta(random.randint(-(10**6), 10**6), random.randrange(86_400), number % 10**6)
    decimal = Decimal(
        random.choice([f"{number}e{random.randint(-99, 99)}", "-sNaN17", "NaN", "-Infinity"])
    )
    return {
        int: number,
        float: real,
        Decimal: decimal,
        complex: random.choice([complex(real, number), complex(0.0, real)]),
        date: moment.date(),
        datetime: moment,
        time: moment.timetz(),
        timedelta: span,
        UUID: UUID(int=random.getrandbits(128)),
        range: range(number, number + 9, random.choice([1, 2, -3])),
    }[kind]


@pytest.mark.parametrize("kind", sorted(CLASSES - {bool, type(None)}, key=repr))
def test_every_value_of_a_plain_class_is_masked_where_its_text_is_the_secret(kind: type) -> None:
    random = Random(kind.__name__)
    for _ in range(200):
        value = some_plain_value(random, kind)
        text = str(value)
        start = random.randrange(max(len(text) - 7, 1))
        for secret in {text, text[start : start + 8], f"{text[start : start + 8]}#and more"}:
            if secret.strip() and len(secret) <= max(len(text), 8):
                assert Masker([secret]).value([value]) != [value], (value, secret)


def test_a_number_of_a_secret_with_digits_of_another_width_is_masked() -> None:
    assert Masker(["\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18"]).value([12345678]) == ["***"]


class Told(Sequence[Any]):
    """It has no part that is a secret, and tells of one."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: Any) -> Any:
        raise IndexError

    def __repr__(self) -> str:
        return "Told('s3cret-t0k3n')"


class Named:
    def __repr__(self) -> str:
        return "<Named>"

    def __str__(self) -> str:
        return "s3cret-t0k3n"


def test_what_a_value_says_of_itself_is_masked_beside_its_parts() -> None:
    masker = Masker(["s3cret-t0k3n"])
    assert masker.value([Told()]) == ["Told('***')"]
    assert masker.value({Named(): 1}) == {"***": 1}


def test_an_integer_that_python_does_not_write_out_stays() -> None:
    value = [1 << 20_000]
    assert Masker(["4711081512345678"]).value(value) is value


class Endless(Sequence[Any]):
    """It makes its one part when it is asked for it, and that is like it."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: Any) -> Any:
        if index:
            raise IndexError
        return Endless()


def test_a_value_without_an_end_is_looked_at_and_ends() -> None:
    masker = Masker(["do-not-tell"])
    masker.value(Endless())
    masker.value([{"a": Endless()}])
    assert masker.value(UserString("do-not-tell")) == "'***'"
    free = UserString("a text")
    assert masker.value(free) is free
