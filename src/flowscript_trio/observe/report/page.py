"""Owns the page of a report: its parts put together, with what it reports as data and never as markup. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from html import escape
from importlib.resources import files
from typing import Any

from .story import Entry, States, story_of

DrawStates = Callable[[States], str]
"""What makes an SVG of a workflow, given how often each of its nodes ended in which way."""

SCRIPTS = ("data", "rows", "drawing", "arrows", "choosing", "acting", "workflow", "page")
"""The script of the page, in this order; each part uses those before it."""


def render_report(entries: Iterable[Entry], graph: str | DrawStates | None = None) -> str:
    """The page of a run.

    Args:
        entries: those of its chronicle, in order.
        graph: an SVG of the workflow, or what makes one of the states of its nodes; it is put in as it is.
    """
    story = story_of(entries)
    data = story.as_dict()
    head = data["head"]
    name = str(head.get("name") or "run")
    parts = {
        "title": escape(f"{name}: {head['status']}"),
        "style": _file("page.css"),
        "graph": graph(story.drawing) if callable(graph) else graph or "",
        "data": embed(data),
        "script": _script(),
    }
    page = _file("page.html")
    before, *rest = page.split("<!--")
    pieces = [before]
    for piece in rest:
        part, _, after = piece.partition("-->")
        pieces += [parts[part], after]
    return "".join(pieces)


def embed(data: Any) -> str:
    """JSON that no text in it can end early, or begin a comment in, where it is in a ``<script>``."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script() -> str:
    """All parts in one function, so that nothing of them is seen from outside."""
    parts = "\n".join(_file(f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _file(name: str) -> str:
    return files(__package__).joinpath("web", name).read_text(encoding="utf-8")
