"""Owns the settings of file sources and sinks, and the formats by suffix."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_MODEL = ConfigDict(extra="forbid", frozen=True, defer_build=True)
Format = Literal["auto", "json", "jsonl", "yaml", "csv", "text", "lines", "bytes"]

SUFFIXES = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".yaml": "yaml", ".yml": "yaml",
    ".csv": "csv", ".txt": "text", ".md": "text", ".html": "text", ".xml": "text", ".log": "lines",
    ".bin": "bytes", ".png": "bytes", ".jpg": "bytes", ".pdf": "bytes", ".zip": "bytes", ".gz": "bytes",
}  # fmt: skip


class FileSourceConfig(BaseModel):
    """``<source type="file">``"""

    model_config = _MODEL

    path: str = Field(min_length=1, description="the file, from the run's base folder")
    format: Format = Field("auto", description="how it is read; auto: by its suffix")


class FileSinkConfig(BaseModel):
    """``<sink type="file">``"""

    model_config = _MODEL

    path: str = Field(min_length=1, description="the file, from the run's base folder")
    format: Format = Field("auto", description="how it is written; auto: by its suffix")
    pretty: bool = Field(True, description="JSON with line breaks")
    create_dir: bool = Field(True, description="make missing folders")
    append: bool = Field(False, description="add to the file instead of replacing it")


def format_of(path: str, form: str) -> str:
    """The format of a file: what the settings say, else by its suffix, else text."""
    return form if form != "auto" else SUFFIXES.get(PurePath(path).suffix.lower(), "text")
