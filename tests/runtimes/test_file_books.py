"""Owns tests of xlsx and parquet: values with their types, there and back, whole and as streams."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import flowscript_trio as fs
from flowscript_trio.runtimes.file import books
from flowscript_trio.runtimes.file.books import encode_book, read_parts
from flowscript_trio.testing import prove

EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item}}"/></foreach>'
SOURCE = '<source:file id="s" path="{}" {}/>'


def load(text: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{text}</workflow>')


async def there_and_back(rows: Any, name: str, base: Path) -> Any:
    await fs.run(load(f'<sink:file id="k" path="{name}"/>'), base=base, input=rows)
    whole = (await fs.run(load(SOURCE.format(name, "")), base=base)).output
    flow = load(SOURCE.format(name, 'stream="true"') + EACH)
    assert (await fs.run(flow, base=base)).output == whole
    return whole


NAMES = ["a.xlsx", "a.parquet"]
ROWS = [
    {"n": 1, "x": 1.5, "ok": True, "text": "=1+1", "day": datetime(2026, 1, 2, 3, 4, 5), "é": None},
    {"n": -2, "x": 2.25, "ok": False, "text": "x\ny", "day": None, "é": "ß"},
]


@pytest.mark.parametrize("name", NAMES)
async def test_values_keep_their_types(name: str, tmp_path: Path) -> None:
    assert await there_and_back(ROWS, name, tmp_path) == ROWS


@pytest.mark.parametrize("name", NAMES)
async def test_rows_may_lack_columns_and_there_may_be_none(name: str, tmp_path: Path) -> None:
    rows = [{"a": 1}, {"b": "x"}]
    assert await there_and_back(rows, name, tmp_path) == [
        {"a": 1, "b": None},
        {"a": None, "b": "x"},
    ]
    assert await there_and_back([], name, tmp_path) == []
    assert await there_and_back({"a": 1}, name, tmp_path) == [{"a": 1}]


async def test_parquet_has_lists_objects_bytes_and_decimals(tmp_path: Path) -> None:
    rows = [
        {"a": [1, 2], "b": {"c": "x"}, "d": b"\x00", "e": Decimal("1.50"), "f": date(2026, 1, 2)}
    ]
    assert await there_and_back(rows, "a.parquet", tmp_path) == rows


async def test_a_cell_takes_what_it_has_no_type_for_as_text(tmp_path: Path) -> None:
    rows = [
        {
            "a": [1],
            "b": {"c": 1},
            "d": Decimal("0.1"),
            "e": datetime(2026, 1, 2, tzinfo=UTC),
            "f": time(1, 2),
        }
    ]
    assert await there_and_back(rows, "a.xlsx", tmp_path) == [
        {"a": "[1]", "b": '{"c":1}', "d": "0.1", "e": "2026-01-02T00:00:00+00:00", "f": time(1, 2)}
    ]


async def test_a_number_that_needs_seventeen_digits_keeps_them_in_a_cell(tmp_path: Path) -> None:
    rows = [{"a": 0.1 + 0.2, "b": 1.3510798882110642e16, "c": Decimal("1.5"), "d": -5e-324}]
    found = await there_and_back(rows, "a.xlsx", tmp_path)
    assert [repr(value) for value in found[0].values()] == [
        "0.30000000000000004", "1.3510798882110642e+16", "1.5", "-5e-324",
    ]  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet is not None
    assert sheet["A2"].value == 0.1 + 0.2
    assert sheet["A2"].data_type == "n"


CELLS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), min_size=1, max_size=8
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": CELLS, "b": CELLS}), min_size=1, max_size=5))
def test_generated_rows_come_back_from_cells(rows: list[dict[str, Any]]) -> None:
    from io import BytesIO

    file = BytesIO(encode_book(rows, "xlsx", None))
    found = [row for part in read_parts(file, "xlsx", "a", None) for row in part]
    assert found == [row for row in rows if set(row.values()) != {None}]


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("a.xlsx", [{"a": 2**60}], "row 0, 'a', is a number that a cell cannot hold exactly"),
        ("a.xlsx", [{"a": float("nan")}], "a number that a cell cannot hold"),
        ("a.xlsx", [{"a": "\x01"}], "row 0, 'a', is text that a cell cannot hold"),
        ("a.xlsx", [{"a": "x" * 40_000}], "more than 32,767 characters"),
        ("a.xlsx", [1], "row 0 is not an object; the format xlsx takes a list of objects"),
        (
            "a.parquet",
            [{"a": 1}, {"a": "x"}],
            "the column 'a' has values that one column of parquet",
        ),
        ("a.parquet", [{"a": 2**70}], "the column 'a'"),
        ("a.xlsx", [{"a": "\ud800"}], "row 0, 'a', is text that a cell cannot hold: .*surrogate"),
        ("a.parquet", [{"a": "\ud800"}], "the column 'a'.*surrogates"),
        ("a.xlsx", [{"b": 1}, {1: "a", "1": "b"}], "row 1 has two keys with the same text"),
        ("a.parquet", [{1: "a", "1": "b"}], "row 0 has two keys with the same text"),
    ],
)
async def test_what_cannot_be_written_is_refused_and_touches_no_file(
    name: str, rows: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(fs.FlowScriptError, match=message):
        await there_and_back(rows, name, tmp_path)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("stream", ["", 'stream="true"'])
@pytest.mark.parametrize("name", NAMES)
async def test_what_is_no_table_is_an_error_that_names_the_file(
    name: str, stream: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(
        fs.FlowScriptError, match=f"'{name}' (is not an xlsx file|cannot be read as)"
    ):
        await fs.run(load(SOURCE.format(name, stream) + (EACH if stream else "")), base=tmp_path)


async def test_sheets_are_chosen_by_name_and_odd_ones_are_errors(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "First"
    for row in ([], ["a", "b"], [1, 2], [None, None], [3]):
        book.active.append(row)
    for title, rows in (("Twice", [["a", "a"]]), ("Wide", [["a"], [1, 2]])):
        page = book.create_sheet(title)
        for row in rows:  # type: ignore[assignment]
            page.append(row)
    book.save(tmp_path / "a.xlsx")

    async def read(sheet: str) -> Any:
        return (await fs.run(load(SOURCE.format("a.xlsx", sheet)), base=tmp_path)).output

    assert await read("") == await read('sheet="First"') == [{"a": 1, "b": 2}, {"a": 3, "b": None}]
    for sheet, message in (
        ("Frist", "has no sheet 'Frist'; did you mean 'First'"),
        ("Twice", "row 1: a column has no name, or one of another column"),
        ("Wide", "row 2: the row has 2 cells, and the header 1"),
    ):
        with pytest.raises(fs.FlowScriptError, match=message):
            await read(f'sheet="{sheet}"')


async def test_a_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "_MOST", 1_000_000)
    with ZipFile(tmp_path / "a.xlsx", "w", ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"x" * 2_000_000)
    with pytest.raises(fs.FlowScriptError, match="it unpacks to 2,000,000 bytes"):
        await fs.run(load(SOURCE.format("a.xlsx", "")), base=tmp_path)


async def test_other_readers_read_what_is_written(tmp_path: Path) -> None:
    for name in NAMES:
        await there_and_back(ROWS, name, tmp_path)
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == ROWS
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["Sheet1"]
    assert [cell.value for cell in page[1]] == list(ROWS[0])
    assert page["D2"].data_type == "s"  # and no formula


async def test_a_stream_of_parquet_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "PART", 3)
    parquet.write_table(pyarrow.table({"n": list(range(10))}), tmp_path / "a.parquet")
    flow = load(
        SOURCE.format("a.parquet", 'stream="true"') + EACH.replace("<foreach", '<foreach batch="4"')
    )
    assert [len(part) for part in (await fs.run(flow, base=tmp_path)).output] == [4, 4, 2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_streams_of_tables_are_proved(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "PART", 2)
    form: Any = name.partition(".")[2]
    (tmp_path / name).write_bytes(encode_book([{"n": n} for n in range(5)], form, None))
    flow = load(SOURCE.format(name, 'stream="true"') + EACH)
    report = prove(flow, options={"base": tmp_path}, pairs=5)
    assert report.holds, report.render()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('path="a.csv" sheet="x"', "sheet is for xlsx"),
        ('path="a.xlsx" encoding="utf-8"', "encoding is for text"),
        ('path="a.xlsx" header="none"', "only for csv and tsv"),
    ],
)
def test_settings_that_do_not_fit_are_problems(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        load(f'<source:file id="s" {settings}/>')


def sheet_of(base: Path, rows: str, dimension: str) -> None:
    """Make ``a.xlsx``, whose sheet has these rows and says of itself that it is so large."""
    openpyxl.Workbook().save(base / "empty.xlsx")
    start = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    page = f'{start}<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    with ZipFile(base / "empty.xlsx") as made, ZipFile(base / "a.xlsx", "w") as file:
        for name in made.namelist():
            is_sheet = name.startswith("xl/worksheets/")
            file.writestr(name, page if is_sheet else made.read(name))


def rows_of(number: int, *cells: str) -> str:
    inside = "".join(f'<c r="{each}{number}"><v>{number}</v></c>' for each in cells)
    return f'<row r="{number}">{inside}</row>'


@pytest.mark.parametrize("dimension", ["A1", "A1:XFD1048576"])
async def test_what_a_sheet_says_of_its_size_takes_no_rows_away_and_makes_none(
    dimension: str, tmp_path: Path
) -> None:
    sheet_of(tmp_path, rows_of(1, "A") + rows_of(2, "A") + rows_of(5, "A"), dimension)
    found = (await fs.run(load(SOURCE.format("a.xlsx", "")), base=tmp_path)).output
    assert found == [{"1": 2}, {"1": 5}]


async def test_a_row_that_no_sheet_has_is_an_error_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "_MOST_ROWS", 1000)
    sheet_of(tmp_path, rows_of(1, "A") + rows_of(10_000_000_000, "A"), "A1")
    with pytest.raises(fs.FlowScriptError, match=r"'a\.xlsx' has more rows than a sheet can have"):
        await fs.run(load(SOURCE.format("a.xlsx", "")), base=tmp_path)


async def test_a_cell_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    rows = rows_of(1, "A") + f'<row r="2"><c r="A2"><v>{"9" * 5000}</v></c></row>'
    sheet_of(tmp_path, rows, "A1:A2")
    with pytest.raises(fs.FlowScriptError, match=r"'a\.xlsx' cannot be read as xlsx"):
        await fs.run(load(SOURCE.format("a.xlsx", "")), base=tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (lambda pa: pa.table([[1], [2]], names=["a", "a"]), "has two columns named 'a'"),
        (lambda pa: pa.table({"b": pa.array([2**62], pa.timestamp("us"))}), r"'b' has a timestamp\[us\]"),
        (lambda pa: pa.table({"b": pa.array([1], pa.timestamp("ns"))}), r"the column 'b' has a timestamp\[ns\]"),
        (lambda pa: pa.table({"b": pa.array([[1]], pa.list_(pa.duration("ns")))}), "the column 'b' has a list<"),
    ],
)  # fmt: skip
async def test_what_parquet_holds_and_python_does_not_names_its_column(
    table: Any, message: str, tmp_path: Path
) -> None:
    parquet.write_table(table(pyarrow), tmp_path / "a.parquet")
    flow = fs.loads('<workflow name="w"><source:file id="s" path="a.parquet"/></workflow>')
    with pytest.raises(fs.FlowScriptError, match=message):
        await fs.run(flow, base=tmp_path)


@pytest.mark.parametrize("rows", [1, 5000])
async def test_a_formula_without_a_result_is_not_read_as_null(rows: int, tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    page.append(["a", "b"])
    for _ in range(rows):
        page.append(["some text to make it longer", 1])
    page.append([1, "=A2+1"])
    book.save(tmp_path / "a.xlsx")
    flow = fs.loads('<workflow name="w"><source:file id="s" path="a.xlsx"/></workflow>')
    with pytest.raises(
        fs.FlowScriptError, match=f"the cell B{rows + 2} has a formula whose result"
    ):
        await fs.run(flow, base=tmp_path)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="A2"><f>1+1</f><v>2</v></c>', 2),
        ('<c r="A2" t="str"><f>""</f><v></v></c>', None),
        ('<c r="A2" t="b"><f>TRUE()</f><v>1</v></c>', True),
        ('<c r="A2" t="e"><f>NA()</f><v>#N/A</v></c>', "#N/A"),
        ('<c r="A2"><f t="shared" si="0"/><v>2</v></c>', 2),
    ],
)
async def test_the_result_of_a_formula_is_its_value(cell: str, value: Any, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([7, 8])
    book.save(tmp_path / "made.xlsx")
    with (
        ZipFile(tmp_path / "made.xlsx") as old,
        ZipFile(tmp_path / "a.xlsx", "w") as new,
    ):
        for each in old.namelist():
            text = old.read(each).decode()
            if each.endswith("sheet1.xml"):
                text = re.sub(r'<c r="A2".*?</c>', cell, text)
            new.writestr(each, text)
    flow = fs.loads('<workflow name="w"><source:file id="s" path="a.xlsx"/></workflow>')
    assert (await fs.run(flow, base=tmp_path)).output == [{"a": value, "b": 8}]
