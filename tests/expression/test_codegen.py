"""Owns tests of generated code: what it is made of, and that its bounds are those of expressions."""

from __future__ import annotations

import ast
from collections.abc import Set
from pathlib import Path
from time import thread_time
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from flowscript_trio.expression import codegen, parse_template
from flowscript_trio.expression.codegen import SUPPORT, Way, function, module_of
from flowscript_trio.expression.codegen.function import WRITERS
from flowscript_trio.expression.syntax import Tree as AnyTree
from flowscript_trio.types.errors import LimitExceeded

from expressing import PlainScope, evaluate, read, text_of
from modelling import Tree, trees, write

ALLOWED = {
    "Add", "And", "Assign", "Attribute", "BinOp", "BoolOp", "Break", "Call", "Compare", "Constant", "Continue",
    "Dict", "Div", "Eq", "Expr", "For", "FunctionDef", "Gt", "GtE", "If", "IfExp", "In", "Is", "IsNot", "List",
    "Load", "Lt", "LtE", "Mod", "Module", "Mult", "Name", "Not", "NotEq", "Or", "Pass", "Return", "Starred",
    "Store", "Sub", "Subscript", "Tuple", "UAdd", "USub", "UnaryOp", "arg", "arguments",
}  # fmt: skip
EXPRESSIONS = (
    "__import__.__class__.__globals__['x'] + type.mro + scope.services",
    "xs.map(__class__ => __class__.__dict__ + services)",
    "map(xs, (value, scope) => filter(value, run => run in ['a'] && scope != run || !run))",
    "reduce(xs, (t1, s2) => t1 * -s2 / 2 % 3 - s2, 1) >= some(xs, x => x) ? [...xs, 1] : {...o, a: 1, [k]: +k}",
    "sort(xs, (a, b) => find(xs, x => x == a + b ?? every(xs, t => typeof t === 'x')).length)",
    "concat(...xs, [1]) <= x.join(...xs) > upper(name) < round(n, 2) eq count(xs, (x, i, all, no) => no)",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_generated_code_is_made_of_few_kinds_and_names_of_ours(text: str) -> None:
    check(module_of(read(text).tree, lambda name: name == "n"))


def check(module: ast.Module, allowed: Set[str] = ALLOWED, words: Set[str] = frozenset()) -> None:
    """Only kinds that are allowed, and names of ours."""
    for node in ast.walk(module):
        assert type(node).__name__ in allowed
        if isinstance(node, ast.Attribute):
            assert node.attr in {"append", "roomy", "services", "spent", "value"}
        if isinstance(node, (ast.Name, ast.arg)):
            word = node.id if isinstance(node, ast.Name) else node.arg
            ours = word[0] in "tsf" and word[1:].isdigit()
            assert ours or word in SUPPORT or word in {"scope", "services", "value", *words}


@settings(max_examples=100, deadline=None)
@given(trees)
def test_generated_code_of_random_trees_is_made_of_few_kinds(tree: Tree) -> None:
    check(module_of(read(write(tree)).tree, lambda _: False))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[ast.Module]:
    """The code that is compiled from now on."""
    seen: list[ast.Module] = []

    def look(module: ast.Module, *rest: Any) -> Any:
        seen.append(module)
        return compile(module, *rest)

    monkeypatch.setattr(function, "compile", look, raising=False)
    return seen


TEMPLATES = (
    "{{__class__}} {{scope.services}} {{value['__globals__']}}",
    "{{a}}{{a}}: {{upper(map(xs, run => run.type))}} {{typeof services}}",
    "{{type}}{{len.str}} {{not a}}",
    "{{type}}{{a}}",
)


@pytest.mark.parametrize("text", TEMPLATES)
def test_code_of_templates_is_made_of_few_kinds_and_names_of_ours(
    text: str, compiled: list[ast.Module], evaluation: str
) -> None:
    template = parse_template(text_of(text)).compile(lambda _: False)
    scope = PlainScope({"a": "x", "xs": [{"type": "t"}], "type": 3, "__class__": "c", "len": {}})
    for _ in range(3):
        template.text(scope)
    assert bool(compiled) is (evaluation == "functions")
    for module in compiled:
        check(module, ALLOWED | {"FormattedValue", "JoinedStr"})


@pytest.mark.parametrize(
    "text", ["(made, part) => made + part.__class__ * item", "[run, part, services, value, made]"]
)
@pytest.mark.parametrize("way", ["map", "filter", "reduce"])
def test_code_of_list_transforms_is_made_of_few_kinds_and_names_of_ours(
    text: str, way: Way, compiled: list[ast.Module]
) -> None:
    assert codegen.generate_run(read(text).tree, lambda _: False, way) is not None
    [module] = compiled
    check(module, words={*codegen.ITEM_NAMES, "made", "part"})


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("{...item, total: item.price * item.qty}", 1),
        ("item.a + item.b + item.c", 1),
        ("item.a ? item.b : item.c", 1),
        ("item.x && item.a || item.b", 1),
        ("xs.a ? item.b : item.c", 2),  # one side is not known on the other
    ],
)
def test_the_type_of_an_item_is_asked_for_once_where_it_is_known(
    text: str, times: int, compiled: list[ast.Module]
) -> None:
    codegen.generate_run(read(text).tree, lambda _: False, "map") or codegen.generate_item(
        read(text).tree, lambda _: False, False
    )
    code = ast.unparse(compiled[-1])
    assert code.count("type(item)") == times


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("text", EXPRESSIONS)
def test_code_over_one_item_is_made_of_few_kinds_and_names_of_ours(
    text: str, fold: bool, compiled: list[ast.Module]
) -> None:
    assert codegen.generate_item(read(text).tree, lambda _: False, fold) is not None
    [module] = compiled
    check(module, words=set(codegen.ITEM_NAMES))


def test_all_code_is_compiled_and_run_in_the_one_place_where_these_tests_look() -> None:
    package = Path(codegen.__file__).parent
    found = [
        (path.name, node.id)
        for path in package.glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id in {"compile", "eval", "exec"}
    ]
    assert sorted(found) == [("function.py", "compile"), ("function.py", "exec")]


def test_every_kind_of_tree_has_a_writer() -> None:
    assert set(WRITERS) == set(get_args(AnyTree))


def test_generated_code_sees_no_builtin() -> None:
    assert SUPPORT["__builtins__"] == {}


def test_an_evaluation_ends_when_its_processor_time_is_spent() -> None:
    scope = PlainScope({"n": 3_000_000}, operations=10**12, seconds=0.05)
    began = thread_time()
    with pytest.raises(LimitExceeded, match="processor time"):
        evaluate("count(range(n), i => count(range(n), j => j > i))", scope)
    assert thread_time() - began < 2


def test_numbers_made_to_collide_are_told_apart_quickly() -> None:
    def least(factor: int) -> float:
        """The processor time of the quickest of three: collections of garbage come in between."""
        took = []
        for _ in range(3):
            began = thread_time()
            assert evaluate(f"length(unique(map(range(5000), i => i * {factor})))") == 5_000
            took.append(thread_time() - began)
        return min(took)

    assert least(2305843009213693951) < 20 * least(1)  # it was a hundred times as much


def test_a_long_text_of_digits_is_seen_to_be_no_number_quickly() -> None:
    began = thread_time()
    assert evaluate("t < 1", t="1" * 200_000 + "x") is False
    assert thread_time() - began < 1
