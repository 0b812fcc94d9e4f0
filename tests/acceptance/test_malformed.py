from __future__ import annotations

import pytest

import flowscript_trio as fs

MALFORMED = [
    (
        "a tag that is not closed",
        '<workflow name="w">\n<delay id="a" duration="1s">\n</workflow>',
        [("not-well-formed", 3, 3)],
    ),
    (
        "text after the root",
        '<workflow name="w"/>\nmore',
        [("not-well-formed", 2, 1)],
    ),
    (
        "two roots",
        '<workflow name="w"/>\n<workflow name="x"/>',
        [("not-well-formed", 2, 1)],
    ),
    (
        "an attribute twice",
        '<workflow name="w">\n<delay id="a" id="b" duration="1s"/></workflow>',
        [("not-well-formed", 2, 15)],
    ),
    (
        "an attribute without quotes",
        '<workflow name="w">\n<delay id=a duration="1s"/></workflow>',
        [("not-well-formed", 2, 11)],
    ),
    (
        "an unknown entity",
        '<workflow name="w">\n<delay id="a" duration="&one;"/></workflow>',
        [("unknown-entity", 2, 25)],
    ),
    (
        "a document type",
        '<!DOCTYPE workflow>\n<workflow name="w"/>',
        [("doctype", 1, 1)],
    ),
    (
        "a billion laughs",
        '<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<workflow name="&b;"/>',
        [("doctype", 2, 1)],
    ),
    (
        "an external entity",
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><workflow name="&x;"/>',
        [("doctype", 1, 1)],
    ),
    (
        "an empty document",
        "",
        [("not-well-formed", 1, 1)],
    ),
    (
        "another root",
        '<flow name="w"/>',
        [("no-workflow", 1, 1)],
    ),
    (
        "no name",
        "<workflow>\n</workflow>",
        [("missing-name", 1, 1)],
    ),
    (
        "an unknown attribute of the workflow",
        '<workflow name="w" timout="1s"/>',
        [("unknown-attribute", 1, 20)],
    ),
    (
        "an unknown prefix",
        '<workflow name="w">\n<sauce:http id="a" url="u"/>\n</workflow>',
        [("unknown-prefix", 2, 1)],
    ),
    (
        "an unknown element",
        '<workflow name="w">\n<paralel id="p"><branch/></paralel>\n</workflow>',
        [("unknown-element", 2, 1)],
    ),
    (
        "a then outside of an if",
        '<workflow name="w">\n<then/>\n</workflow>',
        [("misplaced-element", 2, 1)],
    ),
    (
        "a node directly in an if",
        '<workflow name="w">\n<if id="i" condition="true"><then/>\n<delay id="d" duration="1s"/></if>\n</workflow>',
        [("unexpected-element", 3, 1)],
    ),
    (
        "text between nodes",
        '<workflow name="w">\n<parallel id="p">\n  words\n<branch><delay id="d" duration="1s"/></branch></parallel>\n</workflow>',
        [("stray-text", 3, 3)],
    ),
    (
        "no id",
        '<workflow name="w">\n<source:file path="a"/>\n</workflow>',
        [("missing-id", 2, 1)],
    ),
    (
        "a malformed id",
        '<workflow name="w">\n<source:file id="1a" path="a"/>\n</workflow>',
        [("malformed-id", 2, 18)],
    ),
    (
        "a reserved id",
        '<workflow name="w">\n<source:file id="input" path="a"/>\n</workflow>',
        [("reserved-id", 2, 18)],
    ),
    (
        "an id twice",
        '<workflow name="w">\n<source:file id="a" path="a"/>\n<source:file id="a" path="b"/>\n</workflow>',
        [("duplicate-id", 3, 18)],
    ),
    (
        "an unknown runtime",
        '<workflow name="w">\n<source type="htp" id="a" url="u"/>\n</workflow>',
        [("unknown-runtime", 2, 1)],
    ),
    (
        "no type",
        '<workflow name="w">\n<source id="a" type="" url="u"/>\n</workflow>',
        [("missing-type", 2, 1)],
    ),
    (
        "an unknown setting",
        '<workflow name="w">\n<source:http id="a" url="u" methd="GET"/>\n</workflow>',
        [("unknown-setting", 2, 29)],
    ),
    (
        "a missing setting",
        '<workflow name="w">\n<source:http id="a"/>\n</workflow>',
        [("missing-setting", 2, 1)],
    ),
    (
        "a setting twice",
        '<workflow name="w">\n<parallel id="p" maxConcurrency="1" max-concurrency="2"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("setting-twice", 2, 37)],
    ),
    (
        "a setting of the wrong type",
        '<workflow name="w">\n<sink:file id="a" path="p" pretty="perhaps"/>\n</workflow>',
        [("invalid-setting", 2, 36)],
    ),
    (
        "maxConcurrency of 0",
        '<workflow name="w">\n<parallel id="p" maxConcurrency="0"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("invalid-setting", 2, 34)],
    ),
    (
        "a fractional maxConcurrency",
        '<workflow name="w">\n<parallel id="p" maxConcurrency="1.5"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("invalid-setting", 2, 34)],
    ),
    (
        "an unknown wait",
        '<workflow name="w">\n<parallel id="p" wait="some"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("invalid-setting", 2, 24)],
    ),
    (
        "a K larger than the branches",
        '<workflow name="w">\n<parallel id="p" wait="n(3)"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("too-few-branches", 2, 24)],
    ),
    (
        "tolerate in a race",
        '<workflow name="w">\n<parallel id="p" wait="any" tolerate="1"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("invalid-setting", 2, 39)],
    ),
    (
        "tolerate that is not a number",
        '<workflow name="w">\n<parallel id="p" tolerate="few"><branch><delay duration="1s"/></branch></parallel>\n</workflow>',
        [("invalid-setting", 2, 28)],
    ),
    (
        "a negative duration",
        '<workflow name="w">\n<foreach id="f" collection="[1]"><delay duration="-1s"/></foreach>\n</workflow>',
        [("invalid-setting", 2, 51)],
    ),
    (
        "a syntax error in an expression",
        '<workflow name="w">\n<if id="i" condition="1 + "><then/></if>\n</workflow>',
        [("syntax", 2, 26)],
    ),
    (
        "an unknown name",
        '<workflow name="w">\n<transform type="template" id="t" template="hello {{nmae}}"/>\n</workflow>',
        [("unknown-name", 2, 53)],
    ),
    (
        "an unknown function",
        '<workflow name="w">\n<transform type="template" id="t" template="{{uper(1)}}"/>\n</workflow>',
        [("unknown-function", 2, 47)],
    ),
    (
        "an interpolation without an end",
        '<workflow name="w">\n<transform type="template" id="t" template="{{1"/>\n</workflow>',
        [("syntax", 2, 45)],
    ),
    (
        "a reference to a sibling branch",
        '<workflow name="w">\n<parallel id="p"><branch><delay id="a" duration="1s"/></branch>\n<branch><delay id="b" duration="1s" input="a"/></branch></parallel>\n</workflow>',
        [("sibling-branch", 3, 44)],
    ),
    (
        "a reference to a later node",
        '<workflow name="w">\n<parallel id="p"><branch><delay id="a" duration="1s" input="b"/>\n<delay id="b" duration="1s"/></branch></parallel>\n</workflow>',
        [("later-node", 2, 61)],
    ),
    (
        "a cycle",
        '<workflow name="w">\n<delay id="a" duration="1s" input="b"/>\n<delay id="b" duration="1s" input="a"/>\n</workflow>',
        [("cycle", 2, 1)],
    ),
    (
        "an unknown input",
        '<workflow name="w">\n<delay id="a" duration="1s" input="bb"/>\n</workflow>',
        [("unknown-node", 2, 36)],
    ),
    (
        "a break outside of a loop",
        '<workflow name="w">\n<break/>\n</workflow>',
        [("misplaced-break", 2, 1)],
    ),
    (
        "a break that names no loop",
        '<workflow name="w">\n<loop id="l"><break loop="m"/></loop>\n</workflow>',
        [("unknown-loop", 2, 27)],
    ),
    (
        "merge object of a foreach",
        '<workflow name="w">\n<foreach id="f" collection="[1]" merge="object"><delay duration="1s"/></foreach>\n</workflow>',
        [("invalid-setting", 2, 41)],
    ),
    (
        "several at once",
        '<workflow name="w">\n<source:http id="a" ulr="u"/>\n<dealy id="b"/>\n<if id="c" condition="x >"><then/></if>\n</workflow>',
        [
            ("missing-setting", 2, 1),
            ("unknown-setting", 2, 21),
            ("unknown-element", 3, 1),
            ("syntax", 4, 25),
        ],
    ),
]
"""What is wrong, a document, and the code, line and column of every error in it."""


@pytest.mark.parametrize(
    ("text", "expected"), [pytest.param(text, found, id=name) for name, text, found in MALFORMED]
)
def test_every_problem_is_found_at_its_line_and_column(
    text: str, expected: list[tuple[str, int, int]]
) -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(text, name="bad.xml")
    errors = [problem for problem in caught.value.problems if problem.severity == "error"]
    assert [(e.code, e.location.line, e.location.column) for e in errors] == expected
    for error in errors:
        assert error.location.file == "bad.xml"
        assert f"bad.xml:{error.location.line}:{error.location.column}: error: " in error.render()


def test_a_problem_shows_its_line_a_caret_what_is_expected_and_the_nearest_name() -> None:
    with pytest.raises(fs.WorkflowInvalid) as caught:
        fs.loads(
            '<workflow name="w">\n  <source:http id="a" ulr="u" url="v"/>\n</workflow>',
            name="a.xml",
        )
    [problem] = caught.value.problems
    assert problem.render().splitlines() == [
        "a.xml:2:23: error: 'a' has no setting 'ulr'",
        '    2 |   <source:http id="a" ulr="u" url="v"/>',
        "      |                       ^^^",
        "        expected: one of auth, body, cursor, delimiter, download, duplicates, encoding, extract, form, format, "
        "header, headers, idempotent, method, multipart, next, next-param, params, quote, ragged, redirects, "
        "response, sha256, skip, stream, types, upload, url",
        "        did you mean 'url'?",
    ]
    assert problem.as_dict()["suggestion"] == "url"


def test_nothing_runs_where_anything_is_wrong() -> None:
    with pytest.raises(fs.WorkflowInvalid, match="2 errors"):
        fs.loads('<workflow name="w"><delay duration="x"/><delay duration="y"/></workflow>')
