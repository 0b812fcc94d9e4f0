"""Owns the functions of csv: its text into rows and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...types.errors import EvaluationError, FlowScriptError, LimitExceeded, nearest
from ..bulk import PIECE
from ..encoding import to_text, written_text
from ..scope import Services
from ..table import function
from ..tabular.columns import readers_of, split_types
from ..tabular.rows import CsvRows
from ..tabular.tables import PLAIN, Dialect, columns_of, encode_csv
from ..values import LISTS, check_text, shown
from .arguments import listed, short_text

_CELLS = 10_000
"""Fields that are written between two looks at the bounds."""
_AGAIN = 8
"""Operations of a character of a record that is read at once."""
_OF_BOTH = ("delimiter", "quote", "header")
_OF_READING = (*_OF_BOTH, "skip", "ragged", "duplicates", "types")


@function("csv_decode")
def csv_decode(services: Services, value: Any = None, options: Any = None) -> Any:
    """The rows of a csv text: objects by its header, whose values are texts; of null null.

    ``options`` is an object of ``delimiter``, ``quote``, ``header``, ``skip``, ``ragged``, ``duplicates`` and
    ``types``, as a file source has them.
    """
    if value is None:
        return None
    given = _given(options, _OF_READING, services)
    types = given.pop("types", {})
    if isinstance(types, str):
        services.spend(len(types) * 4)
        types = _checked(split_types, types, shown)
    elif not isinstance(types, Mapping):
        raise EvaluationError(f"types is {shown(types)}; expected an object, or text")
    services.spend(len(types) * 16)
    readers = _checked(readers_of, types, shown)
    rows = _checked(CsvRows, "the text", _dialect(given, services), readers, services.spend)
    text = to_text(value, services)
    found: list[Any] = []
    for at in range(0, len(text) or 1, PIECE):
        piece = text[at : at + PIECE]
        services.spend(len(piece))
        if rows.pending:  # a record that is not whole is read again, with all that it has come to
            services.foresee((rows.pending + len(piece)) * _AGAIN)
        found += _checked(rows.feed, piece, at + PIECE >= len(text))
        if len(found) > services.limits.items:
            raise LimitExceeded(f"a list of more than {services.limits.items:,} items")
    return found


@function("csv_encode")
def csv_encode(services: Services, value: Any = None, options: Any = None) -> Any:
    """An object, or a list of them, as csv text under a header of all their keys; of null an empty text.

    ``options`` is an object of ``delimiter``, ``quote`` and ``header``, as a file sink has them.
    """
    rows, dialect = listed(value), _dialect(_given(options, _OF_BOTH, services), services)
    for row in services.visit(rows, 8):
        if isinstance(row, Mapping):
            services.spend(len(row) * 2)
    columns = columns_of(rows, dialect)
    width = len(columns or ()) + 1
    count = max(_CELLS // width, 1)
    services.spend(width * 8)  # each name is looked up
    text = _counted(services)
    parts: list[str] = []
    length = 0
    for first in range(0, len(rows) or 1, count):
        part = rows[first : first + count]
        services.spend(len(part) * width)
        given = (columns, dialect) if first else (None, _with_columns(dialect, columns))
        parts.append(_checked(encode_csv, part, *given, first, text))
        length += len(parts[-1])
        check_text(length, services.limits)
    return "".join(parts)


def _counted(services: Services) -> Callable[[Any], str]:
    """What gives a field's text, counted before it is written."""
    written = 0

    def text(value: Any) -> str:
        nonlocal written
        word = written_text(value, services)
        written += len(word)
        check_text(written, services.limits)
        services.spend(len(word))
        return word

    return text


def _with_columns(dialect: Dialect, columns: list[str] | None) -> Dialect:
    """The first part has the header, and its columns are those of all rows."""
    if columns is None or dialect.header is not True:
        return dialect
    return replace(dialect, header=tuple(columns))


def _given(options: Any, known: tuple[str, ...], services: Services) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise EvaluationError(f"the options are {shown(options)}; expected an object")
    for name in options:
        if name not in known:
            word = short_text(name)
            near = nearest(word, known)
            hint = f"; did you mean {near!r}?" if near else f"; expected one of {', '.join(known)}"
            what = word if near else shown(name)
            raise EvaluationError(
                f"there is no option {what!r}{hint}" if near else f"an option is {what}{hint}"
            )
    return dict(options)


def _dialect(given: Mapping[str, Any], services: Services) -> Dialect:
    """How the text is written; raises EvaluationError for an option that is not valid."""
    delimiter, quote = given.get("delimiter", "auto"), given.get("quote", '"')
    header = given.get("header", "first")
    delimiter = "\t" if delimiter == "tab" else delimiter
    for name, one, word in (("delimiter", delimiter, "auto"), ("quote", quote, "none")):
        if one != word and (not isinstance(one, str) or len(one) != 1 or one in "\r\n"):
            raise EvaluationError(f"the {name} is {shown(one)}; expected one character, or {word}")
    if delimiter == quote:
        raise EvaluationError("quote and delimiter are the same character")
    if isinstance(header, LISTS) and header:
        header = tuple([to_text(name, services) for name in services.visit(header, 8)])
        if len(set(header)) < len(header):
            raise EvaluationError("the header has a name twice; expected each once")
    elif header not in ("first", "none"):
        raise EvaluationError("the header is expected to be first, none, or a list of names")
    skip = given.get("skip", 0)
    if skip.__class__ is not int or skip < 0:
        raise EvaluationError("skip is expected to be a number of lines")
    words = {"ragged": ("error", "fit", "skip"), "duplicates": ("error", "number")}
    for name, choices in words.items():
        if given.get(name, "error") not in choices:
            raise EvaluationError(f"{name} is expected to be one of {', '.join(choices)}")
    return replace(
        PLAIN,
        delimiter=None if delimiter == "auto" else delimiter,
        quote=None if quote == "none" else quote,
        header=header == "first" if isinstance(header, str) else header,
        skip=skip,
        ragged=given.get("ragged", "error"),
        duplicates=given.get("duplicates", "error"),
    )


def _checked(work: Any, *given: Any) -> Any:
    """What ``work`` gives; its errors are those of an evaluation."""
    try:
        return work(*given)
    except EvaluationError:
        raise
    except (FlowScriptError, ValueError) as exc:
        raise EvaluationError(str(exc)) from None
