"""Owns server-sent events: a text that comes in pieces becomes events (HTML standard, 9.2). Pure."""

from __future__ import annotations

from typing import Any

from ..file.records import Lines


class Events:
    """Takes the text of an event stream piece by piece; gives the events that are whole with each.

    An event is ``{event, data, id}``: its type (``message`` where it has none), its data as text, and the last id
    that was given, or null. Comments and what is cut off at the end are not events.
    """

    def __init__(self, name: str, longest: int | None = None) -> None:
        self._lines = Lines(name, longest)
        self._data: list[str] = []
        self._event = ""
        self._id: str | None = None

    def feed(self, text: str, last: bool = False) -> list[dict[str, Any]]:
        events = []
        for line in self._lines.feed(text, last):
            if line:
                self._take(line)
                continue
            if self._data:
                data = "\n".join(self._data)
                events.append({"event": self._event or "message", "data": data, "id": self._id})
            self._data, self._event = [], ""
        return events

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value or None
