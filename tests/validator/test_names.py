"""Owns the tests of the rules of scope, each both ways: what may be named, and what may not."""
# ruff: noqa: E501  (each case of a table is one line)

from __future__ import annotations

import pytest

from checking import check_text


def node(id: str, settings: str = "", inside: str = "") -> str:
    return f'<source:stub id="{id}" {settings}>{inside}</source:stub>'


A = node("a")
USES_A = node("b", 'url="{{a}}"')
FALLBACK = '<on-error><fallback node="h"/></on-error>'

ALLOWED = [
    ("the input of the run", node("a", 'url="{{input.x}}{{$input.x}}"')),
    ("the $ names that always have a value", node("a", 'url="{{$config.x}}{{$secrets}}{{$env.Y}}{{$context}}{{$run.id}}"')),
    ("an earlier node of a sequence", f'<if id="i" condition="1"><then>{A}{USES_A}</then></if>'),
    ("a node outside of the block", A + f'<if id="i" condition="1"><then>{USES_A}</then></if>'),
    ("a node of a finished block", f'<foreach id="f" collection="[1]">{A}</foreach>{USES_A}'),
    ("a node of a finished parallel", f'<parallel id="p"><branch>{A}</branch></parallel>{USES_A}'),
    ("a later node in a loop", f'<loop id="l">{USES_A}{A}</loop>'),
    ("a later node in a while", f'<while id="l" condition="1">{USES_A}{A}</while>'),
    ("a later node deeper in a loop", f'<loop id="l"><if id="i" condition="1"><then>{USES_A}</then></if>{A}</loop>'),
    ("itself in a loop", '<loop id="l">' + node("a", 'url="{{a}}"') + "</loop>"),
    ("the body's nodes in break", f'<loop id="l" break="a &gt; 1 or $iteration &gt; 2">{A}</loop>'),
    ("the body's nodes in condition", f'<while id="l" condition="a != 1 and $iteration &lt; 2">{A}</while>'),
    ("$branches and the branches' nodes in merge", f'<parallel id="p" merge="[$branches, a]"><branch>{A}</branch></parallel>'),
    ("the item and index of a foreach", '<foreach id="f" collection="[1]">' + node("a", 'url="{{item}}{{index}}{{$item}}{{$index}}{{$first}}{{$last}}{{$items}}{{$branch}}"') + "</foreach>"),
    ("a named item", '<foreach id="f" collection="[1]" item="per-son" index="n">' + node("a", 'url="{{per-son.x}}{{n}}"') + "</foreach>"),
    ("an item in a nested block", '<foreach id="f" collection="[1]"><if id="i" condition="item"><then>' + node("a", 'input="item"') + "</then></if></foreach>"),
    ("$branch in a branch", '<parallel id="p"><branch>' + node("a", 'url="{{$branch}}"') + "</branch></parallel>"),
    ("$iteration in a loop", '<loop id="l">' + node("a", 'url="{{$iteration}}"') + "</loop>"),
    ("what a setting binds", node("a", 'each="item.x + index" fold="acc + $acc + item"')),
    ("the error in a retry", node("a", "", '<on-error><retry when="error.status == 1 or status or type or message or retryable"/></on-error>')),
    ("$error in a handler", node("a", "", FALLBACK) + node("h", 'url="{{$error.message}}"')),
    ("the failed node in its handler", node("a", "", FALLBACK) + node("h", 'url="{{a.error}}"')),
    ("the user's item in a handler", '<foreach id="f" collection="[1]">' + node("a", "", FALLBACK) + "</foreach>" + node("h", 'url="{{item}}"')),
    ("the user's neighbours in a handler around it", "<if id='i' condition='1'><then>" + A + node("b", "", FALLBACK) + "</then></if>" + node("h", 'url="{{a}}"')),
    ("a handler's own inside", node("a", "", FALLBACK) + '<if id="h" condition="1"><then>' + node("x") + '' + node("y", "input='x'") + '</then></if>'),
    ("a node in its compensation", node("a", "", f"<compensate>{USES_A}</compensate>")),
    ("every node in a finally", f"<workflow name='w'>{A}<finally>{USES_A}" + node("c", 'url="{{b}}{{$error}}"') + "</finally></workflow>"),
    ("every node and the error in on-workflow-error", f"<workflow name='w'>{A}<on-workflow-error>" + node("b", 'url="{{a}}{{$error.message}}"') + "</on-workflow-error></workflow>"),
    ("a branch's nodes in its finally", f"<parallel id='p'><branch>{A}<finally>{USES_A}</finally></branch></parallel>"),
    ("a variable after its setter", '<set var="x" value="1"/>' + node("a", 'url="{{x}}"')),
    ("a variable set in a block", '<if id="i" condition="1"><then><set var="x" value="1"/></then></if>' + node("a", 'url="{{x}}"')),
    ("a variable with hyphens", '<set var="my-x" value="1"/>' + node("a", 'url="{{my-x + 1}}"')),
    ("a variable of the same branch", '<parallel id="p"><branch><set var="x" value="1"/>' + node("a", 'url="{{x}}"') + "</branch></parallel>"),
    ("a variable set later in a loop", '<loop id="l">' + node("a", 'url="{{x}}"') + '<set var="x" value="1"/></loop>'),
    ("a declared parameter", '<workflow name="w"><param name="city"/>' + node("a", 'url="{{city}}"') + "</workflow>"),
    ("an id that is a variable too", '<set id="x" var="x" value="1"/>' + node("a", 'url="{{x}}"')),
]  # fmt: skip

FORBIDDEN = [
    ("unknown-name", "an item after its foreach", f'<foreach id="f" collection="[1]" item="x">{A}</foreach>' + node("b", 'url="{{x}}"')),
    ("unknown-name", "an item in its own collection", f'<foreach id="f" collection="item">{A}</foreach>'),
    ("unknown-name", "another name than the item's", '<foreach id="f" collection="[1]" item="x">' + node("a", 'url="{{item}}"') + "</foreach>"),
    ("unknown-name", "a branch's own variable outside", '<parallel id="p"><branch><set var="x" value="1"/></branch></parallel>' + node("a", 'url="{{x}}"')),
    ("unknown-name", "an iteration's own variable outside", '<foreach id="f" collection="[1]"><set var="x" value="1"/></foreach>' + node("a", 'url="{{x}}"')),
    ("unknown-name", "a sibling branch's variable", '<parallel id="p"><branch><set var="x" value="1"/></branch><branch>' + node("a", 'url="{{x}}"') + "</branch></parallel>"),
    ("unknown-name", "the error outside of a retry", node("a", 'when="error.status"')),
    ("unknown-name", "what another setting binds", node("a", 'each="acc"')),
    ("no-value", "$acc in a setting that does not fold", node("a", 'each="$acc"')),
    ("no-value", "$branches outside of merge", node("a", 'url="{{$branches}}"')),
    ("no-value", "$iteration in a foreach", '<foreach id="f" collection="[1]">' + node("a", 'url="{{$iteration}}"') + "</foreach>"),
    ("later-node", "a later node in a foreach", f'<foreach id="f" collection="[1]">{USES_A}{A}</foreach>'),
    ("sibling-branch", "a sibling's node in a finally", f"<parallel id='p'><branch>{A}</branch><branch>{node('c')}<finally>{USES_A}</finally></branch></parallel>"),
    ("own-node", "its own block", '<foreach id="f" collection="[1]">' + node("a", 'input="f"') + "</foreach>"),
    ("unknown-name", "an item that only one user of a handler has", '<foreach id="f" collection="[1]">' + node("a", "", FALLBACK) + "</foreach>" + node("b", "", FALLBACK) + node("h", 'url="{{item}}"')),
]  # fmt: skip


@pytest.mark.parametrize("text", [case[1] for case in ALLOWED], ids=[case[0] for case in ALLOWED])
def test_what_is_in_scope_may_be_named(text: str) -> None:
    assert check_text(text).problems == ()


@pytest.mark.parametrize(
    ("code", "text"),
    [(case[0], case[2]) for case in FORBIDDEN],
    ids=[case[1] for case in FORBIDDEN],
)
def test_what_is_out_of_scope_is_a_problem(code: str, text: str) -> None:
    assert [problem.code for problem in check_text(text).problems] == [code]


def test_names_that_are_given_are_known() -> None:
    text = node("a", 'url="{{city}}{{other-name}}"')
    assert check_text(text, given=["city", "other-name"]).problems == ()
    assert {problem.code for problem in check_text(text).problems} == {"unknown-name"}


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        (node("fetch") + node("b", 'url="{{fetsh}}"'), "fetch"),
        (node("fetch") + node("b", 'input="fetsh"'), "fetch"),
        (node("fetch") + node("b", 'after="fetsh"'), "fetch"),
        ('<set var="total" value="1"/>' + node("b", 'url="{{totl}}"'), "total"),
        (node("b", 'url="{{$confg}}"'), "$config"),
        (node("b", 'url="{{uper(1)}}"'), "upper"),
        (node("b", 'urll="x"'), "url"),
        ("<source:stbu id='a'/>", "source:stub"),
        (f'<parallel id="p" max-concurency="1"><branch>{A}</branch></parallel>', "max-concurrency"),
        (f'<parallel id="p" merge="arrray"><branch>{A}</branch></parallel>', "array"),
    ],
)
def test_a_mistyped_name_brings_the_nearest_right_one(text: str, suggestion: str) -> None:
    assert [problem.suggestion for problem in check_text(text).problems] == [suggestion]


def test_a_problem_in_a_handler_of_many_users_is_reported_once() -> None:
    text = node("a", "", FALLBACK) + node("b", "", FALLBACK) + node("h", 'url="{{nope}}"')
    assert [problem.code for problem in check_text(text).problems] == ["unknown-name"]


def test_all_problems_of_a_document_come_at_once_in_document_order() -> None:
    text = (
        node("a", 'url="{{nope}}" count="x"')
        + "<break/>"
        + node("b", 'input="c"')
        + node("d", 'urll="1"')
    )
    codes = [problem.code for problem in check_text(text).problems]
    assert codes == [
        "unknown-name", "invalid-setting", "misplaced-break", "unknown-node", "unknown-setting",
    ]  # fmt: skip
