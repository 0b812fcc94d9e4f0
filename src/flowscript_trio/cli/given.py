"""Owns what ``--config`` and ``--input`` give a run: texts of the command line, and files of JSON after an @."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import click

from ..types.ast import Document, Parameter
from ..types.declared import describe_type
from ..types.errors import nearest
from .saying import say
from .standard import standard_input

_EXAMPLES = {"array": '\'["a", "b"]\'', "object": "'{\"a\": 1}'", "boolean": "true", "number": "3"}


def read_config(document: Document, pairs: tuple[str, ...]) -> dict[str, Any]:
    """The values of ``--config``, each converted to its declared type."""
    declared = {parameter.name: parameter for parameter in document.parameters}
    config: dict[str, Any] = {}
    for pair in pairs:
        _refuse_bytes(pair, "--config")
        key, equals, word = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--config {pair!r} is not KEY=VALUE")
        parameter = declared.get(key)
        if parameter is None:
            if declared:
                near = nearest(key, declared)
                hint = f"; did you mean {near!r}?" if near else ""
                say(f"warning: the workflow declares no configuration {key!r}{hint}")
            config[key] = word
        else:
            config[key] = _declared_value(parameter, word)
    return config


def _declared_value(parameter: Parameter, word: str) -> Any:
    from ..parser import convert

    kind, name = parameter.type, parameter.name
    # No array and no object begins with an @, so that it can only mean a file.
    is_file = kind in ("array", "object") and word.startswith("@")
    text = _text_of_file(word[1:], f"--config {name}=") if is_file else word
    try:
        return convert(text, kind, parameter.choices)
    except ValueError:
        expected = describe_type(kind, parameter.choices)
        if kind in _EXAMPLES:
            expected += f", such as {name}={_EXAMPLES[kind]}"
        if kind in ("array", "object"):
            expected += f", or {name}=@FILE for a file that has it"
        raise click.UsageError(f"--config {name}={word!r}: expected {expected}") from None


def read_input(given: str | None) -> Any:
    """The value of ``--input``: JSON, or a file of it after an @."""
    if given is None:
        return None
    is_file = given.startswith("@")
    if not is_file:
        _refuse_bytes(given, "--input")
    text = _text_of_file(given[1:], "--input ") if is_file else given
    from ..expression.json_pieces import read_json

    try:
        return read_json(text)
    except (ValueError, RecursionError) as exc:
        said = "it nests too deeply" if isinstance(exc, RecursionError) else exc
        name = given[1:] if is_file else "--input"
        hint = "" if is_file or not given[:1].isalpha() else _quoted(given)
        raise click.UsageError(f"{name} is not JSON: {said}{hint}") from None


def _refuse_bytes(given: str, option: str) -> None:
    """Refuse an argument whose bytes are not text: Python makes halves of surrogate pairs of them."""
    try:
        given.encode()
    except UnicodeEncodeError as exc:
        raise click.UsageError(f"{option}: not UTF-8 text (character {exc.start + 1})") from None


def _quoted(word: str) -> str:
    text = shlex.quote(json.dumps(word, ensure_ascii=False))
    return f"; put a text in quotes: --input {text}"


def _text_of_file(name: str, option: str) -> str:
    """What a file says that an option names after an @; - is the standard input."""
    try:
        data = standard_input(f"{option}@-") if name == "-" else Path(name).read_bytes()
    except OSError as exc:
        raise click.UsageError(f"{option}@{name}: {exc.strerror or exc}") from None
    try:
        # JSON is UTF-8, -16 or -32, with a byte order mark or without.
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        found = f"not {exc.encoding.upper()} text (byte {exc.start})"
        raise click.UsageError(f"{option}@{name}: {found}") from None
