"""Owns the settings of file sources and sinks, and the formats by suffix."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Form = Literal["json", "jsonl", "yaml", "csv", "text", "lines", "bytes"]
Format = Literal["auto", "json", "jsonl", "yaml", "csv", "text", "lines", "bytes"]
Path = Annotated[str, Field(min_length=1)]

_SUFFIXES: dict[Form, str] = {
    "json": "json geojson webmanifest",
    "jsonl": "jsonl ndjson",
    "yaml": "yaml yml",
    "csv": "csv",
    "lines": "log lines",
    "bytes": "bin dat png jpg jpeg gif webp ico bmp tiff pdf zip gz bz2 xz zst tar 7z mp3 mp4 ogg wav webm "
    "docx xlsx pptx odt ods parquet sqlite db wasm woff woff2 ttf otf pkl so exe",
}
FORM_OF: dict[str, Form] = {
    f".{suffix}": form for form, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}
"""The format by suffix; that of any other suffix is text."""

WHOLE_FORMS = ("json", "yaml")
"""Formats in which a file holds one value: nothing can be added at its end."""


class FileConfig(BaseModel):
    """What sources and sinks share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: Path = Field(description="the file, from the run's base folder")
    format: Format = Field(
        default="auto", description="how its content is coded; auto: by its suffix"
    )

    @property
    def form(self) -> Form:
        """The format: what the settings say, else by the suffix, else text."""
        if self.format != "auto":
            return self.format
        return FORM_OF.get(PurePath(self.path).suffix.lower(), "text")


class FileSourceConfig(FileConfig):
    """``<source type="file">``: reads a file; the output is its content."""


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
                "a {form} file holds one value, so nothing can be added to it "
                "(to one of jsonl, csv, text, lines or bytes it can)",
                {"form": self.form, "setting": "append"},
            )
        return self
