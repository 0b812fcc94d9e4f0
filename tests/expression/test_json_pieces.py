"""Owns tests of large JSON read in pieces: what comes out is what the json module says."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.expression import json_pieces
from jsons import VALUES

LAYOUTS: list[dict[str, Any]] = [
    {},
    {"indent": 1},
    {"separators": (",", ":")},
    {"separators": (" ,\n ", "\t: ")},
]


@pytest.fixture(autouse=True)
def _tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "PIECE", 24)
    monkeypatch.setattr(json_pieces, "SHORT", 6)


def verdict(read: Any, text: str) -> tuple[str, Any]:
    try:
        return "value", repr(read(text))
    except json.JSONDecodeError as exc:
        return "error", (exc.msg, exc.pos, exc.lineno, exc.colno)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from(LAYOUTS))
def test_json_in_pieces_is_the_same_value(value: Any, layout: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, **layout)
    assert repr(json_pieces.read_json(text, json.JSONDecoder())) == repr(json.loads(text))


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from(LAYOUTS), st.randoms(use_true_random=False))
def test_what_is_not_json_is_refused_in_the_same_words_at_the_same_place(
    value: Any, layout: dict[str, Any], chance: random.Random
) -> None:
    text = json.dumps(value, ensure_ascii=False, **layout)
    at = chance.randrange(len(text) + 1)
    put = chance.choice(["", ",", "]", "}", '"', "x", "[", "1", ",]", ",}", ",,"])
    broken = text[:at] + put + text[at + chance.choice([0, 1]) :]
    assert verdict(lambda t: json_pieces.read_json(t, json.JSONDecoder()), broken) == verdict(
        json.loads, broken
    )


def test_a_list_that_looks_like_the_one_before_it_is_not_swallowed() -> None:
    text = json.dumps({"a": [{"id": n} for n in range(20)], "b": [{"id": n} for n in range(20)]})
    assert json_pieces.read_json(text, json.JSONDecoder()) == json.loads(text)
    assert (
        verdict(lambda t: json_pieces.read_json(t, json.JSONDecoder()), "\ufeff" + text)[0]
        == "error"
    )


@pytest.mark.parametrize(
    "text", ["[{0},, {0}]", "[{0},,{0},]", '{{"k": {0},, "l": {0}}}', "[{0},]"]
)
def test_a_comma_too_many_is_an_error_wherever_it_stands(text: str) -> None:
    rows = ", ".join(f'{{"id": {n}, "x": "y"}}' for n in range(9))
    for many in (rows, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"):
        found = text.format(f"[{many}]" if "k" in text else many)
        assert verdict(lambda t: json_pieces.read_json(t, json.JSONDecoder()), found) == verdict(
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
    monkeypatch.setattr(json_pieces, "PIECE", 8192)
    monkeypatch.setattr(json_pieces, "SHORT", 128)
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
    assert json_pieces.read_json(text, decoder) == NESTED[name]
    assert looked_at < 1.6 * len(text)


ODD = {"id": 7, "t": 'a [ "b\\\\" {', "o": [{"id": 1, "t": "]"}, {"id": 2, "t": "{["}]}
IN_TEXTS: dict[str, Any] = {
    "rows": [{"id": 7, "t": ":-["}] * 4000,
    "rows of which few have them": ([{"id": 7, "t": "x"}] * 40 + [{"id": 7, "t": "{{"}]) * 90,
    "rows in rows": [ODD] * 800,
    "texts": ["a [ b {"] * 6000,
    "texts that look like what is between two": ['"},{"', "],[", '","', '\\\\"', "\\"] * 1500,
    "members": {f"k{n}": {"id": n, "t": "a ]"} for n in range(3000)},
    "members that are texts": {f"k{n}": "}, {" for n in range(3000)},
    "rows below": {"meta": {"n": "["}, "data": [{"rows": [ODD] * 800}]},
}


@pytest.mark.parametrize("layout", LAYOUTS[::2])
@pytest.mark.parametrize("name", IN_TEXTS)
def test_brackets_in_texts_do_not_make_each_item_a_piece(
    name: str, layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read one by one, they took up to four times as long as the json module takes."""
    monkeypatch.setattr(json_pieces, "PIECE", 8192)
    monkeypatch.setattr(json_pieces, "SHORT", 128)
    text = json.dumps(IN_TEXTS[name], **layout)
    reading = _Reading(text)
    assert reading.read() == IN_TEXTS[name]
    assert reading.read_chars < 1.6 * len(text)
    assert reading.calls < 20 + 6 * len(text) / 8192  # it was once for each item


def test_a_key_given_twice_counts_as_it_does_in_the_whole() -> None:
    text = "{" + ", ".join(f'"k{n % 7}": {n}' for n in range(50)) + "}"
    found = json_pieces.read_json(text, json.JSONDecoder())
    assert list(found.items()) == list(json.loads(text).items())


class _Reading(json_pieces._Pieces):
    """Counts the characters that the scanner is given."""

    read_chars = 0
    calls = 0

    def __init__(self, text: str) -> None:
        super().__init__(text, json.JSONDecoder())
        scan = self._scan

        def count(part: str, at: int) -> Any:
            self.calls += 1
            try:
                value, end = scan(part, at)
            except (ValueError, StopIteration):
                self.read_chars += len(part) - at
                raise
            self.read_chars += end - at
            return value, end

        self._scan = count


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200 + "1," * 400 + "1" + "]" * 200,
        '{"a":' * 200 + "[" + "1," * 400 + "1]" + "}" * 200,
        "[1," * 200 + "[" + '"],[",' * 200 + "1]" + "]" * 200,
        '{"a":1,"b":' * 200 + "[" + "[1]," * 300 + "1]" + "}" * 200,
    ],
    ids=["lists", "objects", "lists with items", "objects with items"],
)
def test_a_long_list_deep_inside_is_not_read_again_at_each_level(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_pieces, "PIECE", 300)
    reading = _Reading(text)
    assert reading.read() == json.loads(text)
    assert reading.read_chars < 3 * len(text) + 10 * 300  # it was as often as there are levels


def test_who_looks_at_the_clock_is_asked_while_a_long_text_is_read() -> None:
    class OverTime(Exception):
        pass

    def look() -> None:
        raise OverTime

    for text in ("[" + "1," * 40 + "1]", '{"a":1,' + '"b":[[1]],' * 40 + '"c":1}'):
        with pytest.raises(OverTime):
            json_pieces.read_json(text, json.JSONDecoder(), look)
