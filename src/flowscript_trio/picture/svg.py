"""Owns pictures as SVG: one self-contained drawing, for light and dark. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from xml.sax.saxutils import escape

from .layout import LINE, PAD, STEP, Layout, Rect, all_groups, lay_out, lines_of
from .model import Box, Group, Link, Picture
from .texts import fit

STYLE = """
.flowscript{--ink:#1f2328;--soft:#59636e;--paper:#fff;--node:#f6f8fa;--edge:#8c959f;--block:#ddf4ff;--body:#fff;
--handler:#fff8c5;font:14px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.flowscript{--ink:#f0f6fc;--soft:#9198a1;--paper:#0d1117;--node:#151b23;
--edge:#656c76;--block:#12263c;--body:#0d1117;--handler:#332a00}}
.flowscript .paper{fill:var(--paper)}
.flowscript text{fill:var(--ink)}
.flowscript .soft{fill:var(--soft);font-size:12px}
.flowscript .name{font-weight:600}
.flowscript .node rect{fill:var(--node);stroke:var(--edge)}
.flowscript .block>rect{fill:var(--block)}
.flowscript .handler>rect{fill:var(--handler);stroke-dasharray:5 3}
.flowscript .body>rect{fill:var(--body);stroke:var(--edge);stroke-dasharray:2 3}
.flowscript .arrow{fill:none;stroke:var(--soft);stroke-width:1.5}
.flowscript .link{stroke-dasharray:5 4}
.flowscript marker path{fill:var(--soft)}
"""


def as_svg(picture: Picture) -> str:
    """A picture as an SVG document; what is in a box is behind its lines, so that nothing is hidden."""
    layout = lay_out(picture)
    whole = layout.whole
    size = f'width="{whole.width:g}" height="{whole.height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flowscript" role="img" {size} '
        f'viewBox="0 0 {whole.width:g} {whole.height:g}">',
        f"<title>{_text(picture.name)}</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="flowscript-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>',
        f'<rect class="paper" {size}/>',
        _line(PAD, PAD + LINE - 4, picture.name, "name"),
    ]
    for group in picture.groups:
        lines += _group(group, layout)
    for group in all_groups(picture):
        lines += _arrows(group, picture.links, layout)
    around = {box.number: group for group in all_groups(picture) for box in group.boxes}
    holder = {
        inner.number: box.number
        for group in around.values()
        for box in group.boxes
        for inner in box.groups
    }
    for link in picture.links:
        if around[link.source] is not around[link.target]:  # a handler of a body around
            lines.append(_outwards(link, around, holder, layout))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _group(group: Group, layout: Layout) -> Iterator[str]:
    rect = layout.groups[group.number]
    yield f'<g class="body" id="flowscript-{group.number}">{_rect(rect, 4)}'
    if group.title:
        yield _line(rect.x + PAD, rect.y + LINE, group.title, "soft")
    for box in group.boxes:
        yield from _box(box, layout)
    yield "</g>"


def _box(box: Box, layout: Layout) -> Iterator[str]:
    rect = layout.boxes[box.number]
    kind = "node block" if box.groups else "node"
    kind += " handler" if box.is_handler else ""
    yield f'<g class="{kind}" id="flowscript-{box.number}">{_rect(rect, 8)}'
    for number, line in enumerate(lines_of(box)):
        y = rect.y + PAD + LINE * number + LINE - 5
        yield _line(rect.x + PAD, y, line, "soft" if number else "name")
    for group in box.groups:
        yield from _group(group, layout)
    yield "</g>"


def _rect(rect: Rect, radius: int) -> str:
    return (
        f'<rect x="{rect.x:g}" y="{rect.y:g}" width="{rect.width:g}" height="{rect.height:g}" '
        f'rx="{radius}"/>'
    )


def _line(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{_text(text)}</text>'


def _arrows(group: Group, links: tuple[Link, ...], layout: Layout) -> Iterator[str]:
    """The arrows and links between boxes of a group: those that pass over a wave run below all of its boxes."""
    wave_of = {box.number: at for at, wave in enumerate(group.waves) for box in wave}
    drawn = [(a, b, "arrow", "") for a, b in group.arrows]
    drawn += [(k.source, k.target, "arrow link", k.word) for k in links if _is_in(k, wave_of)]
    rect = layout.groups[group.number]
    lines = 0
    for source, target, kind, word in drawn:
        a, b = layout.boxes[source], layout.boxes[target]
        if wave_of[target] - wave_of[source] == 1:
            yield _arrow(a, b, kind, word)
            continue
        wave = (layout.boxes[box.number] for box in group.waves[wave_of[source]])
        right = max(other.x + other.width for other in wave)
        below = rect.y + rect.height - 2 - 3 * (lines % 3)  # so that two are not taken for one
        lines += 1
        yield _detour(a, b, right, below, kind, word)


def _outwards(link: Link, around: dict[int, Group], holder: dict[int, int], layout: Layout) -> str:
    """A line to a handler of a body around: below the boxes of each body that it leaves, so that it crosses none.

    ``around`` is the group of each box, ``holder`` the box of each group. What is in a body's clean-up is not
    inside the body, so that a line from there is a curve.
    """
    source, target = layout.boxes[link.source], layout.boxes[link.target]
    path = f"M{source.x + source.width:g} {source.middle:g}"
    number, outer = link.source, around[link.target]
    while (group := around[number]) is not outer:
        if group.number not in holder:
            return _arrow(source, target, "arrow link", link.word)
        path += f"H{_right_of_wave(number, group, layout) + STEP / 3:g}V{_below(group, layout):g}"
        number = holder[group.number]
    if _wave_of(link.target, outer) - _wave_of(number, outer) > 1:
        path += f"H{_right_of_wave(number, outer, layout) + STEP / 3:g}V{_below(outer, layout):g}"
    path += f"H{target.x - STEP / 2:g}V{target.middle:g}H{target.x:g}"
    return _path(path, "arrow link", link.word)


def _wave_of(number: int, group: Group) -> int:
    return next(at for at, wave in enumerate(group.waves) if number in [b.number for b in wave])


def _right_of_wave(number: int, group: Group, layout: Layout) -> float:
    wave = group.waves[_wave_of(number, group)]
    rects = (layout.boxes[box.number] for box in wave)
    return max(rect.x + rect.width for rect in rects)


def _below(group: Group, layout: Layout) -> float:
    rect = layout.groups[group.number]
    return rect.y + rect.height - 2


def _is_in(link: Link, boxes: Collection[int]) -> bool:
    return link.source in boxes and link.target in boxes


def _detour(a: Rect, b: Rect, right: float, below: float, kind: str, word: str) -> str:
    """A line beyond the ``right`` side of a box's wave, down, along, and up to the left side of another."""
    start = f"M{a.x + a.width:g} {a.middle:g}H{right + STEP / 3:g}V{below:g}"
    return _path(f"{start}H{b.x - STEP / 2:g}V{b.middle:g}H{b.x:g}", kind, word)


def _arrow(a: Rect, b: Rect, kind: str, word: str = "") -> str:
    """A curve from the right side of one box to the left side of another."""
    x, y, to_x, to_y = a.x + a.width, a.middle, b.x, b.middle
    bend = max(abs(to_x - x) / 2, 20)
    path = f"M{x:g} {y:g}C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"
    return _path(path, kind, word)


def _path(path: str, kind: str, word: str) -> str:
    title = f"<title>{_text(word)}</title>" if word else ""
    return f'<path class="{kind}" d="{path}" marker-end="url(#flowscript-head)">{title}</path>'


def _text(text: str) -> str:
    return escape(fit(text))
