"""Owns the settings of file sources and sinks, and the formats by suffix."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ...expression.tabular.columns import readers_of, split_types
from ...expression.tabular.tables import Dialect, Duplicates, Ragged
from ..charsets import charset_named
from .books import BOOK_FORMS

Form = Literal["json", "jsonl", "yaml", "csv", "tsv", "xlsx", "parquet", "text", "lines", "bytes"]
Format = Literal["auto"] | Form
Path = Annotated[str, Field(min_length=1)]

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

_OF_TABLES = {"delimiter", "quote", "header", "skip", "ragged", "duplicates", "types"}


def _read_types(value: Any) -> dict[str, str]:
    """Types by column, from text or a mapping, checked."""
    if isinstance(value, str):
        value = split_types(value)
    if not isinstance(value, dict) or not all(
        isinstance(part, str) for pair in value.items() for part in pair
    ):
        raise ValueError("that is not types by column; expected price: number, day: date")
    readers_of(value)
    return value


Character = Annotated[str, Field(min_length=1, max_length=1, pattern=r"^[^\r\n]$")]
Delimiter = Literal["auto", "tab"] | Character
Quote = Literal["none"] | Character
Types = Annotated[Any, BeforeValidator(_read_types)]
"""A dict of texts. Not declared as one: ``price: number, day: date`` is not YAML."""


class FileConfig(BaseModel):
    """What sources and sinks share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: Path = Field(description="the file, from the run's base folder")
    format: Format = Field(
        default="auto", description="how its content is coded; auto: by its suffix"
    )

    delimiter: Delimiter = Field(
        default="auto",
        description="csv: the character between fields, or tab; auto: of a file that is read, the one of , ; "
        "tab | that its first line has most of, else a comma",
    )
    quote: Quote = Field(
        default='"', description="csv: the character around fields that need one, or none"
    )
    header: str | list[str] = Field(
        default="first",
        description="csv: first (its first line names the columns), none (rows are lists), or the names",
    )
    encoding: str | None = Field(
        default=None,
        description="how text is coded, such as windows-1252; default: UTF-8, or by its byte order mark",
    )

    @field_validator("header", mode="after")
    @classmethod
    def _split_header(cls, value: str | list[str]) -> str | list[str]:
        if isinstance(value, str):
            if value in ("first", "none"):
                return value
            value = [name.strip() for name in value.split(",")]
        if not value or not all(value) or len(set(value)) != len(value):
            raise PydanticCustomError(
                "header", "expected first, none, or the names of the columns, each once", {}
            )
        return value

    sheet: str | None = Field(
        default=None,
        min_length=1,
        max_length=31,
        description="xlsx: the name of the sheet; default: the first one, or Sheet1 of a new file",
    )

    @field_validator("encoding", mode="after")
    @classmethod
    def _check_encoding(cls, value: str | None) -> str | None:
        if value is None or value.lower() == "auto":
            return None
        if charset_named(value) is None:
            raise PydanticCustomError(
                "encoding",
                "there is no encoding {name}; expected one such as utf-8, utf-16, iso-8859-1 or windows-1252",
                {"name": repr(value)},
            )
        return value

    @property
    def form(self) -> Form:
        """The format: what the settings say, else by the suffix, else text."""
        if self.format != "auto":
            return self.format
        return FORM_OF.get(PurePath(self.path).suffix.lower(), "text")

    @property
    def dialect(self) -> Dialect:
        """How a csv file is written, as the settings say."""
        delimiter = "\t" if self.form == "tsv" and self.delimiter == "auto" else self.delimiter
        return Dialect(
            delimiter=None if delimiter == "auto" else "\t" if delimiter == "tab" else delimiter,
            quote=None if self.quote == "none" else self.quote,
            header=self.header == "first" if isinstance(self.header, str) else tuple(self.header),
            skip=getattr(self, "skip", 0),
            ragged=getattr(self, "ragged", "error"),
            duplicates=getattr(self, "duplicates", "error"),
        )

    @model_validator(mode="after")
    def _check_tables(self) -> Self:
        unused = sorted(self.model_fields_set & _OF_TABLES)
        if unused and self.form not in ("csv", "tsv"):
            raise PydanticCustomError(
                "csv_only",
                "{name} is only for csv and tsv, and the format is {form}",
                {"name": unused[0], "form": self.form, "setting": unused[0]},
            )
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
        if self.quote == self.dialect.delimiter:
            raise PydanticCustomError(
                "quote", "quote and delimiter are the same character", {"setting": "quote"}
            )
        return self


class FileSourceConfig(FileConfig):
    """``<source type="file">``: reads a file; the output is its content."""

    skip: int = Field(default=0, ge=0, description="csv: lines to skip before the header")
    ragged: Ragged = Field(
        default="error",
        description="csv: what becomes of a row with fewer or more fields than the header: error, fit (missing "
        "ones are null, further ones are left out) or skip (the row is left out)",
    )
    duplicates: Duplicates = Field(
        default="error",
        description="csv: what becomes of a column that the header has twice: error, or number (a, a_2)",
    )
    types: Types = Field(
        default_factory=dict,
        description="csv: types of columns, such as price: number, day: date (string, number, integer, boolean, "
        "date, datetime); an empty field is null",
    )

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

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        if self.types and self.header == "none":
            raise PydanticCustomError(
                "types",
                "types name columns, and header: none gives no names; expected header: the names of the columns",
                {"setting": "types"},
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
