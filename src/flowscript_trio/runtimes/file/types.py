"""Owns the settings of file sources and sinks, and the formats by suffix."""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ...expression.tabular.tables import Dialect
from ..tabular import ReadTable, WrittenTable, checked_encoding
from .books import BOOK_FORMS
from .spelling import Path, Sheet

Form = Literal["json", "jsonl", "yaml", "csv", "tsv", "xlsx", "parquet", "text", "lines", "bytes"]
Format = Literal["auto"] | Form

_SUFFIXES: dict[Form, str] = {
    "json": "json geojson webmanifest",
    "jsonl": "jsonl ndjson",
    "yaml": "yaml yml",
    "csv": "csv",
    "tsv": "tsv tab",
    "xlsx": "xlsx",
    "parquet": "parquet",
    "lines": "log lines",
    "bytes": "bin dat png jpg jpeg gif webp ico bmp tiff pdf zip gz bz2 xz zst tar 7z mp3 mp4 ogg wav webm "
    "docx pptx odt ods sqlite db wasm woff woff2 ttf otf pkl so exe",
}
FORM_OF: dict[str, Form] = {
    f".{suffix}": form for form, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}
"""The format by suffix; that of any other suffix is text."""

WHOLE_FORMS = ("json", "yaml", "xlsx", "parquet")
"""Formats of files that are written whole: nothing can be added at their end."""


STREAM_FORMS = ("csv", "tsv", "jsonl", "lines")
"""Formats of one record after another, which may be read and written as a stream."""


class _Content(BaseModel):
    """Where the content of a file is, and how it is coded."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: Path = Field(description="the file, from the run's base folder")
    format: Format = Field(
        default="auto", description="how its content is coded; auto: by its suffix"
    )


class FileConfig(WrittenTable, _Content):
    """What sources and sinks share."""

    encoding: str | None = Field(
        default=None,
        description="how text is coded, such as windows-1252; default: UTF-8, or by its byte order mark",
    )

    sheet: Sheet | None = Field(
        default=None,
        description="xlsx: the name of the sheet; default: the first one, or Sheet1 of a new file",
    )

    @field_validator("encoding", mode="after")
    @classmethod
    def _check_encoding(cls, value: str | None) -> str | None:
        return checked_encoding(value)

    @property
    def form(self) -> Form:
        """The format: what the settings say, else by the suffix, else text."""
        if self.format != "auto":
            return self.format
        return FORM_OF.get(PurePath(self.path).suffix.lower(), "text")

    @property
    def dialect(self) -> Dialect:
        """How a csv file is written, as the settings say."""
        return self.dialect_of(self.form)

    @model_validator(mode="after")
    def _check_tables(self) -> Self:
        self.check_tables(self.form)
        if self.encoding is not None and self.form in ("bytes", *BOOK_FORMS):
            raise PydanticCustomError(
                "encoding",
                "encoding is for text, and the format is {form}",
                {"form": self.form, "setting": "encoding"},
            )
        if self.sheet is not None and self.form != "xlsx":
            raise PydanticCustomError(
                "sheet",
                "sheet is for xlsx, and the format is {form}",
                {"form": self.form, "setting": "sheet"},
            )
        return self


class FileSourceConfig(ReadTable, FileConfig):
    """``<source type="file">``: reads a file; the output is its content."""

    stream: bool = Field(
        default=False,
        description="csv, tsv, jsonl, lines, xlsx, parquet: the output is a stream, which a foreach or a sink "
        "consumes once, and the file is read meanwhile",
    )

    @model_validator(mode="after")
    def _check_stream(self) -> Self:
        if self.stream and self.form not in (*STREAM_FORMS, *BOOK_FORMS):
            raise PydanticCustomError(
                "stream",
                "stream is for files of records ({forms}), and the format is {form}",
                {
                    "forms": ", ".join((*STREAM_FORMS, *BOOK_FORMS)),
                    "form": self.form,
                    "setting": "stream",
                },
            )
        return self


class FileSinkConfig(FileConfig):
    """``<sink type="file">``: writes its input to a file; the output has the path and the bytes written."""

    pretty: bool = Field(default=True, description="JSON with line breaks")
    create_dir: bool = Field(default=True, description="make missing folders")
    append: bool = Field(default=False, description="add to the file instead of replacing it")

    @model_validator(mode="after")
    def _check_append(self) -> Self:
        if self.append and self.form in WHOLE_FORMS:
            raise PydanticCustomError(
                "append_format",
                "a {form} file is written whole, so nothing can be added to it "
                "(to one of jsonl, csv, tsv, text, lines or bytes it can)",
                {"form": self.form, "setting": "append"},
            )
        if self.append and "\n".encode(self.encoding or "utf-8") != b"\n":
            raise PydanticCustomError(
                "append_encoding",
                "nothing can be added to a file in {encoding}; expected utf-8, or another encoding "
                "that has a line end in one byte and no byte order mark",
                {"encoding": self.encoding, "setting": "append"},
            )
        return self
