"""Owns the tests of pictures: everything is there, nothing overlaps, and no text of a document breaks them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from lxml import etree

import flowscript_trio as fs
from flowscript_trio.picture import as_dot, as_mermaid, as_svg, folded, picture_of
from flowscript_trio.picture.layout import Rect, all_groups, lay_out, lines_of
from flowscript_trio.picture.model import Group, Picture
from flowscript_trio.picture.texts import fit

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"
DOCUMENTS = [
    ACCEPTANCE / "everything" / "everything.flow.md",
    *sorted((ACCEPTANCE / "proved").glob("*.xml")),
]
BLOCKS = """
<source:http id="a" url="u"/>
<parallel id="p" maxConcurrency="2" fail-fast="false" timeout="30s" after="a">
  <branch><source:http id="b" url="u"/><transform type="template" id="c" template="x"/></branch>
  <branch><delay id="d" duration="1s" if="{{ a.ok }}"/><finally><delay id="e" duration="1s"/></finally></branch>
</parallel>
<parallel id="q" maxConcurrency="unlimited"><branch><delay id="w" duration="1s"/></branch></parallel>
<foreach id="f" collection="a" after="p q" max-concurrency="{{ $config.n }}">
  <delay id="g" duration="1s"/>
</foreach>
<source:http id="h" url="u" timeout="5s">
  <on-error><retry max="3"/><fallback node="spare"/></on-error>
</source:http>
<source:http id="spare" url="u"/>
<timeout id="t" duration="1s" on-timeout="late"><delay id="i" duration="1s"/></timeout>
<delay id="late" duration="0s"/>
<sink:http id="s" url="u"><compensate><delay id="undo" duration="1s"/></compensate></sink:http>
"""


def picture(body: str) -> Picture:
    flow = fs.loads(
        f'<workflow name="w">{body}</workflow>',
        name="w.xml",
    )
    return picture_of(flow)


def boxes(picture: Picture) -> dict[str, object]:
    return {box.label: box for group in all_groups(picture) for box in group.boxes}


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


def apart(a: Rect, b: Rect) -> bool:
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


def shapes() -> list[Picture]:
    drawn = [picture_of(fs.load(path)) for path in DOCUMENTS]
    deep = '<delay id="d" duration="1s"/>'
    for level in range(12):
        deep = f'<parallel id="p{level}"><branch>{deep}</branch><branch/></parallel>'
    wide = "".join(f'<branch><delay id="w{i}" duration="1s"/></branch>' for i in range(40))
    waits = "".join(
        f'<delay id="n{i}" duration="1s"' + (f' after="n{i // 2} n{i - 1}"/>' if i else "/>")
        for i in range(30)
    )
    names = (
        '<delay id="'
        + "x" * 200
        + '" duration="1s"/><phase name="名前 の 長い"><delay id="y" duration="1s"/></phase>'
    )
    bodies = [BLOCKS, deep, f'<parallel id="p">{wide}</parallel>', waits, names]
    return [*drawn, *map(picture, bodies)]


@pytest.mark.parametrize("drawn", shapes(), ids=lambda drawn: drawn.name)
def test_what_belongs_to_a_box_lies_inside_of_it_and_nothing_else_overlaps(drawn: Picture) -> None:
    layout = lay_out(drawn)

    def check(group: Group, around: Rect) -> None:
        rect = layout.groups[group.number]
        assert inside(rect, around)
        assert all(inside(layout.boxes[box.number], rect) for box in group.boxes)
        for a, b in itertools.combinations(group.boxes, 2):
            assert apart(layout.boxes[a.number], layout.boxes[b.number])
        for box in group.boxes:
            own = layout.boxes[box.number]
            for a, b in itertools.combinations(box.groups, 2):  # type: ignore[assignment]
                assert apart(layout.groups[a.number], layout.groups[b.number])
            for inner in box.groups:
                assert layout.groups[inner.number].y >= own.y + 18 * len(lines_of(box))
                check(inner, own)

    for group in drawn.groups:
        check(group, layout.whole)


@pytest.mark.parametrize("drawn", shapes(), ids=lambda drawn: drawn.name)
def test_what_a_node_waits_for_stands_left_of_it(drawn: Picture) -> None:
    layout = lay_out(drawn)
    for group in all_groups(drawn):
        for a, b in group.arrows:
            assert layout.boxes[a].x + layout.boxes[a].width < layout.boxes[b].x


def test_every_node_of_a_document_is_in_every_picture() -> None:
    flow = fs.load(DOCUMENTS[0])
    drawn = picture_of(flow)
    labels = {checked.node.label for checked in flow.checked.nodes.values()}
    assert boxes(drawn).keys() == labels
    texts = set(etree.fromstring(as_svg(drawn).encode()).itertext())
    assert labels <= texts
    for label in labels:
        assert f'["{label}<br/>' in as_mermaid(drawn)
        assert f'label="{label}\\n' in as_dot(drawn)


def test_blocks_show_their_limits_and_what_else_the_document_sets() -> None:
    shown = {box.label: box.notes for group in all_groups(picture(BLOCKS)) for box in group.boxes}
    assert shown["p"] == ("at most 2 at once", "fail-fast false", "timeout 30s")
    assert shown["q"] == ("no limit",)
    assert shown["f"] == ("collection a", "at most {{ $config.n }} at once")
    assert shown["d"] == ("if {{ a.ok }}", "duration 1s")
    assert shown["h"] == ("timeout 5s", "retry max 3")


def test_nodes_and_branches_show_their_places() -> None:
    drawn = picture("""
      <transform:map id="m" input="{{[1]}}" expression="item" place="process" timeout="1s"/>
      <transform:map id="own" input="{{[1]}}" expression="item" place="here"/>
      <parallel id="p">
        <branch place="gpu"><delay id="a" duration="0s"/></branch>
        <branch><delay id="b" duration="0s"/></branch>
      </parallel>
      <foreach id="f" collection="[1]" place="cluster"><delay id="c" duration="0s"/></foreach>
    """)
    shown = {box.label: box.notes for group in all_groups(drawn) for box in group.boxes}
    assert shown["m"] == ("at process", "timeout 1s")
    assert shown["own"] == ()
    assert "at cluster" in shown["f"]
    titles = {group.title for group in all_groups(drawn) if group.title}
    assert titles == {"branch 0 at gpu", "branch 1"}


def test_bodies_have_names_and_arrows_follow_what_waits_for_what() -> None:
    drawn = picture(BLOCKS)
    numbers = {box.number: box.label for group in all_groups(drawn) for box in group.boxes}
    titles = [group.title for group in all_groups(drawn)]
    assert sorted(titles) == [
        "",
        "",
        "",
        "branch 0",
        "branch 0",
        "branch 1",
        "compensate",
        "finally",
    ]
    arrows = {(numbers[a], numbers[b]) for group in all_groups(drawn) for a, b in group.arrows}
    assert {("a", "p"), ("p", "f"), ("q", "f"), ("b", "c")} <= arrows
    assert ("a", "q") not in arrows
    links = {(numbers[link.source], numbers[link.target], link.word) for link in drawn.links}
    assert links == {("h", "spare", "on error"), ("t", "late", "on timeout")}
    handlers = {b.label for g in all_groups(drawn) for b in g.boxes if b.is_handler}
    assert handlers == {"spare", "late"}
    assert not any({"spare", "late"} & set(pair) for pair in arrows)


HOSTILE = """
<delay id="a" duration="1s" if="{{ '&lt;/text>&quot;;n9 --> n1]`' == &quot;\\n&amp;&quot; }}"/>
<phase name='"] --&gt; n7; &lt;script>&amp;'><delay id="b" duration="1s"/></phase>
"""


def test_texts_of_a_document_cannot_break_out_of_a_picture() -> None:
    drawn = picture(HOSTILE)
    svg = as_svg(drawn)
    root = etree.fromstring(svg.encode())
    assert {etree.QName(element).localname for element in root.iter()} == {
        "svg", "title", "style", "defs", "marker", "path", "rect", "g", "text",
    }  # fmt: skip
    assert any("<script>" in text for text in root.itertext())
    for line in as_mermaid(drawn).splitlines()[1:]:
        assert re.fullmatch(
            r' *(subgraph [gn]\d+\["[^"`<>&\\]*(<br/>[^"`<>&\\]*)*"\]|end'
            r'|n\d+\(?\["[^"`<>&\\]*(<br/>[^"`<>&\\]*)*"\]\)?|n\d+ --> n\d+|n\d+ -\. [a-z ]+ \.-> n\d+)',
            line,
        ), line
    text = r'"(?:[^"\\]|\\.)*"'
    for line in as_dot(drawn).splitlines():
        assert line.count('"') % 2 == 0 or "\\" in line
        rest = re.sub(text, "", line)
        assert '"' not in rest, line
        assert "script" not in rest


def test_a_picture_is_the_same_every_time_and_asks_nobody_for_anything() -> None:
    one, other = picture(BLOCKS), picture(BLOCKS)
    for draw in (as_svg, as_mermaid, as_dot):
        assert draw(one) == draw(other)
    rest = as_svg(one).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "http:" not in rest.replace("source:http", "").replace("sink:http", "")
    assert "href" not in rest
    assert "@import" not in rest


CROSSING = """
<delay id="a" duration="1s"/>
<delay id="wide-sibling-of-a-that-reaches-far-to-the-right" duration="1s"/>
<source:http id="h" url="u"><on-error><fallback node="spare"/></on-error></source:http>
<delay id="b" duration="1s" after="a h wide-sibling-of-a-that-reaches-far-to-the-right"/>
<delay id="c" duration="1s" after="a b"/>
<delay id="d" duration="1s" after="a b c"/>
<source:http id="spare" url="u"/>
"""


def corners(path: str) -> list[tuple[float, float]]:
    """The points of a path of straight lines."""
    x = y = 0.0
    points = []
    for command, first, second in re.findall(r"([MHV])([\d.]+)(?: ([\d.]+))?", path):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "H":
            x = float(first)
        else:
            y = float(first)
        points.append((x, y))
    return points


def crossed(points: list[tuple[float, float]], rects: Iterable[Rect]) -> list[Rect]:
    """The rectangles that a line through these points runs through."""
    return [
        rect
        for (x, y), (to_x, to_y) in itertools.pairwise(points)
        for rect in rects
        if min(x, to_x) < rect.x + rect.width
        and max(x, to_x) > rect.x
        and min(y, to_y) < rect.y + rect.height
        and max(y, to_y) > rect.y
    ]


def test_lines_that_pass_over_others_cross_no_box_and_are_apart() -> None:
    drawn = picture(CROSSING)
    layout = lay_out(drawn)
    paths = re.findall(r'class="arrow(?: link)?" d="([^"]+)"', as_svg(drawn))
    detours = [corners(path) for path in paths if "V" in path]
    assert len(detours) == 4  # a to c, a to d, b to d, and h to its handler
    for points in detours:
        assert crossed(points, layout.boxes.values()) == []
    assert len({points[2][1] for points in detours}) == 3


# The handler of a node two bodies further in, which has nodes after it, branches below it and blocks beside it.
OUTWARDS = """
<foreach id="f" collection="range(2)">
  <parallel id="p">
    <branch>
      <source:http id="h" url="u"><on-error><fallback node="spare"/></on-error></source:http>
      <source:http id="next" url="u"/>
    </branch>
    <branch><source:http id="below" url="u"/></branch>
  </parallel>
  <source:http id="after" url="u"/>
</foreach>
<source:http id="beside" url="u"/>
<source:http id="last" url="u" after="f"/>
<source:http id="spare" url="u"/>
"""


def test_a_line_to_a_handler_of_a_body_around_crosses_no_node() -> None:
    drawn = picture(OUTWARDS)
    layout = lay_out(drawn)
    (path,) = re.findall(r'class="arrow link" d="([^"]+)"', as_svg(drawn))
    points = corners(path)
    numbers = {box.label: box.number for group in all_groups(drawn) for box in group.boxes}
    around = {numbers["f"], numbers["p"]}
    rects = [rect for number, rect in layout.boxes.items() if number not in around]
    assert crossed(points, rects) == []
    start, end = layout.boxes[numbers["h"]], layout.boxes[numbers["spare"]]
    assert points[0] == (start.x + start.width, start.middle)
    assert points[-1] == (end.x, end.middle)


@pytest.mark.parametrize("char", ["\u00a0", "\u200d", "\u00ad", "é", "名"])
def test_what_unicode_has_for_texts_stays(char: str) -> None:
    drawn = picture(f'<phase name="x{char}y"><delay id="b" duration="1s"/></phase>')
    for draw in (as_svg, as_mermaid, as_dot):
        assert f"x{char}y" in draw(drawn)


@pytest.mark.parametrize("char", ["\x07", "\ud800", "\u2028", "\uffff"])
def test_what_has_no_place_in_a_line_is_replaced(char: str) -> None:
    assert fit(f"x{char}y") == "x�y"


def wide(count: int) -> Picture:
    branches = "".join(
        f'<branch><source:http id="n{i}" url="u"><on-error><fallback node="k{i}"/></on-error></source:http>'
        f'<source:http id="k{i}" url="u"/></branch>'
        for i in range(count)
    )
    return picture(f'<parallel id="p">{branches}</parallel>')


def test_of_a_block_with_many_branches_some_are_drawn_and_the_others_counted() -> None:
    whole = wide(60)
    assert boxes(folded(wide(8))).keys() == boxes(wide(8)).keys()
    few = folded(whole)
    assert {label for label in boxes(few) if label.startswith("n")} == {f"n{i}" for i in range(8)}
    assert "… 52 more" in as_svg(few)
    assert len(few.links) == 8  # no link leads to what is not there


def test_the_branches_that_are_looked_for_are_drawn_in_their_places() -> None:
    whole = wide(60)
    known = boxes(whole)
    few = folded(whole, {known["n40"].number, known["k50"].number})  # type: ignore[attr-defined]
    drawn = as_svg(few)
    etree.fromstring(drawn.encode())
    assert re.findall(">(n[0-9]+)<", drawn) == [*(f"n{i}" for i in range(6)), "n40", "n50"]


def test_numbers_of_a_folded_picture_are_unique() -> None:
    groups = [group.number for group in all_groups(folded(wide(60)))]
    assert len(set(groups)) == len(groups)
