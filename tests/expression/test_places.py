"""Owns the places of errors: of syntax, of evaluation, and in the document that an expression stands in."""

from __future__ import annotations

from typing import Any

import pytest

from flowscript_trio.expression import ExpressionSyntaxError, parse_expression, parse_template
from flowscript_trio.types.errors import EvaluationError
from flowscript_trio.types.location import Source, Text

from expressing import PlainScope, evaluate, read, text_of

# The mark ⟦ stands before the character that the error points at; it is no part of the expression.
SYNTAX: list[tuple[str, str, str | None]] = [
    ("a ⟦= b", "'=' has no meaning here", None),
    ("a ⟦& b", "'&' has no meaning here", None),
    ("a + ⟦* b", "'*' is not expected here", "a value"),
    ("2 *⟦* 3", "'*' is not expected here", "a value"),
    ("a ⟦b", "'b' is not expected here", "an operator or the end"),
    ("a ⟦not", "'not' is not expected here", "an operator or the end"),
    ("(a + b⟦", "ends too early", "')'"),
    ("[1, 2⟦", "ends too early", "',' or ']'"),
    ("[1 ⟦2]", "'2' is not expected here", "',' or ']'"),
    ("f(1 ⟦2)", "'2' is not expected here", "',' or ')'"),
    ("{a: 1 ⟦b: 2}", "'b' is not expected here", "',' or '}'"),
    ("{1 ⟦+ 2}", "'+' is not expected here", "':'"),
    ("{true⟦}", "'}' is not expected here", "':'"),
    ("{⟦+: 1}", "'+' is not expected here", "a key, or '}'"),
    ("a⟦.1", "'.1' is not expected here", "an operator or the end"),
    ("a.⟦[0]", "'[' is not expected here", "the name of a member"),
    ("a.⟦'b'", "is not expected here", "the name of a member"),
    ("a ? b⟦", "ends too early", "':'"),
    ("'abc' + ⟦'def", "the text has no end", "a closing '"),
    ("1 + ⟦12ab", "'12a' is not a number", "a number"),
    ("⟦010", "'010' is not a number", "a number without a leading 0"),
    (r"'ab⟦\u12'", r"\u needs hexadecimal digits", None),
    (r"'⟦\u{110000}'", "is not a valid escape", None),
    (
        "x => ⟦{a: 1}",
        "the body of an arrow function is an expression",
        "an object in parentheses: ({…})",
    ),
    ("(x, ⟦x) => 1", "two parameters are called 'x'", None),
    (
        f"({', '.join(f'p{at}' for at in range(64))}, ⟦x) => 1",
        "an arrow function has at most 64 parameters",
        None,
    ),
    ("(⟦true) => 1", "'true' is not expected here", "the name of a parameter"),
    ("a.⟦pop()", "values have no method 'pop'", None),
    ("xs.⟦mapp(x => x)", "values have no method 'mapp'", None),
    ("f(1)⟦(2)", "only functions and methods that have a name can be called", None),
    ("(x => x)⟦(1)", "only functions and methods that have a name can be called", None),
    ("f => f⟦(1)", "that have a name can be called", None),
    ("JSON.stringify(a, ⟦x => x)", "takes no replacer", "null"),
    ("a ⟦# b", "'#' has no meaning here", None),
    ("a⟦; b", "';' has no meaning here", None),
    ("a ⟦`b`", "has no meaning here", None),
    ("a+⟦+", "ends too early", "a value"),
    ("new ⟦Date()", "'Date' is not expected here", None),
    ("{{ a ⟦}} + {{ b }}", "'}' is not expected here", None),
    ("⟦", "ends too early", "a value"),
]


@pytest.mark.parametrize(("marked", "message", "expected"), SYNTAX, ids=[row[0] for row in SYNTAX])
def test_a_mistake_of_syntax_has_its_place(marked: str, message: str, expected: str | None) -> None:
    text = marked.replace("⟦", "")
    with pytest.raises(ExpressionSyntaxError) as caught:
        read(text)
    error = caught.value
    assert message in error.message
    assert 0 <= error.offset <= len(text)
    assert error.length >= 1
    assert error.offset == min(marked.index("⟦"), max(len(text) - 1, 0))
    if expected is not None:
        assert error.expected == expected


def test_the_nearest_method_and_operator_are_suggested() -> None:
    for text, suggestion in [
        ("xs.mapp(x => x)", "map"),
        ("a = b", "=="),
        ("a & b", "&&"),
        ("a | b", "||"),
    ]:
        with pytest.raises(ExpressionSyntaxError) as caught:
            read(text)
        assert caught.value.suggestion == suggestion


EVALUATION: list[tuple[str, str]] = [
    ("1 + ⟦user.age", "user.age is null; expected a number"),
    ("⟦nothing * 2", "nothing is null; expected a number"),
    ("1 + 2 + ⟦user['x y']", "user['x y'] is null; expected a number"),
    ("1 + ⟦null", "the right operand is null"),
    ("⟦word - 1", "word is text of 3 characters; expected a number"),
    ("2 * -⟦word", "word is text of 3 characters; expected a number"),
    ("+⟦xs", "xs is an array; expected a number"),
    ("1 / ⟦zero", "zero is 0: division by zero"),
    ("1 % ⟦0", "division by zero"),
    ("xs ⟦< 1", "an array and a number have no order"),
    ("1 in ⟦5", "is a number; expected a list, text or an object"),
    ("[1, ...⟦5]", "a number cannot be spread here; expected a list"),
    ("{...⟦word}", "text of 3 characters cannot be spread here; expected an object"),
    ("1 + ⟦add('x', 1)", "add(): the argument is text of 1 character"),
    ("xs.map(x => 1 + ⟦x.y)", "x.y is null; expected a number"),
    ("xs.⟦join(x => x)", "join(): an arrow function cannot be made into text"),
    ("'' + ⟦upper(1, 2)", "upper() does not take 2 arguments"),
    ("xs.⟦filter(5)", "filter(): expected an arrow function, not a number"),
    ("⟦first() + 1", "the left operand is null"),
    ("⟦pow(2, 5000)", "pow(): the integer is larger than 4,096 bits"),
    ("big ⟦* big", "the integer is larger than 4,096 bits"),
    ("big ⟦* 1.5", "the result is too large"),
    ("{{  1 + ⟦word.x }}", "word.x is null"),
]
SEEN: dict[str, Any] = {
    "user": {},
    "nothing": None,
    "word": "abc",
    "xs": [1],
    "zero": 0,
    "big": 2**4000,
}


@pytest.mark.parametrize(("marked", "message"), EVALUATION, ids=[row[0] for row in EVALUATION])
def test_an_error_of_evaluation_has_its_place(marked: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(marked.replace("⟦", ""), **SEEN)
    assert message in str(caught.value)
    assert caught.value.offset == marked.index("⟦")
    assert caught.value.location is not None
    assert caught.value.location.column == marked.index("⟦") + 1
    assert len(caught.value.__notes__) == 1


def test_a_place_goes_through_the_marks_of_the_document() -> None:
    source = Source("doc.xml", 'x\n<if condition="a &lt; b + c"/>')
    start = source.text.index("a &lt;")
    text = Text("a < b + c", source, ((0, start), (2, start + 2), (3, start + 6)))
    compiled = parse_expression(text).compile(lambda _: False)
    with pytest.raises(EvaluationError) as caught:
        compiled(PlainScope({"a": 1, "b": 2}))
    assert str(caught.value.location) == f"doc.xml:2:{start - 2 + 6 + 6 + 1 - 1}"
    assert source.text[source.text.index("\n") + caught.value.location.column] == "c"


TEMPLATES: list[tuple[str, str]] = [
    ("Hello {{ ⟦* }}", "is not expected here"),
    ("{{ a }} {{ (b ⟦}} c", "ends too early"),
    ("a ⟦{{ b", "the interpolation has no end"),
    ("{{⟦}}", "ends too early"),
    ("x {{ ⟦'a }} y", "the text has no end"),
    ("{{ a ⟦} }}", "'}' is not expected here"),
    ("{{ a }} {{ b.⟦pop() }}", "no method 'pop'"),
]


@pytest.mark.parametrize(("marked", "message"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_a_mistake_in_a_template_has_its_place(marked: str, message: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_template(text_of(marked.replace("⟦", "")))
    assert message in caught.value.message
    assert caught.value.offset == marked.index("⟦")


RENDERINGS: list[tuple[str, str, str]] = [
    ("a {{ a }} {{ 1 + ⟦nothing }}", "text", "nothing is null"),
    ("a {{ ⟦[x => x] }}", "text", "$[0] is an arrow function"),
    ("a {{ ⟦[infinite] }}", "text", "$[0] is Infinity"),
    ('{"a": {{ ⟦infinite }}}', "json", "$ is Infinity, which JSON cannot write"),
    ('{"a": {{ a }} ⟦"b": 1}', "json", "Expecting ',' delimiter"),
    ("[\\{⟦{]", "json", "Expecting property name"),
    ("[1 ⟦{{ a }}]", "json", "Expecting ',' delimiter"),
    ("⟦nope", "json", "Expecting value"),
]


@pytest.mark.parametrize(
    ("marked", "format", "message"), RENDERINGS, ids=[row[0] for row in RENDERINGS]
)
def test_an_error_of_rendering_has_its_place(marked: str, format: str, message: str) -> None:
    scope = PlainScope({"a": 1, "nothing": None, "infinite": float("inf")})
    template = parse_template(text_of(marked.replace("⟦", ""))).compile(lambda _: False)
    with pytest.raises(EvaluationError) as caught:
        template.text(scope) if format == "text" else template.json(scope, False)
    assert message in str(caught.value)
    assert caught.value.location is not None
    assert caught.value.offset == marked.index("⟦")
