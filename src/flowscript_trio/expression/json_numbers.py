"""Owns which numbers JSON may have: those that can be held. Another one is refused, with its place. Pure."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_LARGEST = sys.float_info.max
_DIGITS = sys.int_info.default_max_str_digits
"""Digits of an integer: beyond them reading one would take quadratic time."""
_EXPECTED = " (expected it as text, in quotes)"


class Refused(ValueError):
    """A number that cannot be held: as it is written, and why."""

    def __init__(self, word: str, why: str) -> None:
        super().__init__(why)
        self.word = word


def make_decoder(read_int: Callable[[str], Any]) -> json.JSONDecoder:
    """A decoder that raises Refused for NaN and what would be infinite, and asks ``read_int`` for integers."""
    return json.JSONDecoder(
        parse_constant=_refuse_constant, parse_float=_read_float, parse_int=read_int
    )


def plain_decoder() -> json.JSONDecoder:
    """The decoder for what comes from outside: every number that Python can hold."""
    # Where Python itself counts digits, its own int is called by C and takes half the time.
    return _GUARDED if 0 < sys.get_int_max_str_digits() <= _DIGITS else _COUNTING


def placed(error: ValueError, text: str) -> json.JSONDecodeError:
    """The error of the json module for a number that was refused, or had too many digits for Python.

    It is the first one of the text that is written so, and is not inside a string.
    """
    if isinstance(error, Refused):
        word, why = re.escape(error.word), str(error)
    else:
        most = sys.get_int_max_str_digits()
        word, why = f"-?[0-9]{{{most + 1},}}", _too_long(most)
    done, is_inside = 0, False
    for found in re.finditer(rf"(?<![\w.+-]){word}(?![\w.+-])", text):
        before = text[done : found.start()].replace("\\\\", "").replace('\\"', "")
        is_inside ^= bool(before.count('"') & 1)
        done = found.start()
        if not is_inside:
            break
    return json.JSONDecodeError(why, text, done)


def _refuse_constant(word: str) -> NoReturn:
    raise Refused(word, f"{word} is not a JSON number")


def _read_float(word: str) -> float:
    number = float(word)
    if -_LARGEST <= number <= _LARGEST:
        return number
    raise Refused(word, f"a number beyond {_LARGEST:.1e}{_EXPECTED}")


def _count_digits(word: str) -> int:
    if len(word) > _DIGITS:
        raise Refused(word, _too_long(_DIGITS))
    return int(word)


def _too_long(most: int) -> str:
    return f"an integer of more than {most:,} digits{_EXPECTED}"


_GUARDED = make_decoder(int)
_COUNTING = make_decoder(_count_digits)
