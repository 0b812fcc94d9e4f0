"""Owns the look at built pages: markup that was not understood, and shows, is a warning, which fails the build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import html

PROSE = re.compile(
    r"&(?:lt|gt|amp|quot);"  # escaped twice
    r"|`|\*\*(?!\w)|\]\("  # Markdown or reStructuredText
    r"|:[a-z]+:`|\{[a-z-]+\}|<!--"  # a role, a directive, a comment
    r"|</?[a-z][\w-]*>"  # an element of a document, which is to be code
    r"|<factory>|\(\*args, \*\*kwargs\)"  # what a signature has instead of words
    r"|PydanticUndefined|Runtime representation of an annotated type|int\(\[x\]\)"  # what Python says of a type
)
CODE = re.compile(r"&(?:gt|amp|quot);|``|^<!--|PydanticUndefined")
"""``&lt;`` is how a document writes ``<`` in an attribute."""
AROUND = 30


def leftovers(page: str) -> Iterator[str]:
    """What was left over on a page of HTML, each with a little of what is around it."""
    tree = html.fromstring(page)
    for article in tree.xpath("//article[@role='main']"):
        for element in article.xpath(".//pre | .//script | .//style | .//svg"):
            element.drop_tree()
        for code in article.xpath(".//code"):
            yield from _found(CODE, code.text_content())
            code.drop_tree()
        for signature in article.xpath(".//dt[contains(@class, 'sig')]"):
            yield from _found(
                re.compile(r"<factory>|\(\*args, \*\*kwargs\)"), signature.text_content()
            )
            signature.drop_tree()
        yield from _misread(article)
        yield from _found(PROSE, article.text_content())


def _misread(article: Any) -> Iterator[str]:
    """Sentences of docstrings that were taken for types, since there is a colon in them."""
    for name in article.xpath(".//dl[contains(@class, 'field-list')]/dt"):
        said = " ".join(name.getnext().text_content().split())
        is_type = name.text_content().strip(" :") in ("Type", "Return type")
        if is_type and re.match(r"[A-Z]?[a-z]+ [a-z]+ [a-z]+", said):
            yield f"{name.text_content()} {said}"


def _found(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for one in pattern.finditer(text):
        yield " ".join(text[max(0, one.start() - AROUND) : one.end() + AROUND].split())


def signature(
    app: Any, what: str, name: str, thing: Any, options: Any, given: str | None, result: str | None
) -> tuple[str, str | None] | None:
    """A signature for people: a default that is made again is ``...``, and a protocol takes nothing."""
    if given is None:
        return None
    if what == "class" and given == "(*args, **kwargs)":
        return "", result
    return re.sub(r", _\w+: [^=]*? = ?\.\.\.", "", given.replace("<factory>", "...")), result


def _warn(app: Any, error: Exception | None) -> None:
    from sphinx.util import logging  # the tests of this module do without it

    if error is not None or app.builder.name != "html":
        return
    for name in sorted(app.env.found_docs):
        page = Path(app.builder.get_outfilename(name)).read_text(encoding="utf-8")
        for found in leftovers(page):
            logging.getLogger(__name__).warning(
                "markup shows on the page: %s", found, location=name
            )


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls it."""
    app.connect("autodoc-process-signature", signature)
    app.connect("build-finished", _warn)
    return {"parallel_read_safe": True}
