"""Owns tests of large texts and JSON in pieces: what comes out is what the json module and the codecs say."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.expression import bulk
from flowscript_trio.expression.encoding import encode_json
from flowscript_trio.types.errors import EvaluationError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\,:[]{}\n é😀', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.text('ab,"', max_size=3), inner, max_size=5)
        | st.lists(st.fixed_dictionaries({"id": inner, "n": inner}), max_size=8)
    ),
    max_leaves=40,
)
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"indent": 1},
    {"separators": (",", ":")},
    {"separators": (" ,\n ", "\t: ")},
]


@pytest.fixture(autouse=True)
def _tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "PIECE", 24)
    monkeypatch.setattr(bulk, "SHORT", 6)
    monkeypatch.setattr(bulk, "_AT_ONCE", 2)


def verdict(read: Any, text: str) -> tuple[str, Any]:
    try:
        return "value", repr(read(text))
    except json.JSONDecodeError as exc:
        return "error", (exc.msg, exc.pos, exc.lineno, exc.colno)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from(LAYOUTS))
def test_json_in_pieces_is_the_same_value(value: Any, layout: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, **layout)
    assert repr(bulk.read_json(text, json.JSONDecoder())) == repr(json.loads(text))


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(LAYOUTS), st.randoms(use_true_random=False))
def test_what_is_not_json_is_refused_in_the_same_words_at_the_same_place(
    value: Any, layout: dict[str, Any], chance: random.Random
) -> None:
    text = json.dumps(value, ensure_ascii=False, **layout)
    at = chance.randrange(len(text) + 1)
    put = chance.choice(["", ",", "]", "}", '"', "x", "[", "1", ",]", ",}", ",,"])
    broken = text[:at] + put + text[at + chance.choice([0, 1]) :]
    assert verdict(lambda t: bulk.read_json(t, json.JSONDecoder()), broken) == verdict(
        json.loads, broken
    )


def test_a_list_that_looks_like_the_one_before_it_is_not_swallowed() -> None:
    text = json.dumps({"a": [{"id": n} for n in range(20)], "b": [{"id": n} for n in range(20)]})
    assert bulk.read_json(text, json.JSONDecoder()) == json.loads(text)
    assert verdict(lambda t: bulk.read_json(t, json.JSONDecoder()), "\ufeff" + text)[0] == "error"


@pytest.mark.parametrize(
    "text", ["[{0},, {0}]", "[{0},,{0},]", '{{"k": {0},, "l": {0}}}', "[{0},]"]
)
def test_a_comma_too_many_is_an_error_wherever_it_stands(text: str) -> None:
    rows = ", ".join(f'{{"id": {n}, "x": "y"}}' for n in range(9))
    for many in (rows, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"):
        found = text.format(f"[{many}]" if "k" in text else many)
        assert verdict(lambda t: bulk.read_json(t, json.JSONDecoder()), found) == verdict(
            json.loads, found
        )
        assert verdict(json.loads, found)[0] == "error"


ROW = {"id": 7, "tags": ["a", "b"], "o": {"p": {"q": 1}, "r": [1, {"s": 2}]}}
NESTED: dict[str, Any] = {
    "rows": [ROW] * 500,
    "lists of rows": [[ROW] * 8] * 60,
    "members that are lists": {f"k{n}": [ROW] * 8 for n in range(60)},
    "members that are objects": {f"k{n}": {"rows": [ROW] * 8, "n": n} for n in range(60)},
    "small members": {f"k{n}": {"o": {"x": 1}, "p": {"y": [1, {"z": n}]}} for n in range(1000)},
    "long lists": [[ROW] * 70] * 8,
    "members that are long lists": {f"k{n}": [ROW] * 70 for n in range(8)},
    "rows below": {"meta": {"n": 1}, "data": [{"rows": [ROW] * 2500}]},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_is_read_about_once(
    name: str, layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that turns out to be cut in the wrong place is read in vain, which took 18 times as long."""
    monkeypatch.setattr(bulk, "PIECE", 8192)
    monkeypatch.setattr(bulk, "SHORT", 128)
    text = json.dumps(NESTED[name], **layout)
    decoder = json.JSONDecoder()
    scan: Any = decoder.scan_once  # type: ignore[attr-defined]
    looked_at = 0

    def look(piece: str, at: int) -> Any:
        nonlocal looked_at
        try:
            found, end = scan(piece, at)
        except (ValueError, StopIteration):
            looked_at += len(piece) - at
            raise
        looked_at += end - at
        return found, end

    monkeypatch.setattr(decoder, "scan_once", look)
    assert bulk.read_json(text, decoder) == NESTED[name]
    assert looked_at < 1.6 * len(text)


def test_a_key_given_twice_counts_as_it_does_in_the_whole() -> None:
    text = "{" + ", ".join(f'"k{n % 7}": {n}' for n in range(50)) + "}"
    found = bulk.read_json(text, json.JSONDecoder())
    assert list(found.items()) == list(json.loads(text).items())


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_json_written_in_parts_is_the_same_text(value: Any) -> None:
    assert bulk.write_json(value, encode_json) == encode_json(value)


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
