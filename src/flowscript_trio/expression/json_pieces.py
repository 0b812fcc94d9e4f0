"""Owns reading large JSON in pieces, so that a thread that does so lets the others have their turn.

One call of the json module over a hundred megabytes keeps the interpreter to itself for a second.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from json.decoder import scanstring  # type: ignore[attr-defined]  # json's own
from typing import Any

from .bulk import PIECE
from .json_cuts import Cuts, between
from .json_numbers import placed, plain_decoder

SHORT = 4 * 1024
"""Characters of most values."""

_VAIN = 8
"""Pieces that may be read in vain, besides as much as was read: the first containers are often long ones."""
_PATIENCE = 3
"""Of a container of whose parts this many could not be read, no more are cut: its items are long ones."""

_SPACE = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")


def read_json(
    text: str, decoder: json.JSONDecoder | None = None, look: Callable[[], None] | None = None
) -> Any:
    """The value of a JSON text, as ``decoder.decode`` gives it; raises JSONDecodeError with the same words.

    So it does for a number that the decoder refused; without one, for all that cannot be held (1e400, NaN).
    ``look`` is called now and then while a long text is read; it raises where there is no time left.
    """
    if text.startswith("\ufeff"):
        raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
    decoder = decoder or plain_decoder()
    try:
        return decoder.decode(text) if len(text) <= PIECE else _Pieces(text, decoder, look).read()
    except json.JSONDecodeError:
        raise
    except ValueError as exc:
        raise placed(exc, text) from None


class _Pieces:
    """Reads one text. Containers that are longer than a piece are taken apart, all else is the scanner's.

    Of a long container a part is read at once: up to a place that looks as the one between two of its items, and
    closed there. That is right if it can be read at all: JSON is read from left to right, so that a cut inside
    an item leaves it open, which is an error. Then the items are read one by one. Brackets are counted before,
    since a part that cannot be read takes as long as one that can. What was read in vain is counted: where
    containers are in one another, each of them would be tried up to the end of its piece.
    """

    def __init__(
        self, text: str, decoder: json.JSONDecoder, look: Callable[[], None] | None = None
    ) -> None:
        self._text = text
        self._cuts = Cuts(text)
        self._look = look
        self._looked = 0  # the offset at which it was called
        self._vain = 0  # characters that were read in vain
        self._last = 0  # characters of the container before, which the next one is taken to be like
        self._scan: Any = decoder.scan_once  # type: ignore[attr-defined]  # json's own, in C

    def read(self) -> Any:
        value, end = self._value(self._skip(0))
        end = self._skip(end)
        if end != len(self._text):
            raise self._error("Extra data", end)
        return value

    def _skip(self, at: int) -> int:
        """The offset of what follows white space."""
        found = _SPACE.match(self._text, at)
        assert found is not None
        return found.end()

    def _error(self, message: str, at: int) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self._text, at)

    def _value(self, at: int) -> tuple[Any, int]:
        """The value that begins at an offset, and the offset after it."""
        text = self._text
        if text[at : at + 1] in ("[", "{"):
            for size in self._sizes(at):
                found = self._try(text[at : at + size])
                if found is None:
                    continue  # longer than the piece, or wrong: what comes last says so
                value, end = found
                self._last = end
                return value, at + end
            self._last = 0
            value, end = self._list(at) if text.startswith("[", at) else self._object(at)
            self._last = end - at
            return value, end
        try:
            value, end = self._scan(text, at)
        except StopIteration as exc:
            raise self._error("Expecting value", exc.value) from None
        return value, end

    def _try(self, part: str) -> tuple[Any, int] | None:
        """The value at the beginning of a part, and the offset after it; None where it is not whole."""
        try:
            return self._scan(part, 0)  # type: ignore[no-any-return]
        except (ValueError, StopIteration):
            self._vain += len(part)
            return None

    def _may_try(self, at: int) -> bool:
        """Whether a piece may be read that may turn out not to be whole: up to here more was read than in vain."""
        return self._vain <= at + _VAIN * PIECE

    def _sizes(self, at: int) -> tuple[int, ...]:
        """How many characters to try for the next container; none where it is likely to be longer than a piece."""
        if not self._may_try(at):
            return (min(SHORT, PIECE),)
        if self._last > PIECE:
            return ()
        likely = max(2 * self._last, SHORT)
        return (likely, PIECE) if likely < PIECE else (PIECE,)

    def _list(self, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        patience = _PATIENCE
        at = self._skip(at + 1)
        if self._text.startswith("]", at):
            return items, at + 1
        while True:
            self._refuse_end(at, "]", "array")
            item, end = self._value(at)
            items.append(item)
            is_long = end - at > PIECE // 8
            at, more = self._following(end, "]")
            if not more:
                return items, at
            if is_long:
                continue  # a part would have few of them
            edges = between(self._text, end, at)
            while patience and (part := self._part("[", at, edges, "]")):
                found, at = part
                items += found
            patience = max(patience - 1, 0)
            if self._may_try(at):
                at = self._one_by_one(items, at)

    def _object(self, at: int) -> tuple[dict[str, Any], int]:
        text = self._text
        found: dict[str, Any] = {}
        patience = _PATIENCE
        at = self._skip(at + 1)
        if text.startswith("}", at):
            return found, at + 1
        while True:
            self._refuse_end(at, "}", "object")
            if not text.startswith('"', at):
                raise self._error("Expecting property name enclosed in double quotes", at)
            key, at = scanstring(text, at + 1, True)
            at = self._skip(at)
            if not text.startswith(":", at):
                raise self._error("Expecting ':' delimiter", at)
            found[key], end = self._value(self._skip(at + 1))
            is_long = end - at > PIECE // 8
            at, more = self._following(end, "}")
            if not more:
                return found, at
            if is_long:
                continue
            edges = between(self._text, end, at)
            while patience and (part := self._part("{", at, edges, "}")):
                more_found, at = part
                found.update(more_found)
            patience = max(patience - 1, 0)

    def _following(self, end: int, closing: str) -> tuple[int, bool]:
        """The offset of the next item and True, or that after the container and False."""
        self._look_about(end)
        end = self._skip(end)
        if self._text.startswith(closing, end):
            return end + 1, False
        if not self._text.startswith(",", end):
            raise self._error("Expecting ',' delimiter", end)
        return self._skip(end + 1), True

    def _look_about(self, at: int) -> None:
        if self._look is not None and at - self._looked > PIECE // 4:
            self._looked = at
            self._look()

    def _refuse_end(self, at: int, closing: str, kind: str) -> None:
        """Raise JSONDecodeError where a container ends after a comma, in Python's words since 3.13."""
        if sys.version_info >= (3, 13) and self._text.startswith(closing, at):
            comma = self._text.rindex(",", 0, at)
            raise self._error(f"Illegal trailing comma before end of {kind}", comma)

    def _part(self, opening: str, at: int, edges: str, closing: str) -> tuple[Any, int] | None:
        """The items up to the last cut in a piece, and the offset of the next one; None where none can be made."""
        self._look_about(at)
        for comma in self._cuts.of(at, at + PIECE, edges):
            if not self._may_try(at):
                return None
            part = f"{opening}{self._text[at:comma]}{closing}"
            items, end = self._try(part) or (None, 0)
            if items and end == len(part):
                return items, self._skip(comma + 1)
        return None

    def _one_by_one(self, items: list[Any], at: int) -> int:
        """Add the items that are whole in a piece, but the last of the list; gives the offset of the next one."""
        piece = self._text[at : at + PIECE]
        done = 0
        while True:
            try:
                value, end = self._scan(piece, done)
            except (ValueError, StopIteration):
                self._vain += len(piece) - done
                break
            comma = _COMMA.match(piece, end)
            if comma is None or comma.end() == len(piece):
                break
            items.append(value)
            done = comma.end()
        return at + done
