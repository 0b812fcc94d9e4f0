"""Owns the tests that every node, setting and character of a document knows where it stands."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowscript_trio.parser import parse
from flowscript_trio.parser.yaml import read_yaml
from flowscript_trio.types.ast import BaseNode, Body, Structure
from flowscript_trio.types.location import Source, Text

NAMED = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;"}


def nodes_of(body: Body) -> Iterator[BaseNode]:
    for node in body.nodes:
        yield node
        for inner in node.bodies:
            yield from nodes_of(inner)
            if inner.cleanup is not None:
                yield from nodes_of(inner.cleanup)


def write_node(rng: random.Random, numbers: Iterator[int], depth: int) -> str:
    space = rng.choice(["", " ", "\n", "\n  ", "<!-- <source:http id='no'/> -->\n", "<?pi <a/> ?>"])
    number = next(numbers)
    kind = rng.randrange(6) if depth else rng.randrange(2)
    inner = (
        "".join(write_node(rng, numbers, depth - 1) for _ in range(rng.randrange(3)))
        if kind > 1
        else ""
    )
    return (
        space
        + {
            0: f'<source:http\n id="n{number}"\n url="a < {number} && <b>"/>',
            1: f"<transform type='template' id='n{number}'><template><![CDATA[<x/>]]> é</template></transform >",
            2: f'<foreach id="n{number}" collection="[1]">{inner}</foreach>',
            3: f'<control:if id="n{number}" condition="1 > 0">\n<then>{inner}</then></control:if>',
            4: f'<parallel id="n{number}"><branch>{inner}</branch>\r\n<branch/></parallel>',
            5: f'<phase name="n{number}">{inner}<finally><delay duration="1s"/></finally></phase>',
        }[kind]
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_the_location_of_every_node_is_that_of_its_opening_bracket(seed: int) -> None:
    rng = random.Random(seed)
    numbers = iter(range(10**6))
    inner = "".join(write_node(rng, numbers, 3) for _ in range(3))
    text = f'<?xml version="1.0"?>\n<workflow name="w">{inner}</workflow>'
    parsed = parse(text, file="f.xml")
    assert parsed.document is not None
    assert [p for p in parsed.problems if p.severity == "error"] == []
    found = list(nodes_of(parsed.document.body))
    lines = text.split("\n")
    for node in found:
        assert text.startswith(f"<{node.tag}", node.offset)
        at = node.location
        assert lines[at.line - 1][at.column - 1 :].startswith(f"<{node.tag}")
        for setting in node.settings.values():
            assert text.startswith((setting.written, f"<{setting.written}"), setting.offset)
    offsets = [node.offset for node in found]
    assert len(set(offsets)) == len(offsets)
    ids = [node.label for node in found if node.tag != "delay"]
    assert sorted(ids) == sorted(f"n{number}" for number in range(next(numbers)))


@st.composite
def encoded(draw: st.DrawFn, attribute: bool) -> tuple[str, list[tuple[str, int]]]:
    """Source text, and the characters that it stands for, each with its offset in the source."""
    source = ""
    characters: list[tuple[str, int]] = []
    for char in draw(st.text(st.sampled_from("ab <>&\"'é\n\t𝄞{}"), min_size=1, max_size=25)):
        forms = [f"&#{ord(char)};", f"&#x{ord(char):X};", NAMED.get(char, char)]
        if char == "\n":
            forms += ["\n", "\r\n", "\r"]
        if attribute and char == "<":
            forms.append("<")  # repaired
        form = draw(st.sampled_from(forms))
        shown = " " if attribute and char in "\n\t" and form[0] != "&" else char
        if not attribute and form[0] != "&" and draw(st.integers(0, 3)) == 0:
            characters.append((shown, len(source) + 9))
            source += f"<![CDATA[{form}]]>"
        else:
            characters.append((shown, len(source)))
            source += form
        if form == "\r":
            source += "&#46;"  # or the next \n would belong to it
            characters.append((".", len(source) - 5))
    return source, characters


def places(text: Text) -> list[tuple[str, int]]:
    return [(char, text.offset(index)) for index, char in enumerate(text.value)]


@settings(max_examples=300, deadline=None)
@given(encoded(attribute=True))
def test_every_character_of_an_attribute_knows_its_place(
    case: tuple[str, list[tuple[str, int]]],
) -> None:
    source, characters = case
    head = '<workflow name="w"><source:http id="a" url="'
    text = f'{head}{source}"/></workflow>'
    document = parse(text, file="f.xml").document
    assert document is not None
    value = document.body.nodes[0].settings["url"].value
    assert isinstance(value, Text)
    assert places(value) == [(char, len(head) + at) for char, at in characters]


@settings(max_examples=300, deadline=None)
@given(encoded(attribute=False))
def test_every_character_of_an_element_knows_its_place(
    case: tuple[str, list[tuple[str, int]]],
) -> None:
    source, characters = case
    head = '<workflow name="w"><transform:template id="a"><template>.'
    text = f"{head}{source}.</template></transform:template></workflow>"
    document = parse(text, file="f.xml").document
    assert document is not None
    value = document.body.nodes[0].settings["template"].value
    assert isinstance(value, Text)
    whole = "." + "".join(char for char, _ in characters) + "."
    kept = [(char, len(head) + at) for char, at in characters]
    margin = margin_of(whole)
    if margin == 0:
        assert places(value)[1:-1] == kept
    else:
        assert set(places(value)[1:-1]) <= set(kept)


def margin_of(value: str) -> int:
    lines = value.split("\n")[1:]
    return min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)


DEDENTED = [
    ("one line", " x ", "x"),
    ("an indented block", "\n    a\n      b\n    c\n  ", "a\n  b\nc"),
    ("blank lines inside", "\n  a\n\n \n  b\n", "a\n\n\nb"),
    ("a first line behind the tag", "a\n    b\n      c", "a\nb\n  c"),
    ("nothing", " \n ", ""),
    ("windows line ends", "\r\n  a\r\n  b\r\n", "a\nb"),
    ("a comment in the middle", "a<!-- no -->b", "ab"),
    ("an instruction in the middle", "a<?no no?>b", "ab"),
    ("CDATA in the middle", " a<![CDATA[<b>&amp;]]>c ", "a<b>&amp;c"),
    ("a raw ampersand", "a && b", "a && b"),
    ("a raw less-than", "a < b <= 3 <4", "a < b <= 3 <4"),
    ("a raw less-than at both ends", "< 1 <\n", "< 1 <"),
]


@pytest.mark.parametrize(
    ("source", "value"), [case[1:] for case in DEDENTED], ids=[c[0] for c in DEDENTED]
)
def test_the_text_of_a_child_is_dedented_and_stripped_and_keeps_its_places(
    source: str, value: str
) -> None:
    template = f'<transform:template id="a"><template>{source}</template></transform:template>'
    text = f'<workflow name="w">{template}</workflow>'
    document = parse(text, file="f.xml").document
    assert document is not None
    found = document.body.nodes[0].settings["template"].value
    assert isinstance(found, Text)
    assert found.value == value
    for char, offset in places(found):
        assert text[offset] == char or (char == "\n" and text[offset] == "\r")


@given(st.text("ab", max_size=20), st.data())
def test_a_slice_of_a_text_has_the_places_of_the_whole(value: str, data: st.DataObject) -> None:
    marks = tuple((index, 10 * index) for index in range(0, max(len(value), 1), 3))
    whole = Text(value, Source("f", "x" * 300), marks)
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    part = whole.slice(start, end)
    assert part.value == value[start:end]
    assert [part.offset(i) for i in range(len(part.value))] == [
        whole.offset(i) for i in range(start, end)
    ]


def leaves(value: object) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Structure):
        for item in value.value:
            for part in item if value.kind == "mapping" else (item,):
                yield from leaves(part)


YAML = [
    ("plain", "url: {{base}}/x", ["url", "{{base}}/x"]),
    ("flow", "headers: {A: {{x}}, B: [{{y}}, z]}", ["headers", "A", "{{x}}", "B", "{{y}}", "z"]),
    ("quoted", "'a {{b}}': \"c {{d}} e\"", ["a {{b}}", "c {{d}} e"]),
    ("nested quotes", 'a: "{{ b["c"] }}"', ["a", '{{ b["c"] }}']),
    ("two on a line", "a: x {{b}} y {{c}} z", ["a", "x {{b}} y {{c}} z"]),
]


@pytest.mark.parametrize(
    ("source", "texts"), [case[1:] for case in YAML], ids=[case[0] for case in YAML]
)
def test_the_texts_of_yaml_know_the_place_of_every_character(source: str, texts: list[str]) -> None:
    padding = "\n\n  "
    text = Text(source, Source("f", padding + source), ((0, len(padding)),))
    found = list(leaves(read_yaml(text)))
    assert [leaf.value for leaf in found] == texts
    for leaf in found:
        for char, offset in places(leaf):
            assert (padding + source)[offset] == char


FOLDED = [
    ("a literal block", "a: |\n    one {{x}}\n      two {{y}}\n", "one {{x}}\n  two {{y}}\n"),
    ("a folded block", "a: >\n    one {{x}}\n    two {{y}}\n", "one {{x}} two {{y}}\n"),
    ("a plain text over lines", "a: one {{x}}\n   two {{y}}\n", "one {{x}} two {{y}}"),
    ("escapes", 'a: "q\\n\\u00e9 {{x}} \\"two\\" {{y}}"', 'q\né {{x}} "two" {{y}}'),
    ("doubled quotes", "a: 'it''s {{x}} ''two'' {{y}}'", "it's {{x}} 'two' {{y}}"),
]


@pytest.mark.parametrize(
    ("source", "value"), [case[1:] for case in FOLDED], ids=[case[0] for case in FOLDED]
)
def test_interpolations_in_folded_and_escaped_yaml_know_their_places(
    source: str, value: str
) -> None:
    text = Text(source, Source("f", source), ((0, 0),))
    [_, leaf] = leaves(read_yaml(text))
    assert leaf.value == value
    for word in ("{{x}}", "{{y}}"):
        at = value.index(word)
        assert source.startswith(word, leaf.offset(at))
    assert source.startswith("two", leaf.offset(value.index("two")))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('a: "x\\n"', "x\n"),
        ('a: "\\n"', "\n"),
        ('a: "x\\n\\t"', "x\n\t"),
        ('a: "x\\u00e9"', "xé"),
        ('a: ["\\\\"]', "\\"),
        ('a: "{{x}}\\n"', "{{x}}\n"),
    ],
)
def test_an_escape_at_the_end_of_a_quoted_text_is_what_it_stands_for(
    source: str, value: str
) -> None:
    text = Text(source, Source("f", source), ((0, 0),))
    [_, leaf] = leaves(read_yaml(text))
    assert leaf.value == value
