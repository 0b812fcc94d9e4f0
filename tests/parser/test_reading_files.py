"""Owns the tests of reading files: their encodings, and places that are right in all of them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from flowscript_trio.parser import Parsed, read

TEXT = '<workflow name="wé𝄞">\n  <source:x id="a" url="ö"/></workflow>'


def read_bytes(folder: Path, data: bytes) -> Parsed:
    file = folder / "f.xml"
    file.write_bytes(data)
    return read(file)


def declare(encoding: str) -> str:
    return f"<?xml version='1.0' encoding='{encoding}'?>"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF16_BE + (declare("UTF-16") + TEXT).encode("utf-16-be"),
        (declare("UTF-8") + TEXT).encode(),
        (declare("ISO-8859-1") + TEXT.replace("𝄞", "")).encode("latin-1"),
        (declare("windows-1252") + TEXT.replace("𝄞", "€")).encode("cp1252"),
        codecs.BOM_UTF8 + (declare("utf8") + TEXT).encode(),
        TEXT.replace("\n", "\r\n").encode(),
    ],
)
def test_files_are_read_in_the_encoding_that_they_say(tmp_path: Path, data: bytes) -> None:
    parsed = read_bytes(tmp_path, data)
    assert parsed.problems == ()
    assert parsed.document is not None
    assert parsed.document.name in ("wé𝄞", "wé", "wé€")
    [node] = parsed.document.body.nodes
    assert (node.location.line, node.location.column) == (2, 3)
    assert node.location.file == str(tmp_path / "f.xml")
    assert str(node.settings["url"].value) == "ö"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"\xff", 1, 1),
        ('<workflow name="w">\né\n <a b="'.encode() + b'\xe9"/></workflow>', 3, 8),
        (codecs.BOM_UTF8 + b"<workflow>\n\x80", 2, 1),
        (codecs.BOM_UTF16_LE + "<workflow>\n".encode("utf-16-le") + b"\x00\xdc\x20\x00", 2, 1),
        (codecs.BOM_UTF16_LE + "<w>".encode("utf-16-le") + b"\x41", 1, 4),
        (declare("ascii").encode() + "\n<workflow name='é'/>".encode(), 2, 17),
        (declare("klingon").encode() + b"<workflow/>", 1, 31),
        (declare("base64").encode() + b"<workflow/>", 1, 31),
        (declare("unicode_escape").encode() + b"<workflow/>", 1, 31),
        (declare("utf-16").encode() + b"<workflow/>", 1, 31),
    ],
)
def test_bytes_that_are_no_text_are_one_problem_at_their_place(
    tmp_path: Path, data: bytes, line: int, column: int
) -> None:
    parsed = read_bytes(tmp_path, data)
    assert parsed.document is None
    [problem] = parsed.problems
    assert (problem.code, problem.location.line, problem.location.column) == (
        "encoding",
        line,
        column,
    )
    assert problem.render()


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.xml")
