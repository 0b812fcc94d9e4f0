"""Owns the reading of what a case expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..types.ast import Structure
from ..types.location import Text
from .cases import Expected, ExpectedError, pattern_of
from .ids import Ids
from .values import Fields, Value, Values, as_it_is, plain

EXPECTATIONS = (
    "output", "error", "duration", "statuses", "attempts", "calls", "results", "inputs", "settings", "warnings",
)  # fmt: skip
ERROR = ("type", "message", "node", "status")
STATUSES = ("success", "failed", "cancelled", "skipped")


def read_expected(fields: dict[str, Value], values: Values, ids: Ids) -> Expected:
    """What is expected, of the fields of a case; what is wrong is reported to ``values``."""
    return _Expectations(values, ids).read(fields)


class _Expectations:
    """Reads each expectation."""

    def __init__(self, values: Values, ids: Ids) -> None:
        self.values = values
        self._ids = ids

    def read(self, fields: dict[str, Value]) -> Expected:
        values = self.values
        found: dict[str, Any] = {}
        readers: dict[str, Callable[[Value], Any]] = {
            "output": as_it_is,
            "error": self._error,
            "duration": lambda given: values.seconds(given, "duration"),
            "statuses": self._by_node("statuses", self._status),
            "attempts": self._by_node("attempts", lambda given: values.whole(given, "attempts", 1)),
            "calls": self._by_node("calls", lambda given: values.whole(given, "calls"), leaf=True),
            "results": self._by_node("results", as_it_is),
            "inputs": self._by_node("inputs", as_it_is, leaf=True),
            "settings": self._by_node("settings", self._settings, leaf=True),
            "warnings": lambda given: tuple(
                values.text(item, "warnings") or "" for item in values.items(given)
            ),
        }
        for word, read in readers.items():
            if word in fields:
                found[word] = read(fields[word])
        return Expected(**found)

    def _by_node(
        self, what: str, read: Callable[[Value], Any], leaf: bool = False
    ) -> Callable[[Value], dict[str, Any]]:
        def reader(given: Value) -> dict[str, Any]:
            found = {}
            entries = self.values.entries(given, what)
            if not entries and isinstance(given.value, Structure):
                self.values.report(given.place, "nothing-expected", f"{what!r} names no node")
            for key, value in entries:
                if leaf:
                    self._ids.check_leaf(key)
                else:
                    self._ids.check_node(key)
                found[key.value] = read(value)
            return found

        return reader

    def _status(self, given: Value) -> str | None:
        if isinstance(given.value, Text):
            if given.value.value in STATUSES:
                return given.value.value
            self.values.unknown(given.value, "there is no status", STATUSES)
        else:
            self.values.wrong(given, "statuses", "one of " + ", ".join(STATUSES))
        return None

    def _error(self, given: Value) -> ExpectedError:
        values = self.values
        if given.value is True:
            return ExpectedError()
        if isinstance(given.value, Text):
            return ExpectedError(message=self._message(given))
        fields = values.fields(given, "error", ERROR)
        take = Fields(fields).take
        if "node" in fields and isinstance(fields["node"].value, Text):
            self._ids.check_origin(fields["node"].value)
        return ExpectedError(
            type=take("type", lambda found: values.text(found, "type")),
            message=take("message", self._message),
            node=take("node", lambda found: values.text(found, "node")),
            status=take("status", lambda found: values.whole(found, "status")),
        )

    def _message(self, given: Value) -> str | None:
        message = self.values.text(given, "message")
        if message is not None and (pattern := pattern_of(message)) is not None:
            try:
                re.compile(pattern)
            except re.error as exc:
                what = f"/{pattern}/ is not a regular expression: {exc}"
                self.values.report(given.place, "wrong-value", what)
        return message

    def _settings(self, given: Value) -> dict[str, Any]:
        entries = self.values.entries(given, "settings")
        return {key.value: plain(value.value) for key, value in entries}
