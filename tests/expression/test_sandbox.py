"""Owns that nothing of Python can be reached from an expression."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from flowscript_trio.expression import ExpressionSyntaxError
from flowscript_trio.types.errors import EvaluationError

from expressing import PlainScope, evaluate, read, render


class Client:
    """An object of the application."""

    secret = "s3cret"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the attribute {name} was read")

    def __getitem__(self, key: object) -> Any:
        raise AssertionError("an item was read")


OBJECTS: dict[str, Any] = {
    "client": Client(),
    "space": SimpleNamespace(a=1),
    "text": "abc",
    "xs": [1],
    "o": {"a": 1},
    "n": 1,
    "f": 1.5,
    "when": datetime.now(UTC),
    "price": Decimal(1),
    "data": b"ab",
    "call": print,
    "kind": dict,
    "lazy": (x for x in ()),
    "numbers": range(3),
    "module": time,
}
ATTRIBUTES = [
    "__class__",
    "__dict__",
    "__init__",
    "__globals__",
    "__subclasses__",
    "__mro__",
    "__doc__",
    "__module__",
    "constructor",
    "prototype",
    "__proto__",
    "secret",
    "a",
    "format",
    "upper",
    "append",
    "items",
    "year",
    "real",
    "imag",
    "gi_frame",
    "f_globals",
    "func_globals",
    "count",
]


@pytest.mark.parametrize("name", OBJECTS)
def test_no_attribute_of_an_object_is_reachable(name: str) -> None:
    for attribute in ATTRIBUTES:
        if (name, attribute) == ("o", "a"):
            continue
        for text in (
            f"{name}.{attribute}",
            f"{name}['{attribute}']",
            f"get({name}, '{attribute}')",
            f"get({name}, ['{attribute}'])",
        ):
            assert evaluate(text, **OBJECTS) is None, text
        for text in (f"has({name}, '{attribute}')",):
            assert evaluate(text, **OBJECTS) is False, text
        assert evaluate(f"map([{name}], '{attribute}')", **OBJECTS) == [None]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "eval('1')",
        "open('x')",
        "getattr(xs, 'a')",
        "constructor('x')()",
        "Function('x')",
        "globals()",
        "print(1)",
        "this.x()",
    ],
)
def test_no_builtin_can_be_called(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError):
        evaluate(text)


@pytest.mark.parametrize(
    "text",
    [
        "text.format(1)",
        "xs.append(1)",
        "xs.constructor('x')",
        "o.keys()",
        "client.close()",
        "f.hex()",
        "o.toString()",
        "xs.push(1)",
    ],
)
def test_no_other_method_can_be_called(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError, match="values have no method"):
        read(text)


def test_texts_are_never_formats_or_templates() -> None:
    assert evaluate("'{0.__class__}' + '%s'") == "{0.__class__}%s"
    assert evaluate("replace('a', 'a', '{0.__class__}')") == "{0.__class__}"
    assert evaluate("regex_replace('a', 'a', '\\\\g<0>$5')") == "\\g<0>$5"
    assert evaluate("format_date('2024-01-01', '%Y')") == "%2024"
    assert render("{{x}}", x="{{1 + 1}}") == "{{1 + 1}}"
    assert render("-{{x}}", x="{{1 + 1}}") == "-{{1 + 1}}"


def test_objects_of_the_application_pass_through_as_they_are() -> None:
    for text in (
        "client",
        "[client][0]",
        "{a: client}.a",
        "client ?? 1",
        "first([client])",
        "map([client], x => x)[0]",
        "clone(client)",
    ):
        assert evaluate(text, **OBJECTS) is OBJECTS["client"]
    assert evaluate("typeof client == 'object' && !is_object(client)", **OBJECTS) is True
    assert evaluate("when == when && when <= when", **OBJECTS) is True
    for text in (
        "client + 1",
        "client < client",
        "client < 1",
        "sum([client])",
        "json_encode(client)",
        "keys(client)",
    ):
        with pytest.raises(EvaluationError):
            evaluate(text, **OBJECTS)


def test_what_an_object_refuses_is_an_error_with_a_place() -> None:
    scope = PlainScope({"odd": Decimal("sNaN")})
    for text in (
        "odd + 1",
        "odd < 1",
        "1 / odd",
        "round(odd)",
    ):
        with pytest.raises(EvaluationError) as caught:
            evaluate(text, scope)
        assert caught.value.location is not None
