"""Owns tests of the spellings that documents for the engine in TypeScript have, and of what is said of others."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import flowscript_trio as fs
from flowscript_trio.language.synonyms import nearest_name


def load(*lines: str) -> fs.Flow:
    return fs.loads("\n".join(['<workflow name="w">', *lines, "</workflow>"]))


def problems_of(*lines: str) -> list[tuple[str, str, str | None, str | None]]:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        load(*lines)
    return [(p.code, p.message, p.expected, p.suggestion) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("element", "type"),
    [
        ('<source id="a" url="http://h/"/>', "source:http"),
        ('<transform id="a" template="x"/>', "transform:template"),
        ('<sink id="a" url="http://h/"/>', "sink:http"),
    ],
)
def test_a_type_that_is_left_out_is_the_usual_one(element: str, type: str) -> None:
    assert load(element).document.body.nodes[0].type == type


def test_an_empty_type_is_not_left_out() -> None:
    assert problems_of('<source id="a" type="" url="u"/>')[0][0] == "missing-type"


@pytest.mark.parametrize(
    ("text", "value"),
    [("$item < 3", [0, 1, 2]), ("$item <3", [0, 1, 2]), ("$item <= 3", [0, 1, 2, 3])],
)
async def test_a_raw_less_than_in_text_is_repaired_with_a_warning(text: str, value: Any) -> None:
    flow = load(
        '<transform id="xs" template="{{range(0, 5)}}"/>',
        f'<transform type="filter" id="f" input="xs"><condition>{text}</condition></transform>',
    )
    (warning,) = flow.warnings
    assert (warning.code, warning.location.line) == ("raw-less-than", 3)
    assert warning.source_line[warning.location.column - 1] == "<"
    assert (await fs.run(flow)).output == value


def test_a_less_than_before_a_name_is_a_tag_and_before_other_signs_an_error() -> None:
    (problem,) = problems_of('<transform id="t"><template>a <$b</template></transform>')
    assert problem[1:3] == (
        "a raw < is not allowed in text",
        "&lt;, or the text in <![CDATA[…]]>",
    )


@pytest.mark.parametrize(
    ("collection", "value", "said"),
    [
        ("5", [5], "a number"),
        ("true", [True], "a boolean"),
        ("'abc'", ["abc"], "text of 3 characters"),
    ],
)
async def test_a_collection_that_is_no_list_is_one_item_with_a_warning(
    collection: str, value: Any, said: str
) -> None:
    flow = load(
        f'<foreach id="f" collection="{collection}"><transform id="t" template="{{{{item}}}}"/></foreach>'
    )
    with pytest.warns(fs.FlowScriptWarning, match="counts as one item"):
        run = await fs.run(flow)
    assert run.output == value
    (warning,) = run.record.warnings
    assert warning.path == "f"
    assert f"the collection of 'f' is {said}, and counts as one item" in warning.message


@pytest.mark.parametrize(
    ("collection", "said"),
    [
        ("null", "is null; expected a list, or an iterable that the application gives"),
        ("{a: 1}", r"is an object; expected a list, or entries\(x\), keys\(x\) or values\(x\)"),
    ],
)
async def test_a_collection_that_is_null_or_an_object_is_an_error(
    collection: str, said: str
) -> None:
    flow = load(
        f'<foreach id="f" collection="{collection}"><transform id="t" template="1"/></foreach>'
    )
    with pytest.raises(fs.SettingError, match=said):
        await fs.run(flow)


NODE = '<transform id="n" template="1"/>'
INSTEAD = [
    (
        '<parallel id="p"><wait for="any"/><branch>' + NODE + "</branch></parallel>",
        "there is no element <wait>",
        'wait="all", wait="any" or wait="n(2)" on the <parallel>',
        None,
    ),
    (
        '<parallel id="p"><merge strategy="object"/><branch>' + NODE + "</branch></parallel>",
        "there is no element <merge>",
        'merge="array", merge="concat" or merge="object" on the <parallel>',
        None,
    ),
    (
        '<parallel id="p" max="2"><branch>' + NODE + "</branch></parallel>",
        "'p' has no setting 'max'",
        "one of accept, fail-fast, max-concurrency, merge, on-timeout, stagger, tolerate, wait",
        "max-concurrency",
    ),
    (
        '<checkpoint id="c" prompt="?"><actions><action id="approve" label="Yes"/></actions></checkpoint>',
        "<actions> is not allowed in <checkpoint>",
        '<action id="…" label="…"/> directly in the <checkpoint>, one for each answer',
        None,
    ),
    (
        '<foreach id="f" collection="[1]"><do>' + NODE + "</do></foreach>",
        "<do> is not allowed in <foreach>",
        "the nodes themselves, directly in the <foreach>",
        None,
    ),
    (
        '<if id="i" condition="true"><then>' + NODE + "</then><otherwise/></if>",
        "<otherwise> is not allowed in <if>",
        "<then>, <else>",
        "else",
    ),
    (
        '<branch id="b"><case when="true">' + NODE + "</case><otherwise/></branch>",
        "<otherwise> is not allowed in <branch>",
        "<case>, <default>",
        "default",
    ),
    (
        "<switch/>",
        "there is no element <switch>",
        '<branch id="…"><case when="…">…</case><default>…</default></branch>',
        None,
    ),
    ('<sleep for="1s"/>', "there is no element <sleep>", '<delay duration="1s"/>', None),
    ("<dealy/>", "there is no element <dealy>", "a node", "delay"),
    (
        '<source id="s" url="u"><on-error><circuit-breaker/></on-error></source>',
        "<circuit-breaker> is not allowed in <on-error>",
        '<limit name="…" breaker="5 in 1m, 30s"/> at the head of the document',
        None,
    ),
]


@pytest.mark.parametrize(("line", "message", "expected", "suggestion"), INSTEAD)
def test_what_is_written_otherwise_here_is_refused_with_how(
    line: str, message: str, expected: str, suggestion: str | None
) -> None:
    found = [each[1:] for each in problems_of(line)]
    assert (message, expected, suggestion) in found


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("uri", {"url", "method"}, "url"),
        ("expression", {"condition"}, "condition"),
        ("test", {"when", "timeout"}, "when"),
        ("depends_on", {"after", "duration"}, "after"),
        ("conditon", {"condition", "when"}, "condition"),
        ("url", {"url"}, "url"),
        ("zzz", {"url"}, None),
    ],
)
def test_a_setting_of_another_name_is_suggested(
    word: str, known: set[str], meant: str | None
) -> None:
    assert nearest_name(word, known) == meant


def test_a_runtime_that_is_not_registered_points_to_how_it_is() -> None:
    (problem,) = problems_of('<source:clock id="a"/>')
    assert problem[1] == "no runtime named 'source:clock' is registered"
    assert problem[2] is not None
    assert "registry= in Python" in problem[2]
    assert "--runtimes" in problem[2]
    assert problem[3] is None  # not one that has five letters of "source:" in common
    assert problems_of('<source:htp id="a"/>')[0][3] == "source:http"
    assert problems_of('<source:template id="a"/>')[0][3] == "transform:template"


def test_no_warning_is_left_of_what_is_right() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(
            '<source id="a"><request>url: http://h/</request><response>extract: a</response></source>'
        )
