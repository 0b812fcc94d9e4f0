"""Owns the settings of tables that are text (csv, tsv): one declaration for files and answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
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

from ..expression.tabular.columns import readers_of, split_types
from ..expression.tabular.tables import Dialect, Duplicates, Ragged
from ..types.shapes import BOOLEAN, NUMBER, TEXT, UNKNOWN, Shape, list_of, object_of
from .charsets import charset_named

TABLES = ("csv", "tsv")
"""The formats that these settings are for."""
_ANY_ROW = object_of({}, is_open=True)
_COLUMNS = {"string": TEXT, "number": NUMBER, "integer": NUMBER, "boolean": BOOLEAN}


def read_types(value: Any) -> dict[str, str]:
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
Types = Annotated[Any, BeforeValidator(read_types)]
"""A dict of texts. Not declared as one: ``price: number, day: date`` is not YAML."""


class WrittenTable(BaseModel):
    """How a csv text is written."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    delimiter: Delimiter = Field(
        default="auto",
        description="csv: the character between fields, or tab; auto: of what is read, the one of , ; tab | "
        "that its first line has most of, else a comma",
    )
    quote: Quote = Field(
        default='"', description="csv: the character around fields that need one, or none"
    )
    header: str | list[str] = Field(
        default="first",
        description="csv: first (its first line names the columns), none (rows are lists), or the names",
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

    @property
    def table_settings(self) -> list[str]:
        """Those of these settings that are given."""
        own = WrittenTable.model_fields.keys() | ReadTable.model_fields.keys()
        return sorted(self.model_fields_set & own)

    def dialect_of(self, form: str) -> Dialect:
        """How a text of that format is written, as the settings say."""
        delimiter = "\t" if form == "tsv" and self.delimiter == "auto" else self.delimiter
        return Dialect(
            delimiter=None if delimiter == "auto" else "\t" if delimiter == "tab" else delimiter,
            quote=None if self.quote == "none" else self.quote,
            header=self.header == "first" if isinstance(self.header, str) else tuple(self.header),
            skip=getattr(self, "skip", 0),
            ragged=getattr(self, "ragged", "error"),
            duplicates=getattr(self, "duplicates", "error"),
        )

    def check_tables(self, form: str, expected: str = "") -> None:
        """Refuse these settings where the format is another, and what cannot be together."""
        given = self.table_settings
        if given and form not in TABLES:
            raise PydanticCustomError(
                "csv_only",
                "{name} is only for csv and tsv, and the format is {form}{expected}",
                {"name": given[0], "form": form, "expected": expected, "setting": given[0]},
            )
        if self.quote == self.dialect_of(form).delimiter:
            raise PydanticCustomError(
                "quote", "quote and delimiter are the same character", {"setting": "quote"}
            )


class ReadTable(WrittenTable):
    """How a csv text is read."""

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

    @model_validator(mode="after")
    def _check_types(self) -> Self:
        if self.types and self.header == "none":
            raise PydanticCustomError(
                "types",
                "types name columns, and header: none gives no names; expected header: the names of the columns",
                {"setting": "types"},
            )
        return self


def checked_encoding(value: str | None) -> str | None:
    """An encoding of text as a setting names it, None for ``auto``; refuses one that there is not."""
    if value is None or value.lower() == "auto":
        return None
    if charset_named(value) is None:
        raise PydanticCustomError(
            "encoding",
            "there is no encoding {name}; expected one such as utf-8, utf-16, iso-8859-1 or windows-1252",
            {"name": repr(value)},
        )
    return value


def shape_of_row(known: Mapping[str, Any]) -> Shape:
    """A row of a csv: an object of texts, but for the columns whose types are said."""
    header, types = known.get("header"), known.get("types")
    if isinstance(types, str):
        with suppress(ValueError):
            types = split_types(types)
    if not isinstance(types, Mapping):
        return UNKNOWN
    if header == "none":
        return list_of(TEXT.or_null)
    columns = {str(name): _COLUMNS.get(str(kind), UNKNOWN).or_null for name, kind in types.items()}
    if isinstance(header, str) and header != "first":
        header = [name.strip() for name in header.split(",")]
    if isinstance(header, (list, tuple)):
        return object_of({str(name): columns.get(str(name), TEXT.or_null) for name in header})
    return object_of(columns, is_open=True) if header == "first" else _ANY_ROW
