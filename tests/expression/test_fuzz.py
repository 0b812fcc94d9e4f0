"""Owns the fuzz of expressions: random text, and random trees against a tiny model.

``FLOWSCRIPT_FUZZ=100000`` in the environment sets the number of examples of each test.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from flowscript_trio.expression import (
    ExpressionSyntaxError,
    function_names,
    parse_template,
)
from flowscript_trio.types.errors import EvaluationError

from expressing import PlainScope, read, text_of
from modelling import VARIABLES, Tree, Wrong, trees, worth, write

fuzz = settings(
    max_examples=int(os.environ.get("FLOWSCRIPT_FUZZ", "400")),
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.too_slow],
)


class Guarded:
    """An object none of whose attributes may be read (but its class, which isinstance reads)."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Guarded
        raise AssertionError(f"the attribute {name} was read")


def scope() -> PlainScope:
    values = {**VARIABLES, "client": Guarded(), "my-var": 1, "n": 2.5, "big": 2**4000}
    return PlainScope(values, operations=20_000, text=20_000, items=2_000, bits=4096)


def survives(text: str, compile: Callable[[str], Callable[[PlainScope], Any]]) -> None:
    """Nothing but an error of ours with a place inside the text comes of it."""
    refused: ExpressionSyntaxError | None = None
    failed: EvaluationError | None = None
    try:
        compile(text)(scope())
    except ExpressionSyntaxError as exc:
        refused = exc
    except EvaluationError as exc:
        failed = exc
    if refused is not None:
        assert 0 <= refused.offset <= len(text)
        assert refused.length >= 1
    if failed is not None:
        assert failed.location is not None
        assert failed.offset is not None
        assert 0 <= failed.offset <= len(text)


pieces = st.one_of(
    st.sampled_from(sorted(function_names())).map(lambda name: name + "("),
    st.sampled_from(
        [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "?",
            "??",
            "?.",
            ".",
            "..",
            "...",
            "=>",
            "=",
            "==",
            "!=",
            "===",
            "<",
            "<=",
            ">",
            ">=",
            "+",
            "-",
            "*",
            "/",
            "%",
            "!",
            "&&",
            "||",
            "&",
            "|",
            ";",
            "@",
            "#",
            "\\",
            "'",
            '"',
            "`",
            "{{",
            "}}",
            "\\{{",
            "a",
            "b",
            "c",
            "xs",
            "o",
            "client",
            "my-var",
            "n",
            "big",
            "x",
            "y",
            "$item",
            "$x",
            "in",
            "IN",
            "not",
            "and",
            "or",
            "typeof",
            "true",
            "null",
            "undefined",
            "eq",
            "le",
            "JSON.parse(",
            ".map(",
            ".filter(",
            ".reduce(",
            ".join(",
            ".length",
            ".k",
            ".__class__",
            ".constructor",
            "['__dict__']",
            "x=>",
            "(x,y)=>",
            "(a)=>({",
            "1",
            "0",
            "2.5",
            "1e9",
            "1e308",
            "0x1f",
            ".5",
            "010",
            "1e999",
            "'a'",
            '"b"',
            "'7'",
            "''",
            "'x",
            "y'",
            "'\\u12'",
            "'(a'",
            "'['",
            "99999999999999999999",
        ]
    ),
    st.text(max_size=3),
)
sources = st.lists(pieces, max_size=14).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda space: space.join(parts))
)


@fuzz
@given(sources)
def test_random_text_is_refused_with_a_place_or_evaluated(text: str) -> None:
    survives(text, lambda source: read(source, "my-var").compile(lambda name: name == "fetch"))


@fuzz
@given(st.text(max_size=40))
def test_random_characters_are_refused_with_a_place_or_evaluated(text: str) -> None:
    survives(text, lambda source: read(source).compile(lambda _: False))


@fuzz
@given(
    st.lists(
        st.one_of(sources, st.just("{{"), st.just("}}"), st.just('{"a": "'), st.just('"}')),
        max_size=6,
    )
)
def test_random_templates_are_refused_with_a_place_or_rendered(parts: list[str]) -> None:
    for render in ("text", "json", "auto"):

        def compile(source: str, how: str = render) -> Callable[[PlainScope], Any]:
            template = parse_template(text_of(source)).compile(lambda _: False)
            return template.text if how == "text" else lambda s: template.json(s, how == "auto")

        survives("".join(parts), compile)


arguments = st.sampled_from(
    [
        "null",
        "''",
        "'abc'",
        "'7'",
        "'2024-02-29'",
        "0",
        "1",
        "-1",
        "2.5",
        "1e9",
        "1e308",
        "true",
        "[]",
        "[1,2]",
        "['a',null,[1]]",
        "{}",
        "{a:{b:1}}",
        "x=>x",
        "(x,y)=>x-y",
        "client",
        "big",
        "range(3)",
        "now()",
        "'a.b'",
        "'[a'",
        "'yyyy'",
        "'day'",
        "'desc'",
        "base64_decode('/w')",
    ]
)


@fuzz
@given(st.sampled_from(sorted(function_names())), st.lists(arguments, max_size=4))
def test_every_function_survives_every_argument(name: str, given_: list[str]) -> None:
    survives(f"{name}({', '.join(given_)})", lambda source: read(source).compile(lambda _: False))


def same(left: Any, right: Any) -> bool:
    if isinstance(left, (list, dict, bool)) or left is None:
        if type(left) is not type(right):
            return False
        if isinstance(left, list):
            return len(left) == len(right) and all(map(same, left, right))  # type: ignore[arg-type]
        if isinstance(left, dict):
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)  # type: ignore[index]
    return bool(left == right) and isinstance(left, str) == isinstance(right, str)


@fuzz
@given(trees)
def test_random_trees_are_worth_what_the_model_says(tree: Tree) -> None:
    text = write(tree)
    compiled = read(text).compile(lambda _: False)
    try:
        expected = worth(tree)
    except NotImplementedError:
        assume(False)
    except Wrong:
        with pytest.raises(EvaluationError) as caught:
            compiled(scope())
        assert caught.value.offset is not None
        assert 0 <= caught.value.offset < len(text)
        return
    assert same(compiled(scope()), expected), text
