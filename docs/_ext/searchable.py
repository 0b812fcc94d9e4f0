"""Owns what the search of the built pages finds besides text: each setting and each function, at its own line.

Where none were found the build warns, and so fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes

KINDS = {"setting": "setting", "function": "function"}
"""What the head of a first column says, and what the search calls the things in it."""


def things(page: nodes.Node) -> Iterator[tuple[str, str, nodes.row]]:
    """The kind, the name and the row of each thing that a table of a page has; several names may share a row."""
    for table in page.findall(nodes.table):
        head = next(iter(table.findall(nodes.thead)), None)
        kind = None if head is None else KINDS.get(_first(head).astext())
        section = table.parent
        if kind is None or not isinstance(section, nodes.section):
            continue
        title = section[0].astext()
        for body in table.findall(nodes.tbody):
            for row in body.findall(nodes.row):
                for code in _first(row).findall(nodes.literal):
                    name = code.astext().partition("(")[0]
                    of = title[:1].lower() + title[1:]
                    yield kind, name if kind == "function" else f"{name} of {of}", row


def _first(part: nodes.Element) -> nodes.entry:
    return next(iter(part.findall(nodes.entry)))


def _note(app: Any, page: nodes.document) -> None:
    domain = app.env.get_domain("std")
    for kind, name, row in things(page):
        anchor = nodes.make_id(f"{kind}-{name}")
        row["ids"].append(anchor)
        domain.note_object(kind, name, anchor)


def _check(app: Any, env: Any) -> None:
    from sphinx.util import logging

    noted = {kind for kind, _ in env.get_domain("std").objects}
    for kind in KINDS.values():
        if kind not in noted:
            logging.getLogger(__name__).warning("the search would find no %s", kind)


def setup(app: Any) -> dict[str, Any]:
    for kind in KINDS.values():
        app.add_object_type(kind, f"{kind}-named", objname=kind)
    app.connect("doctree-read", _note)
    app.connect("env-check-consistency", _check)
    return {"parallel_read_safe": True}
