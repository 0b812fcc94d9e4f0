"""Owns the picture of the rooms: drawn from the import contract, so that it shows what the checks hold to."""

from __future__ import annotations

import tomllib
from html import escape
from importlib import import_module
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
ROOMS = Path(__file__).parents[1] / "pictures" / "rooms.svg"
"""Where the picture is."""
_WIDTH = 760
_HEIGHT = 44
_GAP = 14


def layers() -> list[list[str]]:
    """The rooms, the topmost first; those that are side by side know nothing of each other."""
    contracts = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    [contract] = [one for one in contracts if one["type"] == "layers"]
    return [
        [room.strip().rpartition(".")[2] for room in layer.split(":")]
        for layer in contract["layers"]
    ]


def meaning(room: str) -> str:
    """What a room owns, as its own first line says."""
    said = (import_module(f"flowscript_trio.{room}").__doc__ or "").split("\n")[0]
    return said.rpartition(": ")[2].split(". ")[0].rstrip(".").replace("``", "")


def rooms() -> str:
    """The picture, as a file of SVG."""
    parts = []
    for level, names in enumerate(layers()):
        top = level * (_HEIGHT + _GAP)
        width = (_WIDTH - _GAP * (len(names) - 1)) / len(names)
        for at, name in enumerate(names):
            left = at * (width + _GAP)
            parts.append(
                f'<g><rect x="{left + 1:g}" y="{top + 1}" width="{width - 2:g}" height="{_HEIGHT - 2}" rx="6"/>'
                f'<text x="{left + 14:g}" y="{top + 27}"><tspan class="room">{name}</tspan>'
                + ("" if len(names) > 1 else f'<tspan x="150">{escape(meaning(name))}</tspan>')
                + "</text></g>"
            )
        if level:
            middle = _WIDTH / 2
            parts.append(f'<path d="M{middle} {top - _GAP + 1}v{_GAP - 4}m-4 -5l4 5l4 -5"/>')
    height = len(layers()) * (_HEIGHT + _GAP) - _GAP
    style = (
        "rect{fill:#fff}@media(prefers-color-scheme:dark){svg{color:#ddd}rect{fill:#1a1c1e}}"
        "rect,path{stroke:currentColor;stroke-width:1.2}path{fill:none}"
        "text{fill:currentColor;font:14px sans-serif}.room{font-weight:600}"
    )
    label = "The rooms, each of which imports only those below it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" viewBox="0 0 {_WIDTH} {height}" '
        f'width="100%"><style>{style}</style>{"".join(parts)}</svg>\n'
    )
