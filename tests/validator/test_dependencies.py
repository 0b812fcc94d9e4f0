"""Owns the tests of what a node of a graph body waits for, and of what it does not."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import pytest

from flowscript_trio.validator import check

from checking import build_registry, check_text, read, waits_of

INPUT_A, INPUT_Z = 'input="a"', 'input="z"'
S = '<source:stub id="{}" {}/>'


def node(id: str, settings: str = "") -> str:
    return S.format(id, settings)


CASES = [
    ("nothing", node("a") + node("b"), {"a": [], "b": []}),
    ("its input", node("a") + node("b", 'input="a"'), {"a": [], "b": ["a"]}),
    ("a later node", node("b", 'input="a"') + node("a"), {"a": [], "b": ["a"]}),
    ("several inputs", node("a") + node("b") + node("c", 'input="a, b"'), {"a": [], "b": [], "c": ["a", "b"]}),
    ("an input's path", node("a") + node("b", 'input="a.output.items"'), {"a": [], "b": ["a"]}),
    ("after", node("a") + node("b", 'after="a"'), {"a": [], "b": ["a"]}),
    ("a template", node("a") + node("b", 'url="x{{a.b}}y"'), {"a": [], "b": ["a"]}),
    ("a condition", node("a") + node("b", 'if="a &gt; 1"'), {"a": [], "b": ["a"]}),
    ("its timeout", node("a") + node("b", 'timeout="{{a}}s"'), {"a": [], "b": ["a"]}),
    ("a structure", node("a") + '<source:stub id="b"><headers>{X: "{{a}}"}</headers></source:stub>', {"a": [], "b": ["a"]}),
    ("a name with hyphens", node("a-b") + node("c", 'url="{{a-b[0]}}"'), {"a-b": [], "c": ["a-b"]}),
    ("each once", node("a") + node("b", 'input="a" after="a" url="{{a}}"'), {"a": [], "b": ["a"]}),
    ("no bound name", node("a") + node("b", 'url="{{map(a, x =&gt; x.y)}}"'), {"a": [], "b": ["a"]}),
    ("no member", node("a") + node("items") + node("b", 'url="{{a.items}}"'), {"a": [], "items": [], "b": ["a"]}),
    ("what a block's nodes name", node("a") + '<if id="i" condition="1"><then>' + node("b", "input='a'") + '</then></if>', {"a": [], "i": ["a"]}),
    ("nothing inside itself", '<if id="i" condition="1"><then>' + node("b") + '' + node("c", "input='b'") + '</then></if>', {"i": []}),
    ("a block for a node inside", '<if id="i" condition="1"><then>' + node("b") + '</then></if>' + node("c", 'input="b"'), {"i": [], "c": ["i"]}),
    ("a block's own setting", node("a") + '<foreach id="f" collection="a">' + node("b") + '</foreach>', {"a": [], "f": ["a"]}),
    ("a case's when", node("a") + '<branch id="s"><case when="a">' + node("b") + '</case></branch>', {"a": [], "s": ["a"]}),
    ("a retry's when", node("a") + '<source:stub id="b"><on-error><retry when="a and error.status == 500"/></on-error></source:stub>', {"a": [], "b": ["a"]}),
    ("an output field", node("a") + '<output id="o"><set field="x" value="{{a}}"/></output>', {"a": [], "o": ["a"]}),
    ("a compensation's names", node("a") + '<source:stub id="b"><compensate>' + node("c", "input='a'") + '</compensate></source:stub>', {"a": [], "b": ["a"]}),
    # barriers
    ("a phase", node("a") + '<phase name="p">' + node("b") + '</phase>' + node("c") + node("d"), {"a": [], "p": ["a"], "c": ["p"], "d": ["p"]}),
    ("two phases", '<phase name="p">' + node("b") + '</phase>' + node("a") + '<phase name="q">' + node("c") + '</phase>', {"p": [], "a": ["p"], "q": ["p", "a"]}),
    ("a checkpoint", node("a") + '<checkpoint id="k"/>' + node("c"), {"a": [], "k": ["a"], "c": ["k"]}),
    ("a phase by its name", '<phase name="p">' + node("b") + '</phase>' + node("c", 'input="p" after="p"'), {"p": [], "c": ["p"]}),
    # variables
    ("the last setter before it", '<set id="s" var="x" value="1"/><set id="t" var="x" value="2"/>' + node("a", 'url="{{x}}"'), {"s": [], "t": ["s"], "a": ["t"]}),
    ("earlier readers", '<set id="s" var="x" value="1"/>' + node("a", 'url="{{x}}"') + '<set id="t" var="x" value="2"/>', {"s": [], "a": ["s"], "t": ["s", "a"]}),
    ("its own old value", '<set id="s" var="x" value="1"/><set id="t" var="x" value="{{x + 1}}"/>', {"s": [], "t": ["s"]}),
    ("no other variable", '<set id="s" var="x" value="1"/><set id="t" var="y" value="2"/>' + node("a", 'url="{{x}}"'), {"s": [], "t": [], "a": ["s"]}),
    ("a context", '<context id="s"><set key="x" value="1"/></context>' + node("a", 'url="{{x}}"'), {"s": [], "a": ["s"]}),
    ("$context.x", '<set id="s" var="x" value="1"/><set id="t" var="y" value="1"/>' + node("a", 'url="{{$context.x}}"'), {"s": [], "t": [], "a": ["s"]}),
    ("bare $context", '<set id="s" var="x" value="1"/><set id="t" var="y" value="1"/>' + node("a", 'url="{{$context}}"') + '<set id="u" var="y" value="1"/>', {"s": [], "t": [], "a": ["s", "t"], "u": ["t", "a"]}),
    ("a setter inside a block", '<if id="i" condition="1"><then><set var="x" value="1"/></then></if>' + node("a", 'url="{{x}}"'), {"i": [], "a": ["i"]}),
    ("a reader inside a block", '<set id="s" var="x" value="1"/>' + '<foreach id="f" collection="[1]">' + node("a", "url='{{x}}'") + '</foreach>', {"s": [], "f": ["s"]}),
    ("no setter of a branch's own", '<set id="s" var="x" value="1"/><parallel id="p"><branch><set var="x" value="2"/></branch></parallel>' + node("a", 'url="{{x}}"'), {"s": [], "p": [], "a": ["s"]}),
    # handlers
    ("what its handler names", node("a") + '<source:stub id="b"><on-error><fallback node="h"/></on-error></source:stub>' + node("h", 'input="a"'), {"a": [], "b": ["a"], "h": []}),
    ("what the handler of a node inside names", node("a") + '<if id="i" condition="1"><then><source:stub id="b"><on-error><fallback node="h"/></on-error></source:stub></then></if>' + node("h", 'input="a"'), {"a": [], "i": ["a"], "h": []}),
    ("what a handler of a handler names", node("a") + '<source:stub id="b"><on-error><fallback node="h"/></on-error></source:stub>' + '<source:stub id="h"><on-error><fallback node="g"/></on-error></source:stub>' + node("g", 'input="a"'), {"a": [], "b": ["a"], "h": [], "g": []}),
    ("a handler that is named elsewhere too", '<source:stub id="b"><on-error><fallback node="h"/></on-error></source:stub>' + node("h") + node("c", 'input="h"'), {"b": [], "h": [], "c": ["h"]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_node_of_a_graph_waits_for_what_it_names_and_for_nothing_else(
    text: str, expected: dict[str, list[str]]
) -> None:
    assert waits_of(text) == expected


def test_the_body_of_a_phase_is_a_graph_of_its_own() -> None:
    text = node("z") + f"<phase name='p'>{node('b', INPUT_A)}{node('a', INPUT_Z)}</phase>"
    assert waits_of(text, "p") == {"b": ["a"], "a": []}
    assert waits_of(text) == {"z": [], "p": ["z"]}


def test_a_sequence_has_no_waits_and_no_plan() -> None:
    checked = check_text(f"<loop id='l'>{node('a')}{node('b', INPUT_A)}</loop>")
    body = checked.document.body.nodes[0].bodies[0]
    assert checked.bodies[body.key].waits == ()
    assert checked.bodies[body.key].plan is None


def test_the_result_of_a_body_is_its_last_node_handlers_passed_over() -> None:
    text = '<source:stub id="a"><on-error><fallback node="h"/></on-error></source:stub>' + node("h")
    checked = check_text(text)
    body = checked.bodies[checked.document.body.key]
    assert body.result == 0
    assert body.handlers == frozenset({1})
    assert body.plan is not None
    assert body.plan.waits == (0, -1)
    found = checked.nodes[checked.document.body.nodes[0].key]
    assert found.fallback is checked.document.body.nodes[1]


def test_the_names_inside_a_body_are_those_at_any_depth_in_document_order() -> None:
    text = (
        f'<phase name="p">{node("a")}<loop id="l">{node("b")}</loop></phase>'
        f'<parallel id="q"><branch>{node("c")}</branch></parallel>'
    )
    checked = check_text(text)
    root = checked.document.body
    assert checked.bodies[root.key].inner_ids == ("p", "a", "l", "b", "q", "c")
    assert checked.bodies[root.nodes[0].bodies[0].key].inner_ids == ("a", "l", "b")


@pytest.mark.slow
def test_a_chain_of_ten_thousand_nodes_is_checked_without_recursion() -> None:
    size = 10_000
    nodes = [node("n0")]
    nodes += [node(f"n{i}", f"input='n{i - 1}' url='x{{{{n{i - 1}}}}}'") for i in range(1, size)]
    document = read(f'<workflow name="w">{"".join(nodes)}</workflow>')
    checked = check(document, build_registry())
    assert checked.is_valid
    assert checked.bodies[document.body.key].waits[-1] == (size - 2,)
