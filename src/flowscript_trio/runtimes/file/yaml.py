"""Owns YAML files: one document of plain values, read by the safe loader."""

from __future__ import annotations

import json
from typing import Any

from ...expression import encode_json
from ...types.errors import FlowScriptError

_SIZE = 10_000_000  # values, counted as often as aliases repeat them


def decode_yaml(text: str, name: str) -> Any:
    """The value of the one document in a text; dates are dates, as YAML has them.

    Raises FlowScriptError with line and column for what is no YAML, and for aliases that repeat more than
    ten million values or contain themselves (a small file must not become a huge value).
    """
    import yaml

    try:
        value = yaml.safe_load(text)
        _count(value, {}, name)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = getattr(exc, "problem", None) or str(exc).splitlines()[0]
        raise FlowScriptError(f"{place}: no YAML: {problem}") from None
    except ValueError as exc:  # a date that is none, an integer with too many digits
        raise FlowScriptError(f"{name}: no YAML: {exc}") from None
    except RecursionError:
        raise FlowScriptError(f"{name}: the YAML nests too deep") from None
    return value


def _count(value: Any, known: dict[int, int | None], name: str) -> int:
    """How many values there are in a value, each counted as often as it can be reached."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) in known:
        size = known[id(value)]
        if size is None:
            raise FlowScriptError(f"{name}: an alias of the YAML contains itself")
        return size
    known[id(value)] = None
    inner = value.values() if isinstance(value, dict) else value
    size = 1 + sum(_count(item, known, name) for item in inner)
    if size > _SIZE:
        raise FlowScriptError(f"{name}: the aliases of the YAML make more than {_SIZE:,} values")
    known[id(value)] = size
    return size


def encode_yaml(value: Any) -> str:
    """A value as a YAML document, in JSON's own types; raises EvaluationError for what JSON cannot hold."""
    import yaml

    plain = json.loads(encode_json(value))
    text: str = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
    return text
