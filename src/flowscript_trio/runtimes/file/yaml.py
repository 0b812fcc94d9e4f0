"""Owns YAML files: one document of plain values, written so that every reader reads the same."""

from __future__ import annotations

import json
import re
from typing import Any

from ...expression import encode_json
from ...types.errors import FlowScriptError

_PLAIN = re.compile(r"[^\W\d](?:[\w ./@+-]*\w)?")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
"""What readers of YAML 1.1 or 1.2 take for something else than a text, in any case."""
_BLOCK = re.compile(r"[^\s#].*", re.DOTALL)
_NOT_IN_BLOCKS = re.compile(
    r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]| \n| \Z"
)
_WIDE = 2**31 - 1  # characters of a line: texts are not broken


def decode_yaml(text: str, name: str) -> Any:
    """The value of the one document in a text, by the core schema of YAML 1.2: dates are texts.

    Raises FlowScriptError with line and column for what is not valid YAML, and for aliases that repeat more
    than ten million values or contain themselves (a small file must not become a huge value).
    """
    from ...parser.yamldata import read_data
    from ...parser.yamlproblem import YamlProblem

    try:
        return read_data(text)
    except YamlProblem as exc:
        before = text[: exc.offset]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = exc.message.removeprefix("not YAML: ")
        raise FlowScriptError(f"{name}:{line}:{column}: not valid YAML: {message}") from None


def encode_yaml(value: Any) -> str:
    """A value as a YAML document, in JSON's own types; raises EvaluationError for what JSON cannot hold.

    Texts come back as the same texts from readers of YAML 1.1 and 1.2.
    """
    import yaml

    encoded = encode_json(value)
    encoded.encode()  # half of a surrogate pair would become an escape that no reader takes
    plain = json.loads(encoded)
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(dumper):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(str, _represent)
    text: str = yaml.dump(
        plain,
        Dumper=Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDE,
        default_flow_style=False,
    )
    return text


def _represent(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style_of(text))


def _style_of(text: str) -> str | None:
    """How a text is written: plain only where no reader takes it for a number, a date or a word."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return None
    if "\n" in text and _BLOCK.match(text) and not _NOT_IN_BLOCKS.search(text):
        return "|"
    return '"'
