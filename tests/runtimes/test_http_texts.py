"""Owns tests of texts and tables over HTTP: which encoding a text is in, and the settings that files have, too."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import flowscript_trio as fs

from loopback import Answer, loopback

E_ACUTE = "é"
EACH = '<foreach id="e" collection="x"><transform:template id="t" template="{{item}}"/></foreach>'
SOURCE = '<source:http id="x" url="{{$config.base}}/x" '


async def run(element: str, answer: Answer, **options: Any) -> Any:
    flow = fs.loads(f'<workflow name="w">{element}</workflow>')
    async with loopback() as server:
        server.answer("/x", answer)
        try:
            return (await fs.run(flow, config={"base": server.base}, **options)).output
        except Exception as exc:
            failed = exc
    raise failed


async def read(answer: Answer, settings: str = "") -> Any:
    return await run(f"{SOURCE}{settings}/>", answer)


def typed(body: bytes, kind: str, status: int = 200) -> Answer:
    return Answer(status, body, {"Content-Type": kind})


@pytest.mark.parametrize(
    ("kind", "body", "settings", "text"),
    [
        ("text/plain", b"\xc3\xa9", "", E_ACUTE),
        ("text/plain; charset=utf-8", b"\xc3\xa9", "", E_ACUTE),
        ('text/plain; charset="ISO-8859-1"', b"\xe9", "", E_ACUTE),
        ("text/plain; charset=iso-8859-1", b"\xef\xbb\xbf\xc3\xa9", "", E_ACUTE),
        ("text/plain", "\ufeffé".encode("utf-16-be"), "", E_ACUTE),
        ("text/plain; charset=utf-16le", "\ufeffé".encode("utf-16-le"), "", E_ACUTE),
        ("text/plain; charset=nope", b"\xef\xbb\xbf\xc3\xa9", "", E_ACUTE),
        ("text/plain; charset=utf-16le", "é".encode("utf-16-le"), "", E_ACUTE),
        ("text/plain; charset=utf-16", "\ufeffé".encode("utf-16-be"), "", E_ACUTE),
        ("text/plain; charset=nope", b"\xe9", 'encoding="windows-1252"', E_ACUTE),
        ("text/plain; charset=utf-8", b"\x93", 'encoding="windows-1252"', "\u201c"),
        ("application/json; charset=iso-8859-1", b'"\xc3\xa9"', "", E_ACUTE),
        ("application/json; charset=iso-8859-1", b'"\xe9"', "", E_ACUTE),
        ("application/json", b'"\xe9"', 'encoding="iso-8859-1"', E_ACUTE),
        ("text/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?>\xe9", "", None),
        ("application/atom+xml", b'<?xml version="1.0" encoding="windows-1252"?>\xe9', "", None),
        ("text/html", b'<html><meta charset="iso-8859-1">\xe9', "", None),
        ("text/html", b"<meta http-equiv=x content='text/html; charset=latin1'>\xe9", "", None),
        ("text/html", b"<meta charset=utf-16>\xc3\xa9", "", None),
        ("text/html; charset=utf-8", b"<meta charset=latin1>\xc3\xa9", "", None),
        ("application/json, text/plain", b"\xc3\xa9", "", E_ACUTE),
    ],
)
async def test_a_text_is_in_the_encoding_of_the_setting_its_mark_its_type_or_its_own_word(
    kind: str, body: bytes, settings: str, text: str | None
) -> None:
    found = await read(typed(body, kind), settings)
    assert found == text if text is not None else found.endswith(E_ACUTE)


@pytest.mark.parametrize(
    ("kind", "body", "settings", "message"),
    [
        ("text/plain", b"ab\xe9", "", r"not UTF-8 text \(byte 2\); its content type names no charset"),
        ("text/plain; charset=utf-8", b"\xe9", "", r"not UTF-8 text \(byte 0\); its content type says so"),
        ("text/plain; charset=us-ascii", b"a\xc3", "", r"not ASCII text \(byte 1\)"),
        ("text/plain; charset=utf-16", b"abc", "", "not UTF-16 text"),
        ("text/plain; charset=nope", b"abc", "", "in the charset 'nope', which is not known; expected"),
        ("text/html", b"<meta charset=nope>", "", "text in the charset 'nope', which is not known"),
        ("text/plain", b"\x81", 'encoding="windows-1252"', "not WINDOWS-1252 text.*expected another encoding"),
        ("text/plain", b"a\xc3", "", r"not UTF-8 text \(byte 1\)"),
        ("application/json; charset=nope", b'"\xe9"', "", "is not JSON .*utf-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("element", ["source", "sink"])
async def test_what_cannot_be_read_is_an_error_that_names_the_encoding_and_never_text(
    element: str, kind: str, body: bytes, settings: str, message: str
) -> None:
    text = SOURCE if element == "source" else SOURCE.replace("source", "sink") + 'body="b" '
    with pytest.raises(fs.FlowScriptError, match=f"the answer of (GET|POST) http.*{message}"):
        await run(f"{text}{settings}/>", typed(body, kind))


async def test_the_error_of_a_large_text_names_the_byte_in_the_whole_of_it() -> None:
    body = b"a" * 1_000_000 + b"\xe9"
    with pytest.raises(fs.FlowScriptError, match=r"\(byte 1000000\)"):
        await read(typed(body, "text/plain"))


@pytest.mark.parametrize(
    ("kind", "body", "excerpt"),
    [
        ("text/plain; charset=nope", b"a\xe9", "a\ufffd"),
        ("text/plain; charset=utf-16", b"abc", "\u6261\ufffd"),
        ("text/plain", "\ufeffnicht da".encode("utf-16-le"), "nicht da"),
        ("text/plain", b"a" + b"\xc3\xa9" * 1500, "a" + E_ACUTE * 999),
    ],
)
async def test_a_failure_is_its_status_whatever_its_body_is_in(
    kind: str, body: bytes, excerpt: str
) -> None:
    with pytest.raises(fs.HTTPStatusError) as caught:
        await read(typed(body, kind, 500))
    assert caught.value.status == 500
    assert caught.value.excerpt == excerpt


@pytest.mark.parametrize(
    ("kind", "body", "settings", "items"),
    [
        ("text/event-stream; charset=iso-8859-1", b"data: \xc3\xa9\n\n", "", E_ACUTE),
        ("application/x-ndjson; charset=nope", b'{"data": "\xc3\xa9"}\n', "", E_ACUTE),
        ("application/x-ndjson", b'{"data": "\xe9"}\n', 'encoding="latin-1"', E_ACUTE),
        ("text/csv; charset=nope", b"\xef\xbb\xbfdata\n\xc3\xa9\n", 'encoding="utf-8-sig"', E_ACUTE),
    ],
)  # fmt: skip
async def test_so_it_is_in_streams(kind: str, body: bytes, settings: str, items: str) -> None:
    found = await run(f'{SOURCE} stream="true" {settings}/>{EACH}', typed(body, kind))
    assert [item["data"] for item in found] == [items]


@pytest.mark.parametrize("charset", ["iso-8859-1", "UTF-16-LE", '"utf-8"'])
async def test_a_text_is_sent_in_the_charset_that_the_settings_say(charset: str) -> None:
    async with loopback() as server:
        server.page("/x", 1)
        text = (
            f'<sink:http id="x" url="{{{{$config.base}}}}/x" body="é">'
            f"<headers><Content-Type>text/plain; charset={charset}</Content-Type></headers></sink:http>"
        )
        await fs.run(
            fs.loads(f'<workflow name="w">{text}</workflow>'), config={"base": server.base}
        )
        assert server.seen[0].body == E_ACUTE.encode(charset.strip('"'))


@pytest.mark.parametrize(
    ("charset", "message"),
    [
        ("nope", "says the charset 'nope', which is not known"),
        ("ascii", "which ASCII cannot write"),
    ],
)
async def test_what_cannot_be_sent_so_is_an_error(charset: str, message: str) -> None:
    headers = f'headers="{{Content-Type: text/plain; charset={charset}}}"'
    text = f'<sink:http id="x" url="http://127.0.0.1:1/" body="é" {headers}/>'
    with pytest.raises(fs.SettingError, match=message):
        await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>'))


TABLES: list[tuple[bytes, str, Any]] = [
    (b"a,b\n1,2026-01-02\n", 'types="a: number, b: date"', [{"a": 1, "b": date(2026, 1, 2)}]),
    (b"a;b\n1;2\n", 'delimiter=";"', [{"a": "1", "b": "2"}]),
    (b"a\tb\n1\t2\n", 'delimiter="tab"', [{"a": "1", "b": "2"}]),
    (b"1,2\n", 'header="none"', [["1", "2"]]),
    (b"1,2\n", 'header="p, q"', [{"p": "1", "q": "2"}]),
    (b"sep=;\na\n1\n", 'skip="1"', [{"a": "1"}]),
    (b"'a'\n'1,2'\n", 'quote="\'"', [{"a": "1,2"}]),
    (b"a,b\n1\n", 'ragged="fit"', [{"a": "1", "b": None}]),
    (b"a,a\n1,2\n", 'duplicates="number"', [{"a": "1", "a_2": "2"}]),
    (b"a\n\xe9\n", 'encoding="latin-1"', [{"a": E_ACUTE}]),
]


@pytest.mark.parametrize(("body", "settings", "rows"), TABLES)
async def test_a_table_over_http_is_read_as_one_in_a_file(
    body: bytes, settings: str, rows: Any, tmp_path: Any
) -> None:
    answer = typed(body, "text/csv")
    assert await read(answer, f'format="csv" {settings}') == rows
    streamed = await run(f'{SOURCE} stream="true" {settings}/>{EACH}', answer)
    assert streamed == rows
    (tmp_path / "a.csv").write_bytes(body)
    file = fs.loads(f'<workflow name="w"><source:file id="x" path="a.csv" {settings}/></workflow>')
    assert (await fs.run(file, base=tmp_path)).output == rows


async def test_an_error_in_a_table_says_the_line() -> None:
    with pytest.raises(fs.FlowScriptError, match=r"/x:3: column 'a' is 'x'; expected number"):
        await read(typed(b"a\n1\nx\n", "text/csv"), 'format="csv" types="a: number"')


async def test_settings_of_tables_are_not_passed_over_where_the_answer_is_none() -> None:
    with pytest.raises(fs.SettingError, match="content type of lines, and types is only for csv"):
        await run(f'{SOURCE} stream="true" types="a: number"/>{EACH}', typed(b"a", "text/plain"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('types="a: number"', "types is only for csv and tsv, and the format is auto"),
        (
            'delimiter=";" format="json"',
            "delimiter is only for csv and tsv, and the format is json",
        ),
        ('next="page" skip="1"', "skip is only for csv and tsv, and the format is json"),
        ('format="csv" header="none" types="a: number"', "types name columns"),
        ('format="csv" delimiter="\'" quote="\'"', "quote and delimiter are the same"),
        ('format="csv" types="a: nmber"', "did you mean 'number'"),
        ('encoding="nope"', "there is no encoding 'nope'"),
        ('encoding="utf-8" format="bytes"', "encoding is for text"),
        ('encoding="utf-8" download="a"', "nothing of it is decoded"),
    ],
)
def test_settings_that_do_not_fit_are_problems_of_the_document(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        fs.loads(f'<workflow name="w"><source:http id="x" url="http://h/" {settings}/></workflow>')


def test_what_a_table_over_http_has_in_its_rows_is_known() -> None:
    text = '<source:http id="x" url="http://h/" format="csv" header="a, b"/><set var="y" value="{{x[0].c}}"/>'
    with pytest.raises(fs.WorkflowInvalid, match="'c'"):
        fs.loads(f'<workflow name="w">{text}</workflow>')
