"""Owns tests that tables are read equally by pandas: what is written here, and what pandas has written."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import pytest

import flowscript_trio as fs

ROWS: list[dict[str, Any]] = [
    {"name": 'Ann "A", the first', "code": "0192118", "count": 3, "price": 2.5, "is_new": True},
    {
        "name": "two\nlines; é\u2028",
        "code": "1e3",
        "count": -(2**53),
        "price": 0.1,
        "is_new": False,
    },
    {"name": " spaces ", "code": "yes", "count": 0, "price": -0.25, "is_new": True},
]
TYPES = "count: integer, price: number, is_new: boolean"
AS_IT_IS = {"dtype": {"name": str, "code": str}, "keep_default_na": False}


def records(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as Python's own values."""
    return [
        {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


async def written(folder: Path, name: str, rows: list[dict[str, Any]], settings: str = "") -> Path:
    text = f'<workflow name="w"><sink:file id="s" path="{name}" {settings}/></workflow>'
    await fs.run(fs.loads(text), base=folder, input=rows)
    return folder / name


async def read(path: Path, settings: str = "") -> Any:
    text = f'<workflow name="w"><source:file id="s" path="{path.name}" {settings}/></workflow>'
    return (await fs.run(fs.loads(text), base=path.parent)).output


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
async def test_pandas_reads_a_csv_file_that_was_written(tmp_path: Path, delimiter: str) -> None:
    path = await written(tmp_path, "a.csv", ROWS, f'delimiter="{delimiter}"')
    frame = pandas.read_csv(path, sep=delimiter, **AS_IT_IS)
    assert records(frame) == ROWS


async def test_pandas_reads_a_tsv_file_that_was_written(tmp_path: Path) -> None:
    path = await written(tmp_path, "a.tsv", ROWS)
    frame = pandas.read_csv(path, sep="\t", **AS_IT_IS)
    assert records(frame) == ROWS


async def test_a_csv_file_of_pandas_is_read(tmp_path: Path) -> None:
    for encoding, sep in (("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")):
        path = tmp_path / "a.csv"
        pandas.DataFrame(ROWS).to_csv(path, index=False, encoding=encoding, sep=sep)
        assert await read(path, f'types="{TYPES}"') == ROWS


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
async def test_json_is_read_equally(tmp_path: Path, name: str) -> None:
    is_lines = name.endswith("l")
    path = await written(tmp_path, name, ROWS)
    text = io.StringIO(path.read_text(encoding="utf-8"))
    frame = pandas.read_json(text, lines=is_lines, dtype=False, precise_float=True)
    assert records(frame) == ROWS
    frame.to_json(path, orient="records", lines=is_lines, double_precision=15)
    rows = await read(path)
    assert rows == [row | {"price": pytest.approx(row["price"], abs=1e-15)} for row in ROWS]


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx"])
async def test_books_and_parquet_are_read_equally(tmp_path: Path, name: str) -> None:
    moments = [datetime(2026, 2, day, 12, 30, tzinfo=UTC) for day in (1, 2, 28)]
    is_book = name.endswith("xlsx")
    rows = [row | ({} if is_book else {"at": at}) for row, at in zip(ROWS, moments, strict=True)]
    path = await written(tmp_path, name, rows)
    frame = pandas.read_excel(path, **AS_IT_IS) if is_book else pandas.read_parquet(path)
    assert records(frame) == rows
    again = tmp_path / f"again-{name}"
    if is_book:
        frame.to_excel(again, index=False)
    else:
        frame.to_parquet(again, index=False)
    assert await read(again) == rows
