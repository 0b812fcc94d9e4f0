"""Owns ``pattern``: ``re.compile``, put off until the pattern is first used.

A command imports a hundred patterns and uses a fifth of them; compiling the others took a tenth of its time.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from re import compile as pattern
else:

    class pattern:
        """As the pattern that ``re.compile`` makes of the same arguments."""

        def __init__(self, text: str | bytes, flags: int = 0) -> None:
            self._arguments = text, flags

        @cached_property
        def _compiled(self) -> re.Pattern[Any]:
            return re.compile(*self._arguments)

        def __getattr__(self, name: str) -> Any:
            """A method or a property of the pattern, which is found without this the next time."""
            found = getattr(self._compiled, name)
            setattr(self, name, found)
            return found


__all__ = ["pattern"]
