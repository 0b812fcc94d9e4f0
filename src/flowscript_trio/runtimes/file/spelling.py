"""Owns what is seen of the path of a file without looking at the disk: documents are checked with it. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HOME = re.compile(r"~\w*/")
_NOT_IN_SHEETS = re.compile(r"[\[\]:*?/\\]")


def _check_path(path: str) -> str:
    """Raise for what is written as a path and never means a file."""
    why = ""
    if found := _URL.match(path):
        instead = "source:http or sink:http" if found[1].lower() in ("http", "https") else "a path"
        why = f"a URL; expected {instead} for it"
    elif path.endswith("/"):
        why = "that of a folder; expected the path of a file"
    elif _HOME.match(path):
        why = f"one below a home folder, which nothing looks up; expected an absolute path, or ./{path}"
    if why:
        raise PydanticCustomError("path", "{message}", {"message": f"the path {path!r} is {why}"})
    return path


def _check_sheet(sheet: str) -> str:
    if found := _NOT_IN_SHEETS.search(sheet):
        message = f"the name of a sheet cannot have {found[0]!r} in it; expected one without []:*?/ and \\"
        raise PydanticCustomError("sheet", "{message}", {"message": message})
    return sheet


Path = Annotated[str, Field(min_length=1), AfterValidator(_check_path)]
Sheet = Annotated[str, Field(min_length=1, max_length=31), AfterValidator(_check_sheet)]
