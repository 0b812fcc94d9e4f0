"""Owns tests of files of records that come in pieces: wherever they are cut, the same items come out."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections import deque
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.expression.tabular.tables import Dialect
from flowscript_trio.runtimes.file.formats import read
from flowscript_trio.runtimes.file.records import RecordForm, Records, decode_json_text

FORMS: list[RecordForm] = ["csv", "jsonl", "lines"]


def in_pieces(data: bytes, cuts: list[int], form: RecordForm, **options: Any) -> Any:
    """The items, or the text of the error, where the bytes are cut at those places."""
    records = Records(form, "a", **options)
    items: list[Any] = []
    at = 0
    try:
        for cut in sorted(cut % (len(data) + 1) for cut in cuts):
            items += records.feed(data[at:cut])
            at = cut
        return items + records.feed(data[at:], last=True)
    except fs.FlowScriptError as exc:
        return str(exc)


CONTENTS = st.text(st.sampled_from(list('a,;"\r\n é€\ufeff1[]{}')), max_size=30)


@settings(max_examples=500, deadline=None)
@given(
    CONTENTS,
    st.lists(st.integers(0, 200), max_size=6),
    st.sampled_from(FORMS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.sampled_from(
        [
            Dialect(),
            Dialect(header=False),
            Dialect(quote=None, ragged="fit", duplicates="number"),
            Dialect(skip=2, ragged="skip", duplicates="number"),
            Dialect(header=("x", "y"), ragged="fit"),
        ]
    ),
)
def test_where_a_file_is_cut_changes_nothing(
    text: str, cuts: list[int], form: RecordForm, encoding: str, dialect: Dialect
) -> None:
    data = text.encode(encoding)
    whole = in_pieces(data, [], form, dialect=dialect)
    assert in_pieces(data, cuts, form, dialect=dialect) == whole
    assert in_pieces(data, list(range(len(data))), form, dialect=dialect) == whole


def test_a_record_of_many_lines_that_comes_in_many_pieces_takes_linear_time() -> None:
    records = Records("csv", "a")
    line = b"x" * 99 + b"\n"
    assert records.feed(b'a\n"') == []
    for _ in range(20_000):  # 2 MB: quadratic time would be minutes
        assert records.feed(line) == []
    (row,) = records.feed(b'"\n', last=True)
    assert len(row["a"]) == 2_000_000


@pytest.mark.parametrize(
    ("form", "begin", "message"),
    [
        ("csv", b'a\n"', r"a:2: not valid CSV: a record of more than 67,108,864 characters"),
        ("lines", b"a\n", r"a:2: a line of more than 67,108,864 characters"),
        ("jsonl", b'1\n"', r"a:2: a line of more than 67,108,864 characters"),
    ],
)
def test_a_record_that_never_ends_is_an_error_before_it_fills_the_memory(
    form: RecordForm, begin: bytes, message: str
) -> None:
    records = Records(form, "a")
    records.feed(begin)
    piece = b"x" * (1 << 20)
    with pytest.raises(fs.FlowScriptError, match=message):
        deque((records.feed(piece) for _ in range(70)), maxlen=0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("cut", [0, 3, 6, 8, 9])
def test_an_error_of_the_encoding_names_the_byte(encoding: str, cut: int) -> None:
    bad = {"utf-8": b"abcdef\xff\n", "utf-16": b"\xff\xfeabcd\x00\xdc\n\x00"}[encoding]
    found = in_pieces(bad, [cut], "lines")
    assert f"is not {encoding.upper()} text (byte 6)" in found


def test_digits_are_counted_where_the_application_has_lifted_pythons_own_bound() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        with pytest.raises(fs.FlowScriptError, match="an integer of more than 4,300 digits"):
            decode_json_text("1" * 4301, "a", 1)
        assert decode_json_text("1" * 4300, "a", 1) > 0
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_whole_without_keeping_its_text(form: RecordForm) -> None:
    """What is needed beside the items is a chunk, however large the file is."""
    row = {"a": "x" * 40, "b": "y" * 40}
    line = {"csv": ",".join(row.values()), "jsonl": json.dumps(row), "lines": "z" * 90}[form]
    data = (("a,b\n" if form == "csv" else "") + (line + "\n") * 50_000).encode()
    tracemalloc.start()
    try:
        items = read(BytesIO(data), form, "a")
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(items) == 50_000
    assert peak - kept < 2_500_000 < len(data)
