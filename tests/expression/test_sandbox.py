"""Owns that nothing of Python can be reached from an expression."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

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
    assert evaluate("format_date('2024-01-01', '%.yyyy{0}')") == "%.2024{0}"
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


class Failure(Exception):
    """An error that carries what nobody is to read."""

    secret = "s3cret"


REFUSED = "refused"
ATTEMPTS: list[tuple[str, Any]] = [
    # identifiers that Python would read as others: NFKC makes `eval`, `filter` and `__class__` of these
    ("ｅｖａｌ('1')", REFUSED),
    ("ﬁlter(xs, x => x)", REFUSED),
    ("𝒆val('1')", REFUSED),
    ("xs.__ｃlass__", None),
    ("map(xs, ｔype => ｔype + 1)", REFUSED),
    ("map(xs, __ｃlass__ => __ｃlass__ + 1)", [2]),
    # words and names of Python, and those of the code that is made, as names of a document
    ("map(xs, lambda => lambda)", [1]),
    ("map(xs, None => None + 1)", [2]),
    ("map(xs, __builtins__ => __builtins__)", [1]),
    ("map(xs, (services, scope) => services + scope)", [1]),
    ("map(xs, t1 => map(xs, s2 => t1 + s2))", [[2]]),
    ("map(xs, value => map([f => f + value], f1 => f1))[0].length", 1),
    ("services", None),
    ("missing", None),
    ("__builtins__", None),
    ("{None: 1, True: 2, services: 3}", {"None": 1, "True": 2, "services": 3}),
    # functions, ours and Python's, as values
    ("(x => x).__code__", None),
    ("[x => x][0].__globals__", None),
    ("[x => x][0]._run", None),
    ("JSON.parse.__globals__", None),
    ("xs.map", None),
    ("text.upper", None),
    ("map(xs, call)", REFUSED),
    ("sort(xs, kind)", REFUSED),
    ("xs.map(call)", REFUSED),
    ("reduce(xs, call, 0)", REFUSED),
    # what formats and patterns of other languages would do
    ("text % xs", REFUSED),
    ("'{0.__class__.__mro__}' + '%(a)s'", "{0.__class__.__mro__}%(a)s"),
    ("format_date('2024-01-01', \"'{0.__class__}'\")", "{0.__class__}"),
    ("regex_replace('a', '(?P<n>a)', '\\\\g<n>')", "\\g<n>"),
    ("parse_date('x', '(?P<a>x)')", REFUSED),
    # attributes of errors, elements, moments, identifiers and decimals, by name and by a made name
    ("failure.secret", None),
    ("failure['sec' + 'ret']", None),
    ("get(failure, ['args'])", None),
    ("failure.__traceback__", None),
    ("map([failure], 'secret')", [None]),
    ("sort([failure], 'secret').length", 1),
    ("element.attrib", None),
    ("element.text", None),
    ("identifier.bytes", None),
    ("when.tzinfo", None),
    ("price.real", None),
    ("set(failure, 'secret', 1)", REFUSED),
    ("set({}, '__class__.__init__', 1)", {"__class__": {"__init__": 1}}),
    ("keys(space)", REFUSED),
    ("{...space}", REFUSED),
    ("[...lazy]", REFUSED),
    ("csv_encode([space])", REFUSED),
    # names of generated code and of Python's frames and modules, as they stand
    ("[t1, s1, f1, run, scope, value, made, part, acc, enumerate, member, listed, key_text, ready]", [None] * 14),
    ("[__name__, __file__, __loader__, __spec__, __debug__, __annotations__, __class__]", [None] * 7),
    ("[this, globalThis, process, arguments, eval, Function, Object, Math, JSON]", [None] * 9),
    ("[$services, $scope, $__class__, $t1, $]", [None] * 5),
    # as parameters, beside calls, loops and types that are written with names like these
    ("map(xs, len => len + length(xs))", [2]),
    ("map(xs, type => typeof type)", ["number"]),
    ("map(xs, enumerate => map(xs, listed => enumerate * listed))", [[1]]),
    ("map(xs, x => map(xs, f3 => [y => y + f3][0] ? f3 : x))", [[1]]),
    ("filter(xs, truthy => truthy > 0)", [1]),
    ("sort([1, 2], (int, float) => float - int)", [2, 1]),
    ("map(xs, __debug__ => __debug__)", [1]),
    ("map(xs, (made, part) => [made, part])", [[1, 0]]),
    ("map(xs, class => map(xs, global => class + global))", [[2]]),
    ("map(xs, $secrets => $secrets)", [1]),
    ("map(xs, __class__ => [x => __class__][0]).length", 1),
    # keys and members
    ("{__class__: 1, __dict__: 2}.__class__", 1),
    ("{...{__init__: 1}}.__init__", 1),
    ("{__proto__: o}.a", None),
    ("{['__proto__']: o}.a", None),
    ("o.constructor.prototype", None),
    ("JSON.constructor", None),
    # letters that are others after normalization, and those that are not letters
    ("map(xs, ｘ => ｘ)", REFUSED),
    ("map(xs, ª => ª)", REFUSED),
    ("map(xs, ſcope => ſcope)", REFUSED),
    ("_＿class_＿", REFUSED),
    ("{ｓervices: 1}", REFUSED),
    ("space.ſecret", REFUSED),
    ("space['ſecret']", None),
    ("xs\u200b.length", REFUSED),
    # other languages' ways of naming, binding, commenting and calling
    ("(x := 1)", REFUSED),
    ("lambda: 1", REFUSED),
    ("[x for x in xs]", REFUSED),
    ("f'{xs}'", REFUSED),
    ("`${xs}`", REFUSED),
    ("xs # comment", REFUSED),
    ("/* comment */ xs", REFUSED),
    ("xs; o", REFUSED),
    ("o.a = 1", REFUSED),
    ("(x => x)(1)", REFUSED),
    ("xs['map'](x => x)", REFUSED),
    ("JSON['parse']('1')", REFUSED),
    ("xs.constructor.constructor('x')()", REFUSED),
    ("new Function('x')", REFUSED),
    ("x => { return x }", REFUSED),
    # constants stay what they are
    ("'\\u007b\\u007b1\\u007d\\u007d'", "{{1}}"),
    ("'\\N{BULLET}\\101'", "N{BULLET}101"),
    # what can be reached of a module, a class and a function of the application
    ("get(module, 'sleep')", None),
    ("has(module, 'sleep')", False),
    ("merge({}, module)", REFUSED),
    ("pick(module, ['sleep'])", REFUSED),
    ("from_entries(module)", REFUSED),
    ("'sleep' in module", REFUSED),
    ("group_by([client], 'secret').null.length", 1),
    ("get(call, '__self__')", None),
    ("[o[client], xs[call], [client][client]]", [None, None, None]),
    # an object that makes what is asked for is not made to
    ("filling.new", None),
    ("get(filling, 'new')", None),
    ("keys(filling)", []),
]  # fmt: skip


def test_the_type_that_an_object_pretends_to_is_all_that_is_asked_of_it() -> None:
    read: list[str] = []

    class Watched:
        secret = "s3cret"

        def __getattribute__(self, name: str) -> Any:
            read.append(name)
            return Watched if name == "__class__" else object.__getattribute__(self, name)

    values = {**OBJECTS, "thing": Watched()}
    for text in (
        "thing.secret",
        "thing['secret']",
        "get(thing, 'secret')",
        "map([thing], 'secret')",
        "sort([thing, thing], 'secret')",
        "thing ? 1 : 2",
        "typeof thing",
        "[thing] == [thing, thing]",
        "is_empty(thing)",
        "keys(thing)",
        "json_encode(thing)",
        "thing + 1",
        "thing < 1",
        "csv_encode([thing])",
        "flatten([[thing]])",
        "map([1], thing)",
        "{...thing}",
        "[...thing]",
    ):
        with contextlib.suppress(EvaluationError):
            evaluate(text, **values)
    assert set(read) <= {"__class__"}


@pytest.mark.parametrize(("text", "expected"), ATTEMPTS, ids=[text for text, _ in ATTEMPTS])
def test_an_attempt_to_escape_finds_nothing(text: str, expected: Any) -> None:
    values = {
        **OBJECTS,
        "failure": Failure("boom"),
        "element": etree.fromstring("<a b='c'>text</a>"),
        "identifier": UUID(int=1),
        "filling": defaultdict(list),
    }
    if expected is not REFUSED:
        assert evaluate(text, **values) == expected
        return
    with pytest.raises((ExpressionSyntaxError, EvaluationError)):
        evaluate(text, **values)
