"""Owns tests of large texts, and JSON as it is written, in pieces: what comes out is what codecs and json say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.expression import bulk
from flowscript_trio.expression.encoding import encode_json
from flowscript_trio.types.errors import EvaluationError
from jsons import VALUES


@pytest.fixture(autouse=True)
def _tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 24)
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([None, 0, 1, 2, 5]))
def test_json_written_in_parts_is_the_same_text(value: Any, indent: int | None) -> None:
    assert bulk.write_json(value, encode_json, indent) == encode_json(value, indent)


@pytest.mark.parametrize("indent", [None, 2])
def test_no_part_of_json_is_larger_than_its_items(indent: int | None) -> None:
    value = {"rows": [{"inner": [1, 2, 3, "a\nb"]}] * 9, "n": {"more": [[], {}, [{}]] * 5}}
    asked: list[Any] = []

    def encode(part: Any, indent: int | None) -> str:
        asked.append(part)
        return encode_json(part, indent)

    assert bulk.write_json(value, encode, indent) == encode_json(value, indent)
    assert max(len(part) for part in asked if isinstance(part, list)) == 2
    assert not [part for part in asked if isinstance(part, dict)]


def test_an_error_of_writing_names_its_path_in_the_whole() -> None:
    with pytest.raises(EvaluationError, match=r"^\$\.rows\[4\]\.x is NaN"):
        bulk.write_json({"rows": [{"x": 1}] * 4 + [{"x": float("nan")}]}, encode_json)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=80),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "shift_jis"]),
)
def test_texts_in_pieces_have_the_same_bytes_and_come_back(text: str, encoding: str) -> None:
    text = text.encode(encoding, "ignore").decode(encoding, "ignore")
    data = text.encode(encoding)
    assert bulk.encode_text(text, encoding) == data
    assert bulk.decode_text(data, encoding) == data.decode(encoding)
    assert "".join(bulk.whole_lines(text)) == text
    assert all(piece.endswith("\n") for piece in list(bulk.whole_lines(text))[:-1])


def test_bytes_that_are_no_text_are_refused_at_their_place_in_the_whole() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        bulk.decode_text(b"x" * 50 + b"\xff" + b"y" * 50, "utf-8")
    assert caught.value.start == 50
    assert bulk.decode_text(b"x" * 50 + b"\xff", "utf-8", "replace") == "x" * 50 + "\ufffd"


@pytest.mark.parametrize("encoding", ["hex", "zip", "no-such"])
def test_what_is_not_an_encoding_of_text_is_refused_as_it_is_for_a_short_text(
    encoding: str,
) -> None:
    with pytest.raises(LookupError):
        b"61".decode(encoding)
    with pytest.raises(LookupError):
        bulk.decode_text(b"61" * 100, encoding)


def test_whether_a_value_is_large_is_said_without_walking_it() -> None:
    assert not bulk.is_large({"a": [1, 2, "x" * 1000], "b": None})
    assert bulk.is_large("x" * 100_000)
    assert bulk.is_large({"a": ["x" * 100] * 1000})
    endless: list[Any] = []
    endless.append(endless)
    assert bulk.is_large(endless)
    wide = [list(range(1000))] * 10**6
    assert bulk.is_large(wide)
