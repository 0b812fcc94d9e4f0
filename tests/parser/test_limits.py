"""Limits that a workflow declares, and nodes that take them."""

from __future__ import annotations

import pytest

from flowscript_trio.parser import parse
from flowscript_trio.types.ast import Document
from flowscript_trio.types.limits import BreakerRule, Rate


def read(inside: str) -> tuple[Document, list[tuple[str, str, int]]]:
    """The document, and the codes, messages and columns of what is wrong with it."""
    found = parse(f'<workflow name="w">{inside}</workflow>', file="w.xml")
    assert found.document is not None
    return found.document, [(p.code, p.message, p.location.column) for p in found.problems]


def test_a_limit_is_declared_before_the_nodes() -> None:
    document, problems = read(
        '<limit name="github" max="5"/>'
        '<control:limit name="api.v2" rate="100/s" burst="20" breaker="5 in 1m, 30s"/>'
        '<limit name="own"/><set var="x" value="1"/>'
    )
    assert problems == []
    github, api, own = document.limits
    assert (github.name, github.max, github.rate, github.burst) == ("github", 5, None, 1)
    assert (api.name, api.max, api.rate, api.burst) == ("api.v2", None, Rate(100, 1), 20)
    assert api.breaker == BreakerRule(5, 60, 30)
    assert own.rules == ()
    assert github.location.column == 20


@pytest.mark.parametrize(
    ("limit", "code", "message", "at"),
    [
        ('<limit max="5"/>', "missing-name", "<limit> needs a name", "<limit"),
        ('<limit name="5a" max="5"/>', "invalid-limit", "a limit cannot be called '5a'", "5a"),
        ('<limit name="a b" max="5"/>', "invalid-limit", "a limit cannot be called 'a b'", "a b"),
        ('<limit name="a" max="0"/>', "invalid-limit", "0 cannot be the max of a limit", "0"),
        ('<limit name="a" max="many"/>', "invalid-limit", "'many' cannot be the max", "many"),
        ('<limit name="a" max="{{5}}"/>', "invalid-limit", "'{{5}}' cannot be the max", "{{5"),
        ('<limit name="a" rate="100"/>', "invalid-limit", "'100' is not a rate", "100"),
        ('<limit name="a" max="1" burst="2"/>', "invalid-limit", "burst goes only with", "2"),
        ('<limit name="a" breaker="5"/>', "invalid-limit", "'5' is not a circuit breaker", "5"),
        ('<limit name="a" maximum="5"/>', "unknown-attribute", "no attribute 'maximum'", "maximum"),
        ('<limit name="a" max="5">x</limit>', "stray-text", "text is not allowed", "x</"),
        (
            '<limit name="a" max="5"><x/></limit>',
            "unexpected-element",
            "<x> is not allowed",
            "<x/>",
        ),
    ],
)
def test_what_is_wrong_with_a_limit_is_reported_at_its_place(
    limit: str, code: str, message: str, at: str
) -> None:
    _, [(found, said, column)] = read(limit)
    assert found == code
    assert message in said
    assert column == len('<workflow name="w">') + limit.index(at) + 1


def test_two_limits_of_one_name_are_reported() -> None:
    _, [(code, message, _)] = read('<limit name="a" max="1"/><limit name="a" max="2"/>')
    assert (code, "the limit 'a' is declared twice" in message) == ("declared-twice", True)


def test_a_limit_behind_a_node_or_in_one_is_misplaced() -> None:
    _, [(code, _, _)] = read('<set var="x" value="1"/><limit name="a" max="1"/>')
    assert code == "misplaced-element"
    _, problems = read('<loop id="l" max="1"><limit name="a" max="1"/></loop>')
    assert [code for code, _, _ in problems] == ["misplaced-element"]


def test_nodes_and_blocks_name_limits_in_an_attribute_or_an_element() -> None:
    document, problems = read(
        '<source:file id="a" path="x" limit="g"/><source:file id="b" path="x"><limit>g</limit></source:file>'
        '<loop id="c" max="1" limit="g"/><loop id="d" max="1"><limit>g</limit></loop>'
        '<call id="e" workflow="x.xml" limit="g"/>'
    )
    assert problems == []
    assert [str(node.limit and node.limit.value) for node in document.body.nodes] == ["g"] * 5
    assert document.body.nodes[4].arguments == ()
