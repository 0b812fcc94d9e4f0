"""Owns pictures as Mermaid flowcharts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .layout import all_groups, lines_of
from .model import Box, Group, Picture
from .texts import fit

_ENTITIES = str.maketrans(
    {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}
)


def as_mermaid(picture: Picture) -> str:
    """A picture as the text of a Mermaid flowchart; a node that has bodies is a subgraph of theirs."""
    lines = ["flowchart LR", *_inner(picture.groups, "  ")]
    for group in all_groups(picture):
        lines += [f"  n{a} --> n{b}" for a, b in group.arrows]
    lines += [f"  n{link.source} -. {link.word} .-> n{link.target}" for link in picture.links]
    return "\n".join(lines) + "\n"


def _inner(groups: tuple[Group, ...], indent: str) -> Iterator[str]:
    for group in groups:
        if group.title:
            yield f'{indent}subgraph g{group.number}["{_escaped(group.title)}"]'
            yield from _boxes(group, indent + "  ")
            yield f"{indent}end"
        else:
            yield from _boxes(group, indent)


def _boxes(group: Group, indent: str) -> Iterator[str]:
    for box in group.boxes:
        if box.groups:
            yield f'{indent}subgraph n{box.number}["{_label(box)}"]'
            yield from _inner(box.groups, indent + "  ")
            yield f"{indent}end"
        elif box.is_handler:
            yield f'{indent}n{box.number}(["{_label(box)}"])'
        else:
            yield f'{indent}n{box.number}["{_label(box)}"]'


def _label(box: Box) -> str:
    return "<br/>".join(map(_escaped, lines_of(box)))


def _escaped(text: str) -> str:
    return fit(text).translate(_ENTITIES)
