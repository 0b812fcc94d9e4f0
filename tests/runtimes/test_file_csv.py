"""Owns tests of csv files: how they are written, what is odd in them, and the types of their columns."""

from __future__ import annotations

import csv
import io
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flowscript_trio as fs
from flowscript_trio.expression.tabular.columns import split_types
from flowscript_trio.expression.tabular.rows import decode_csv
from flowscript_trio.expression.tabular.tables import Dialect, encode_csv, find_delimiter

EXAMPLES = int(os.environ.get("FLOWSCRIPT_TEST_ROUND_TRIPS", "200"))
"""Values that go there and back; by hand: 10000."""


async def read(content: bytes | str, settings: str = "", name: str = "a.csv", *, base: Path) -> Any:
    (base / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    flow = fs.loads(f'<workflow name="w"><source:file id="f" path="{name}" {settings}/></workflow>')
    return (await fs.run(flow, base=base)).output


async def write(value: Any, settings: str = "", name: str = "a.csv", *, base: Path) -> bytes:
    flow = fs.loads(f'<workflow name="w"><sink:file id="f" path="{name}" {settings}/></workflow>')
    await fs.run(flow, base=base, input=value)
    return (base / name).read_bytes()


@pytest.mark.parametrize(
    ("content", "settings", "output"),
    [
        ("a;b\n1;2\n", "", [{"a": "1", "b": "2"}]),
        ("a\tb\n1\t2\n", "", [{"a": "1", "b": "2"}]),
        ("a|b\n1|2,3\n", "", [{"a": "1", "b": "2,3"}]),
        ('"a;b;c",d\n1,2\n', "", [{"a;b;c": "1", "d": "2"}]),
        ("a b\n1\n", "", [{"a b": "1"}]),
        ("a;b,c\n1;2,3\n", 'delimiter=";"', [{"a": "1", "b,c": "2,3"}]),
        ("a\tb,c\n1\t2\n", 'delimiter="tab"', [{"a": "1", "b,c": "2"}]),
        ("'a','b'\n'x,y',2\n", "quote=\"'\"", [{"a": "x,y", "b": "2"}]),
        ('a,b\n"x,2\n', 'quote="none"', [{"a": '"x', "b": "2"}]),
        ("1,2\n3,4\n", 'header="none"', [["1", "2"], ["3", "4"]]),
        ("1,2\n3,4\n", 'header="a, b"', [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("# made\n\na,b\n1,2\n", 'skip="2"', [{"a": "1", "b": "2"}]),
        ("a\n", 'skip="9"', []),
        ("a,b\n1\n1,2,3\n4,5\n", 'ragged="fit"', [
            {"a": "1", "b": None}, {"a": "1", "b": "2"}, {"a": "4", "b": "5"},
        ]),
        ("a,b\n1\n1,2,3\n4,5\n", 'ragged="skip"', [{"a": "4", "b": "5"}]),
        ("a,a,a_2,a\n1,2,3,4\n", 'duplicates="number"', [{"a": "1", "a_3": "2", "a_2": "3", "a_4": "4"}]),
    ],
)  # fmt: skip
async def test_a_csv_file_is_read_as_its_settings_say(
    content: str, settings: str, output: Any, tmp_path: Path
) -> None:
    assert await read(content, settings, base=tmp_path) == output


async def test_tabs_separate_the_fields_of_a_tsv_file(tmp_path: Path) -> None:
    assert await read("a,b\tc\n1\t2\n", name="a.tsv", base=tmp_path) == [{"a,b": "1", "c": "2"}]
    assert await write([{"a": "1", "b": "x,y"}], name="b.tsv", base=tmp_path) == b"a\tb\n1\tx,y\n"


AT = datetime(2026, 1, 2, 3, 4, 5)


async def test_columns_have_the_types_that_are_given(tmp_path: Path) -> None:
    content = "id,price,ok,day,at,note\n7, 1.50 ,yes,2026-01-02,2026-01-02T03:04:05,\n,,,,,\n"
    types = "id: integer, price: number, ok: boolean, day: date, at: datetime, note: string"
    assert await read(content, f'types="{types}"', base=tmp_path) == [
        {"id": 7, "price": 1.5, "ok": True, "day": date(2026, 1, 2), "at": AT, "note": ""},
        {"id": None, "price": None, "ok": None, "day": None, "at": None, "note": ""},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("a,b\n1,2\n1\n", "", r"a\.csv:3: the row has 1 column, and the header 2"),
        ("x\na,b\n1,2\n1\n", 'skip="1"', r"a\.csv:4: the row has 1"),
        ("a,a\n", "", "the header has the column 'a' twice; expected each once, or .* number"),
        ("n\n1\nx\n", 'types="n: number"', r"a\.csv:3: column 'n' is 'x'; expected number"),
        ("n\n1e999\n", 'types="n: number"', "expected number"),
        ("n\n1.5\n", 'types="n: integer"', "expected integer"),
        ("n\n2026-13-01\n", 'types="n: date"', "expected date"),
        ("price\n1\n", 'types="prize: number"', "no column 'prize', .* did you mean 'price'"),
    ],
)
async def test_what_does_not_fit_is_an_error_with_its_place(
    content: str, settings: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(fs.FlowScriptError, match=message):
        await read(content, settings, base=tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('types="n: numbr"', "did you mean 'number'"),
        ('types="n"', "is not a column and its type"),
        ('types="n: number" header="none"', "expected: header: the names"),
        ('delimiter="::"', "delimiter"),
        ('quote="," delimiter=","', "the same character"),
        ('header="a,a"', "each once"),
        ('encoding="utf-9"', "expected: one such as utf-8"),
        ('encoding="base64"', "expected: one such as utf-8"),
        ('format="json" delimiter=";"', "only for csv and tsv"),
        ('format="bytes" encoding="utf-8"', "encoding is for text"),
    ],
)
def test_settings_that_cannot_be_are_problems_when_the_document_is_read(
    settings: str, message: str
) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        fs.loads(f'<workflow name="w"><source:file id="f" path="a.csv" {settings}/></workflow>')


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
async def test_an_encoding_is_found_by_its_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    text = "a,é\n1,2\n"
    assert await read(text.encode(encoding), base=tmp_path) == [{"a": "1", "é": "2"}]


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.json", "a.yaml"])
async def test_text_of_any_format_may_be_in_another_encoding(name: str, tmp_path: Path) -> None:
    value = [{"a": "é€"}] if name != "a.txt" else "é€"
    written = await write(value, 'encoding="windows-1252"', name, base=tmp_path)
    assert b"\xe9\x80" in written
    assert await read(written, 'encoding="windows-1252"', name, base=tmp_path) == value


async def test_what_an_encoding_cannot_write_or_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(fs.FlowScriptError, match="'€' is a character that LATIN-1 cannot write"):
        await write("€", 'encoding="latin-1"', "a.txt", base=tmp_path)
    with pytest.raises(
        fs.FlowScriptError, match=r"is not UTF-8 text \(byte 0\); expected the setting encoding"
    ):
        await read(b"\xe9", name="a.txt", base=tmp_path)
    with pytest.raises(fs.WorkflowInvalid, match="expected: utf-8, or another encoding"):
        await write(["x"], 'encoding="utf-16" append="true"', base=tmp_path)


async def test_a_csv_file_is_written_as_its_settings_say(tmp_path: Path) -> None:
    rows = [{"a": "x;y", "b": None}]
    assert await write(rows, 'delimiter=";"', base=tmp_path) == b'a;b\n"x;y";\n'
    assert await write(rows, 'header="b, a"', base=tmp_path) == b"b,a\n,x;y\n"
    assert await write(rows, 'header="none"', base=tmp_path) == b"x;y,\n"
    assert await write([["a"], [1, "b"]], 'header="none"', base=tmp_path) == b"a\n1,b\n"
    with pytest.raises(fs.FlowScriptError, match="the key 'a', which is not a column"):
        await write(rows, 'header="b"', base=tmp_path)
    with pytest.raises(fs.FlowScriptError, match="expected the setting quote"):
        await write(rows, 'delimiter=";" quote="none"', base=tmp_path)


async def test_what_is_added_takes_the_delimiter_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n")
    added = await write({"b": "x", "a": "y"}, 'append="true"', base=tmp_path)
    assert added == b"a;b\n1;2\ny;x\n"


TEXTS = st.text(st.sampled_from(list("ab,;\t|\"'\r\n \u2028\x00é")), max_size=6)
TABLES = st.lists(TEXTS, min_size=1, max_size=4, unique=True).flatmap(
    lambda columns: st.lists(
        st.fixed_dictionaries(dict.fromkeys(columns, TEXTS)), min_size=1, max_size=4
    )
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(TABLES, st.sampled_from(",;\t|"), st.sampled_from("\"'"))
def test_rows_come_back_as_they_were_and_other_readers_agree(
    rows: list[dict[str, str]], delimiter: str, quote: str
) -> None:
    dialect = Dialect(delimiter, quote)
    text = encode_csv(rows, None, dialect)
    assert decode_csv(text, "a", dialect) == rows
    other = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    assert list(other) == rows


@pytest.mark.parametrize(
    ("value", "header", "message"),
    [([{1: "a", "1": "b"}], True, "two keys"), ([{}], True, "no keys"), ([[]], False, "is empty")],
)
def test_what_would_be_lost_is_refused(value: Any, header: bool, message: str) -> None:
    with pytest.raises(fs.FlowScriptError, match=message):
        encode_csv(value, None, Dialect(header=header))


def test_a_header_of_many_columns_is_looked_at_once_for_each() -> None:
    class Counted(str):
        __slots__ = ()
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return super().__eq__(other)

        __hash__ = str.__hash__

    from flowscript_trio.expression.tabular import rows

    names = rows._names([Counted(f"c{n}") for n in range(2000)], "a", "error")
    assert len(names) == 2000
    assert Counted.compared < 2000


def test_a_delimiter_is_looked_for_in_the_first_line_alone() -> None:
    assert find_delimiter("a,b\n;;;;;", '"') == ","
    assert find_delimiter('"a\n;;;",b\n', '"') == ","
    assert find_delimiter("", '"') == ","


def test_types_may_have_names_with_colons() -> None:
    assert split_types("a:b: number, c: date") == {"a:b": "number", "c": "date"}


@pytest.mark.parametrize(
    "encoding", ["punycode", "(idna)", "unicode escape", "U7", "rot13", "utf-8\0"]
)
async def test_a_codec_that_no_file_is_written_in_is_refused_by_any_of_its_names(
    encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("x")
    node = '<source:file id="s" path="a.txt" encoding="{{$input}}"/>'
    flow = fs.loads(f'<workflow name="w">{node}</workflow>')
    with pytest.raises(fs.SettingError, match="expected one such as utf-8"):
        await fs.run(flow, input=encoding, base=tmp_path)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("text", "rows"),
    [("\n\r\n\na,b\n1,2\n", [{"a": "1", "b": "2"}]), ("\n\n", []), ("a\n\n1\n\n", [{"a": "1"}])],
)
async def test_empty_lines_are_left_out_before_the_header_too(
    text: str, rows: Any, stream: bool, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    each = (
        '<foreach id="e" collection="x"><transform:template id="t" template="{{item}}"/></foreach>'
    )
    body = f'<source:file id="x" path="a.csv" stream="{stream}"/>{each if stream else ""}'
    flow = fs.loads(f'<workflow name="w">{body.lower()}</workflow>')
    assert (await fs.run(flow, base=tmp_path)).output == rows


async def test_rows_are_added_under_a_header_behind_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n\nb,a\n1,2\n")
    flow = fs.loads('<workflow name="w"><sink:file id="k" path="a.csv" append="true"/></workflow>')
    await fs.run(flow, base=tmp_path, input=[{"a": 4, "b": 3}])
    assert (tmp_path / "a.csv").read_text() == "\n\nb,a\n1,2\n3,4\n"
