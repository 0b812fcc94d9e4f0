"""Owns what is seen of the path of a file without looking at the disk: documents are checked with it. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from ...types.errors import SettingError
from ..spelled import checked_by

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_HOME = re.compile(r"~\w*/")
_NOT_IN_SHEETS = re.compile(r"[\[\]:*?/\\]")


def _check_path(path: str) -> None:
    """Raise SettingError for what is written as a path and never means a file."""
    why = ""
    if found := _URL.match(path):
        instead = "source:http or sink:http" if found[1].lower() in ("http", "https") else "a path"
        why = f"a URL; expected {instead} for it"
    elif path.endswith("/"):
        why = "that of a folder; expected the path of a file"
    elif _HOME.match(path):
        why = f"one below a home folder, which nothing looks up; expected an absolute path, or ./{path}"
    if why:
        raise SettingError(f"the path {path!r} is {why}")


def _check_sheet(sheet: str) -> None:
    """Raise SettingError for what no sheet can be called."""
    if found := _NOT_IN_SHEETS.search(sheet):
        raise SettingError(
            f"the name of a sheet cannot have {found[0]!r} in it; expected one without []:*?/ and \\"
        )


Path = Annotated[str, Field(min_length=1), checked_by(_check_path)]
Sheet = Annotated[str, Field(min_length=1, max_length=31), checked_by(_check_sheet)]
