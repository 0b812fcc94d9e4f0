"""Owns how what a runtime refuses when it runs becomes a problem of the setting in a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from ..types.errors import SettingError


def checked_by(check: Callable[[Any], object]) -> AfterValidator:
    """What asks ``check`` about a value of a setting; its SettingError is the problem of that setting."""

    def validate(value: Any) -> Any:
        try:
            check(value)
        except SettingError as exc:
            raise PydanticCustomError("spelling", "{message}", {"message": str(exc)}) from None
        return value

    return AfterValidator(validate)
