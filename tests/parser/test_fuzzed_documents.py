"""Owns the tests that no text, however broken, makes the parser raise or tell an impossible place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.parser import Parsed, YamlProblem, parse
from flowscript_trio.parser.yaml import read_yaml
from flowscript_trio.types.location import Source, Text

SEEDS = (
    '<?xml version="1.0"?>\n<workflow name="w" version="1.0" timeout="5m" maxConcurrency="2">\n'
    '<param name="p" type="enum[a, b]" default="a">one</param><secret name="KEY"/>\n'
    '<parallel id="all" wait="any"><branch><source:http id="a" url="{{p}}?x=1&amp;y=2">'
    "<headers>A: {{x}}</headers><on-error><retry max='2'/><fallback node=\"f\"/></on-error>"
    '</source:http><finally><set var="v" value="1"/></finally></branch></parallel>\n'
    '<phase name="ph"><foreach id="e" collection="{{a}}" item="person"><break when="{{person}}"/>'
    "</foreach></phase><call workflow='w.xml' id='c' x=\"1\"><arg name='y'>text</arg></call>\n"
    "<finally/><on-workflow-error/></workflow>",
    '<workflow name="w" xmlns:s="urn:flowscript:source"><s:http id="a"><request>\n'
    "  url: {{base}}/x\n  headers: {A: {{x}}, 'B': \"c\\n\"}\n  body: |\n    a {{b}}\n"
    '</request></s:http><if id="i" condition="a < 1 && b"><then/><else><ai id="m"><user><![CDATA['
    'x < y ]]> z</user></ai></else></if><branch id="b"><case when="x"/><default/></branch>\n'
    '<checkpoint id="k" prompt="ok?"><action id="y" label="Y" goto="z"/></checkpoint>'
    '<include id="n" workflow="o.xml"><bind key="k" value="v"/></include>'
    '<output><set field="f" value="{{m}}"/></output></workflow>',
    "---\nname: w\nversion: 1.10\nconfig:\n  key: {type: number, default: 3}\n  e:\n    type: enum[a, b]\n"
    "secrets: [A, B]\nruntime: {timeout: 5m, concurrency: 8}\ntrigger: {manual: true}\n---\n"
    '<workflow><delay duration="5s"/></workflow>\n# Words\n',
)
PIECES = st.sampled_from(
    [
        *"<>&\"'/=!?-[]{}:#*\\\t\r\n \0\ufeff\ud800\ue000é",
        *(
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "</",
            "/>",
            "{{",
            "}}",
            "&#0;",
            "&#x41;",
            "&x;",
        ),
        *(
            "<!DOCTYPE a>",
            "---\n",
            "<workflow>",
            "</workflow>",
            "<if>",
            "<then>",
            "<source:http",
            "<a:b:c/>",
        ),
        *(
            'xmlns="u"',
            'xmlns:source="u"',
            'xml:space="preserve"',
            " id='a'",
            "<:a/>",
            "<a:/>",
            "<é/>",
        ),
        *(
            "&a *a",
            "*a",
            "!!x ",
            "? ",
            "- ",
            "|\n",
            "<request>",
            "</request>",
            'xmlns:q=""',
            ' q:x="1"',
        ),
    ]
)
CUTS = st.tuples(
    st.floats(0, 1, exclude_max=True), st.integers(0, 12), PIECES | st.text(max_size=3)
)


def mutate(text: str, cuts: list[tuple[float, int, str]]) -> str:
    for place, length, piece in cuts:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    return text


def check_places(parsed: Parsed, text: str) -> None:
    source = Source("f", text)
    for problem in parsed.problems:
        line = source.line(problem.location.line)
        assert 1 <= problem.location.line <= text.count("\n") + 1, problem
        assert 1 <= problem.location.column <= len(line) + 2, problem
        assert problem.source_line == line
        assert problem.message
        assert problem.render()
    places = [problem.location for problem in parsed.problems]
    assert places == sorted(places)
    assert parsed.document is not None or parsed.problems


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(SEEDS),
    st.lists(CUTS, min_size=1, max_size=6),
    st.sampled_from(["f.xml", "f.flow.md"]),
)
def test_a_mutated_document_gives_problems_and_never_an_exception(
    seed: str, cuts: list[tuple[float, int, str]], file: str
) -> None:
    text = mutate(seed, cuts)
    check_places(parse(text, file=file), text)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=30))
def test_random_markup_gives_problems_and_never_an_exception(pieces: list[str]) -> None:
    text = "".join(pieces)
    check_places(parse(text, file="f.xml"), text)


@pytest.mark.parametrize("text", ["<a\xa0", "<\x80\x0c", "<w><a\xa0b", "<a\u2028", "<\xa0"])
def test_an_odd_space_in_a_tag_without_an_end_is_told_once(text: str) -> None:
    parsed = parse(text, file="f.xml")
    check_places(parsed, text)
    assert len(parsed.problems) < 5


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["url: {{a}}\nb: [1, {c: '{{d}}'}]\n", "|\n a {{b}}\n c", ""]),
    st.lists(CUTS, max_size=6),
)
def test_mutated_yaml_gives_a_problem_at_a_place_inside_and_no_other_exception(
    seed: str, cuts: list[tuple[float, int, str]]
) -> None:
    text = mutate(seed, cuts)
    problem = None
    try:
        read_yaml(Text(text, Source("f", text), ((0, 0),)))
    except YamlProblem as exc:
        problem = exc
    assert problem is None or (problem.message and 0 <= problem.offset <= len(text))


def test_the_unbroken_seeds_have_no_errors() -> None:
    for seed in SEEDS:
        parsed = parse(seed, file="f.xml")
        assert [p for p in parsed.problems if p.severity == "error"] == []
