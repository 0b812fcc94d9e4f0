"""Owns the proof that markup which shows on a built page is found; the build of the pages looks for it."""

from __future__ import annotations

import pytest
from leftovers import leftovers, signature


def page(body: str) -> str:
    return f"<html><body><p>`outside`</p><article role='main'>{body}</article></body></html>"


@pytest.mark.parametrize(
    "body",
    [
        "<p>in &lt;parallel&gt;</p>",
        "<p>in &amp;lt;parallel&amp;gt;</p>",
        "<td>a `name`</td>",
        "<p>see [there](page.md)</p>",
        "<p>{doc}</p>",
        "<p>**bold**</p>",
        "<p>&lt;!-- generated: settings --&gt;</p>",
        "<code>a &amp;gt; b</code>",
        "<dt class='sig'>Record(*args, **kwargs)</dt>",
        "<dt class='sig'>Record(a: dict = &lt;factory&gt;)</dt>",
        "<td><code>PydanticUndefined</code></td>",
        "<dl class='field-list'><dt>Return type:</dt><dd><p>The texts of the files</p></dd></dl>",
    ],
)
def test_markup_that_shows_on_a_page_is_found(body: str) -> None:
    assert list(leftovers(page(body)))


@pytest.mark.parametrize(
    "body",
    [
        "<p>Plain, with <code>&lt;parallel&gt;</code> and <code>`a`</code>, a &lt; b.</p>",
        '<code>condition="$iteration &amp;lt; 5"</code>',
        "<pre>`&lt;a&gt;` **b** &amp;lt;</pre>",
        "<dt class='sig'>run(flow, **options)</dt>",
        "<dl class='field-list'><dt>Return type:</dt><dd><p>dict[str, str]</p></dd></dl>",
    ],
)
def test_code_and_prose_that_are_right_are_no_finding(body: str) -> None:
    assert list(leftovers(page(body))) == []


def test_a_signature_shows_neither_factories_nor_private_names_nor_that_of_a_protocol() -> None:
    given = "(a: int, b: dict[str, int] = <factory>, _c: dict[str, int] = <factory>)"
    assert signature(None, "class", "R", object, None, given, None) == (
        "(a: int, b: dict[str, int] = ...)",
        None,
    )
    assert signature(None, "class", "L", object, None, "(*args, **kwargs)", None) == ("", None)
