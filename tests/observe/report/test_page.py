"""Owns the tests of the report in a real browser: what people see, click and press."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from flowscript_trio.observe.chronicle import Chronicle, Entry
from flowscript_trio.observe.report import render_report
from flowscript_trio.picture import as_svg, picture_of

from browsing import CHROMIUM, Browser, Page, browsing
from stubs import Stubs

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

SPARE = "".join(f'<branch><source:stub id="n{i}" hangs="true"/></branch>' for i in range(11))
TWELVE = f"""
<source:stub id="start" takes="1s" gives="rows"/>
<parallel id="p" maxConcurrency="12" after="start">
  {SPARE}
  <branch><source:stub id="bad" takes="2s" input="start" fails="&lt;b>broken&lt;/b>"/></branch>
</parallel>
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def page_of(body: str, path: Path, **options: Any) -> Path:
    """The report of a run in virtual time."""
    entries: list[Entry] = []
    stubs = Stubs()
    flow = stubs.load(body)

    async def main() -> None:
        with contextlib.suppress(ValueError):
            await stubs.run(body, observers=[Chronicle(entries.append, "w.xml")], **options)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    path.write_text(render_report(entries, as_svg(picture_of(flow))), encoding="utf-8")
    return path


@pytest.fixture
def twelve(browser: Browser, tmp_path: Path) -> Page:
    page = browser.page()
    page.open(page_of(TWELVE, tmp_path / "r.html"))
    return page


def click_on(page: Page, path: str) -> None:
    place = page.run(f"flowscriptReport.place('{path}')")
    page.click(place["x"], place["y"])


def test_a_failing_run_shows_one_failure_and_an_arrow_to_each_lane_that_it_cancelled(
    twelve: Page,
) -> None:
    assert twelve.run("flowscriptReport.failures()") == 1
    assert twelve.run("flowscriptReport.arrows()") == 11
    assert twelve.run("flowscriptReport.lanes()") == 14
    assert twelve.text("#name") == "✗ test"
    assert twelve.text("#failure") == "p/11/bad: ValueError: <b>broken</b>"
    assert "failed after 3.00 s" in twelve.text("#summary")
    assert "11 cancelled" in twelve.text("#summary")


def test_a_click_tells_what_a_node_was_given_and_what_became_of_it(twelve: Page) -> None:
    click_on(twelve, "p/11/bad")
    told = twelve.text("#detail")
    assert "ValueError: <b>broken</b>" in told
    assert "input\nrows" in told
    assert "source:stub, line" in told
    click_on(twelve, "p/3/n3")
    told = twelve.text("#detail")
    assert "cancelled by\np/11" in told
    assert "because\np/11 failed: ValueError" in told
    assert "requested\n3.00 s" in told
    assert "delivered\n3.00 s" in told
    click_on(twelve, "start")
    assert "output\nrows" in twelve.text("#detail")
    assert twelve.run("document.querySelectorAll('#detail b').length") == 0


def test_hovering_tells_it_as_well(twelve: Page) -> None:
    place = twelve.run("flowscriptReport.place('p/3/n3')")
    twelve.move(place["x"], place["y"])
    assert twelve.text("#tip") == "p/3/n3: cancelled after 2.00 s, p/11 failed: ValueError"
    assert twelve.run("document.getElementById('tip').hidden") is False


def test_it_is_used_by_keyboard_alone(twelve: Page) -> None:
    twelve.run("document.getElementById('canvas').focus()")
    twelve.press("Home")
    assert twelve.text("#chosen").startswith("start: success")
    for _ in range(3):
        twelve.press("ArrowDown")
    assert twelve.text("#chosen").startswith("p/1: cancelled")
    twelve.press("ArrowRight")
    assert twelve.text("#chosen").startswith("p/1/n1: cancelled")
    twelve.press("Enter")
    assert "p/1/n1" in twelve.text("#detail")
    assert twelve.run("document.activeElement.id") == "detail"
    twelve.press("Escape")
    assert twelve.run("document.getElementById('detail').hidden") is True
    assert twelve.run("document.activeElement.id") == "canvas"
    before = twelve.run("flowscriptReport.range()")
    twelve.press("+")
    after = twelve.run("flowscriptReport.range()")
    assert after[1] - after[0] == pytest.approx((before[1] - before[0]) / 2)
    twelve.press("0")
    assert twelve.run("flowscriptReport.range()") == before


def test_a_search_leaves_the_lanes_that_it_finds(twelve: Page) -> None:
    twelve.run("document.getElementById('find').focus()")
    for key in "N1":
        twelve.press(key)
    assert twelve.run("flowscriptReport.lanes()") == 2  # n1 and n10
    twelve.press("Backspace")


def test_the_graph_and_a_table_stand_beside_it(twelve: Page) -> None:
    assert twelve.run("document.querySelectorAll('#drawing svg g.node').length") == 14
    twelve.run("document.getElementById('listing').open = true")
    twelve.run("new Promise(done => setTimeout(done, 50))")
    assert twelve.run("document.querySelectorAll('#rows tr').length") == 26
    states = twelve.run(
        "[...document.querySelectorAll('#rows td:nth-child(2)')].map((cell) => cell.textContent)"
    )
    failures = states.count("failed")
    assert failures
    assert states[:failures] == ["failed"] * failures
    assert "Error: " in twelve.text("#rows tr td:nth-child(5)")
    assert twelve.text(f"#rows tr:nth-child({failures + 1}) td") == "start"


def test_nothing_leaves_the_page_and_nothing_goes_wrong_in_it(twelve: Page) -> None:
    click_on(twelve, "p/3/n3")
    assert [url for url in twelve.requests if not url.startswith("file:")] == []
    assert len(twelve.requests) == 1
    assert twelve.console == []


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_drawn_in_light_and_dark(dark: bool, browser: Browser, tmp_path: Path) -> None:
    page = browser.page()
    page.open(page_of(TWELVE, tmp_path / "r.html"), dark=dark)
    colour = page.run("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    place = page.run("flowscriptReport.place('p/11/bad')")
    pixel = page.run(
        "(() => { const c = document.getElementById('canvas'), b = c.getBoundingClientRect();"
        f"return [...c.getContext('2d').getImageData({place['x']} - b.left + 60, {place['y']} - b.top - 6, 1, 1)"
        ".data.slice(0, 3)]; })()"
    )
    assert pixel == ([248, 81, 73] if dark else [207, 34, 46])


def test_ten_thousand_nodes_open_and_zoom(browser: Browser, tmp_path: Path) -> None:
    body = (
        '<foreach id="f" collection="{{$input}}" maxConcurrency="100">'
        '<source:stub id="n" takes="1s"/></foreach>'
    )
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html", input=list(range(10_000)), keep=10))
    assert page.run("flowscriptReport.lanes()") == 10_001
    for _ in range(20):
        page.run("flowscriptReport.zoom(0.8, 30)")
    first, last = page.run("flowscriptReport.range()")
    assert last - first == pytest.approx(100 * 1.05 * 0.8**20, rel=0.05)
    assert page.console == []


HOSTILE = (
    "</title></script><script>document.title = 'owned'</script><!--"
    "<img src=x onerror=\"document.title = 'owned'\">\u2028\u202e"
)


def test_no_text_of_a_stranger_becomes_a_part_of_the_page(browser: Browser, tmp_path: Path) -> None:
    attack = escape(HOSTILE)
    name = attack.replace("\u2028", "")  # which no name may have
    body = f"""<phase name="{name}"><source:stub id="bad" gives="{attack}"/></phase>
      <source:stub id="worse" fails="{attack}"/>"""
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html"))
    page.run("document.getElementById('canvas').focus()")
    shown = []
    for number in range(page.run("flowscriptReport.lanes()")):
        page.press("Home" if number == 0 else "ArrowDown")
        page.press("Enter")
        shown += [page.text("#chosen"), page.text("#detail"), page.text("#failure")]
    page.run("flowscriptReport.select('worse')")
    shown.append(page.text("#detail"))
    assert any("<script>" in text for text in shown), shown
    assert page.run("document.title") != "owned"
    assert page.run("document.querySelectorAll('img').length") == 0
    assert page.requests == [(tmp_path / "r.html").as_uri()]
    assert page.console == []
