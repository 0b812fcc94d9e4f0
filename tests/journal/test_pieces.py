"""Owns the tests of large values as bytes: in pieces they are what they are at once."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import Any

import pytest

from flowscript_trio.expression.bulk import PIECE, is_large
from flowscript_trio.journal import pieces, values
from flowscript_trio.journal.blobs import any_in, unpack
from flowscript_trio.journal.pieces import encode_in_pieces, packed
from flowscript_trio.journal.secrets import KeptSecrets
from flowscript_trio.journal.values import TooLarge, decode_value, encode_value
from flowscript_trio.types.storing import CannotKeep

LONG = string.printable * 4_000 + "\ud800é𝄞" * 50_000
SHARED = ["x" * 100] * 3

LARGE: dict[str, Any] = {
    "a text": LONG,
    "bytes": bytes(range(256)) * 4_000,
    "rows": [
        {"id": number, "name": "the name of something", "price": 1.5} for number in range(20_000)
    ],
    "numbers": list(range(200_000)),
    "a mapping": {f"key {number}": number for number in range(50_000)},
    "long texts in rows": [{"a": [LONG, 1], "b": {"c": LONG}}, LONG],
    "deep": [[[[[["x" * 1000] * 200]]]]] * 1,
    "empty parts": [[], {}, [[]], {"a": []}] * 20_000,
    "other kinds": [(1, Decimal("1.5"), b"x" * 500, {2, 3}) for _ in range(2_000)],
    "parts that stand twice": [SHARED] * 10_000,
    "keys that are no texts": dict.fromkeys(range(60000), "x"),
    "an integer of many digits": ["x" * 100_000, 10**5_000],
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("secrets", [None, KeptSecrets({"KEY": "not-in-there-at-all"})])
def test_in_pieces_a_value_is_what_it_is_at_once(name: str, secrets: KeptSecrets | None) -> None:
    value = LARGE[name]
    assert is_large(value)
    made = encode_in_pieces(value, secrets)
    assert b"".join(made) == encode_value(value, secrets)
    assert decode_value(b"".join(made)) == value
    large = packed(made)
    assert unpack(large.hash, large.packed) == b"".join(made)


@pytest.mark.parametrize("name", LARGE)
def test_no_piece_is_large(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no call that keeps the interpreter to itself takes long."""
    most = 0

    def dumped(value: Any) -> bytes:
        nonlocal most
        made = values.dumped(value)
        most = max(most, len(made))
        return made

    monkeypatch.setattr(pieces, "dumped", dumped)
    made = encode_in_pieces(LARGE[name], None)
    assert max(map(len, made)) <= 8 * PIECE
    assert most <= 8 * PIECE


@pytest.mark.parametrize("value", [None, 1, 1.5, True, "x" * 100, b"x" * 100, [1, 2], {"a": ["x"]}])
def test_most_values_are_not_large(value: Any) -> None:
    assert not is_large(value)


@pytest.mark.parametrize("shift", range(-30, 30, 3))
def test_a_secret_between_two_pieces_is_found(shift: int) -> None:
    secret = "hidden-away-1234"
    secrets = KeptSecrets({"KEY": secret})
    for value in (
        "é" * (PIECE + shift) + secret + "y" * PIECE,
        b"x" * (PIECE + shift) + secret.encode() + b"y" * PIECE,
    ):
        made = b"".join(encode_in_pieces([value], secrets))
        assert b"hidden" not in made
        assert b"away" not in made
        assert decode_value(made, secrets) == [value]


def test_what_is_looked_for_may_lie_in_any_pieces() -> None:
    data = b"a needle in it"
    for size in range(1, len(data)):
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        assert any_in(parts, len(b"needle"), lambda part: b"needle" in part)
        assert not any_in(parts, 20, lambda part: b"thread" in part)


def test_what_cannot_be_kept_has_its_place_in_a_large_value_too() -> None:
    with pytest.raises(CannotKeep, match=r"^\[20000\]\.handle: an 'object' cannot be kept"):
        encode_in_pieces([*LARGE["rows"], {"handle": object()}], None)


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_for_its_room_is_found_before_it_is_encoded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "dumped", lambda value: pytest.fail("it was encoded"))
    for value in (LARGE[name], [1, LARGE[name]], {"a": LARGE[name]}):
        with pytest.raises(TooLarge):
            encode_value(value, None, 64 * 1024)
