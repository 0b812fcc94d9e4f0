"""Owns what is known about a file before it is read: the shape of its content, and the package that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ...types.shapes import NUMBER, TEXT, UNKNOWN, Shape, list_of, object_of
from ..extras import how_to_install, is_installed
from ..tabular import shape_of_row
from .types import FORM_OF

WRITTEN = object_of({"path": TEXT, "bytes": NUMBER})
_PACKAGES = {"xlsx": ("openpyxl", "xlsx"), "parquet": ("pyarrow", "arrow")}


def form_of(known: Mapping[str, Any]) -> str | None:
    """The format of a file as its settings say it; None where they are computed."""
    form = known.get("format")
    if form != "auto":
        return form if isinstance(form, str) else None
    path = known.get("path")
    return FORM_OF.get(PurePath(path).suffix.lower(), "text") if isinstance(path, str) else None


def missing_package(known: Mapping[str, Any]) -> str | None:
    """What to install for a format that could not be read or written here."""
    form = form_of(known)
    if form not in _PACKAGES:
        return None
    package, extra = _PACKAGES[form]
    return None if is_installed(package) else how_to_install("the format", package, extra)


def shape_of_content(known: Mapping[str, Any]) -> Shape:
    """The shape of what a source reads."""
    form = form_of(known)
    if known.get("stream") is not False or form is None:
        return UNKNOWN
    match form:
        case "text":
            return TEXT
        case "lines":
            return list_of(TEXT)
        case "csv" | "tsv":
            return list_of(shape_of_row(known))
        case "jsonl" | "xlsx" | "parquet":
            return list_of(UNKNOWN)
    return UNKNOWN
