"""Owns the functions of csv: its text into rows and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...types.errors import EvaluationError, FlowScriptError, LimitExceeded, nearest
from ..bulk import PIECE
from ..encoding import to_text
from ..scope import Services
from ..table import function
from ..tabular.columns import readers_of, split_types
from ..tabular.rows import CsvRows
from ..tabular.tables import PLAIN, Dialect, columns_of, encode_csv
from ..values import LISTS, shown
from .arguments import listed

_ROWS = 500
"""Rows that are written between two looks at the bounds."""
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
        types = _checked(split_types, types)
    rows = CsvRows("the text", _dialect(given), _checked(readers_of, types))
    text = to_text(value, services)
    found: list[Any] = []
    for at in range(0, len(text) or 1, PIECE):
        piece = text[at : at + PIECE]
        services.spend(len(piece))
        found += _checked(rows.feed, piece, at + PIECE >= len(text))
        if len(found) > services.limits.items:
            raise LimitExceeded(f"a list of more than {services.limits.items:,} items")
    return found


@function("csv_encode")
def csv_encode(services: Services, value: Any = None, options: Any = None) -> Any:
    """An object, or a list of them, as csv text under a header of all their keys; of null an empty text.

    ``options`` is an object of ``delimiter``, ``quote`` and ``header``, as a file sink has them.
    """
    rows, dialect = listed(value), _dialect(_given(options, _OF_BOTH, services))
    services.spend(len(rows))
    columns = columns_of(rows, dialect)
    parts = [_checked(encode_csv, rows[:_ROWS], None, _with_columns(dialect, columns))]
    length = 0
    for first in range(_ROWS, len(rows) + _ROWS, _ROWS):
        length += len(parts[-1])
        services.spend(len(parts[-1]))
        if length > services.limits.text:
            raise LimitExceeded(f"a text of more than {services.limits.text:,} characters")
        if first < len(rows):
            part = rows[first : first + _ROWS]
            parts.append(_checked(encode_csv, part, columns, dialect, first))
    return "".join(parts)


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
            near = nearest(to_text(name, services), known)
            hint = f"; did you mean {near!r}?" if near else f"; expected one of {', '.join(known)}"
            what = to_text(name, services) if near else shown(name)
            raise EvaluationError(
                f"there is no option {what!r}{hint}" if near else f"an option is {what}{hint}"
            )
    return dict(options)


def _dialect(given: Mapping[str, Any]) -> Dialect:
    """How the text is written; raises EvaluationError for an option that is not valid."""
    delimiter, quote = given.get("delimiter", "auto"), given.get("quote", '"')
    header = given.get("header", "first")
    for name, one, word in (("delimiter", delimiter, "auto"), ("quote", quote, "none")):
        if one != word and (not isinstance(one, str) or len(one) != 1 or one in "\r\n"):
            raise EvaluationError(f"the {name} is {shown(one)}; expected one character, or {word}")
    if delimiter == quote:
        raise EvaluationError("quote and delimiter are the same character")
    if isinstance(header, LISTS) and header:
        header = tuple(map(to_text, header))
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
