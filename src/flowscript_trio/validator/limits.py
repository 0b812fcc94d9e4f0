"""Owns the names of limits that a node takes."""

from __future__ import annotations

import re

from ..types.ast import Document, Setting
from ..types.errors import nearest
from ..types.findings import Findings
from ..types.limits import NAME
from ..types.location import Text
from ..types.patterns import pattern

_ITEM = pattern(r"[^\s,]+")
_EXPECTED = "the name of a limit, or several with spaces between"


class LimitNames:
    """Reads the ``limit`` of nodes.

    A name that is not declared may be one that the application gives a limit for, which is seen when the run
    begins; one that is almost a declared name is worth a warning.
    """

    def __init__(self, document: Document, findings: Findings) -> None:
        self._declared = {limit.name for limit in document.limits}
        self._findings = findings

    def bind(self, setting: Setting) -> tuple[str, ...]:
        """The names in it, in alphabetical order; what is wrong with it goes to the findings."""
        text = setting.value
        items = list(_ITEM.finditer(text.value)) if isinstance(text, Text) else []
        if not items:
            message = "limit names no limit"
            self._findings.at_value(setting, "invalid-setting", message, expected=_EXPECTED)
            return ()
        assert isinstance(text, Text)
        if "{{" in text.value:
            message = "limit is computed; the language needs it when the document is read"
            self._findings.at_value(setting, "not-constant", message, expected=_EXPECTED)
            return ()
        names: set[str] = set()
        for item in items:
            self._check(text, item, names)
            names.add(item[0])
        return tuple(sorted(names))

    def _check(self, text: Text, item: re.Match[str], before: set[str]) -> None:
        name = item[0]
        code, message, expected, suggestion = "invalid-setting", "", _EXPECTED, None
        if NAME.fullmatch(name) is None:
            message = f"{name!r} cannot be the name of a limit"
        elif name in before:
            message = f"the limit {name!r} is named twice"
            expected = "each limit once: it is taken once"
        elif name not in self._declared and (near := nearest(name, self._declared)) is not None:
            code, suggestion = "unknown-limit", near
            message = f"no limit {name!r} is declared"
            expected = (
                f'a declared limit, or <limit name="{name}"/> for one that the application gives'
            )
        if message:
            self._findings.in_text(
                text,
                item.start(),
                len(name),
                code,
                message,
                expected=expected,
                suggestion=suggestion,
                severity="warning" if code == "unknown-limit" else "error",
            )
