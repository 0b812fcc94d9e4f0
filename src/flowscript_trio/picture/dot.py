"""Owns pictures in DOT, the language of Graphviz. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .layout import all_groups, lines_of
from .model import Group, Picture
from .texts import fit


def as_dot(picture: Picture) -> str:
    """A picture as a DOT graph; a node that has bodies is a cluster, with a point in it for the arrows' ends."""
    blocks = {box.number for group in all_groups(picture) for box in group.boxes if box.groups}
    lines = [
        f"digraph {_quoted([picture.name])} {{",
        "  rankdir=LR; compound=true;",
        "  node [shape=box, style=rounded];",
        *_inner(picture.groups, "  "),
    ]
    for group in all_groups(picture):
        lines += [f"  {_arrow(a, b, blocks)};" for a, b in group.arrows]
    for link in picture.links:
        word = f"style=dashed, label={_quoted([link.word])}"
        lines.append(f"  {_arrow(link.source, link.target, blocks, word)};")
    return "\n".join([*lines, "}"]) + "\n"


def _inner(groups: tuple[Group, ...], indent: str) -> Iterator[str]:
    for group in groups:
        if group.title:
            yield f"{indent}subgraph cluster_g{group.number} {{"
            yield f"{indent}  label={_quoted([group.title])}; style=dotted;"
            yield from _boxes(group, indent + "  ")
            yield f"{indent}}}"
        else:
            yield from _boxes(group, indent)


def _boxes(group: Group, indent: str) -> Iterator[str]:
    for box in group.boxes:
        label = _quoted(lines_of(box))
        if box.groups:
            yield f"{indent}subgraph cluster_n{box.number} {{"
            yield f"{indent}  label={label}; style=solid;"
            yield f'{indent}  n{box.number} [shape=point, style=invis, label=""];'
            yield from _inner(box.groups, indent + "  ")
            yield f"{indent}}}"
        else:
            style = ', style="rounded,dashed"' if box.is_handler else ""
            yield f"{indent}n{box.number} [label={label}{style}];"


def _arrow(source: int, target: int, blocks: set[int], more: str = "") -> str:
    told = [f"ltail=cluster_n{source}"] if source in blocks else []
    told += [f"lhead=cluster_n{target}"] if target in blocks else []
    told += [more] if more else []
    return f"n{source} -> n{target}" + (f" [{', '.join(told)}]" if told else "")


def _quoted(lines: list[str]) -> str:
    shown = map(fit, lines)
    return '"' + "\\n".join(s.replace("\\", "\\\\").replace('"', '\\"') for s in shown) + '"'
