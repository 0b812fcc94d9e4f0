"""Owns the tests of the report in a real browser: what people see, click and press."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest

from flowscript_trio.observe.report import render_report

from browsing import CHROMIUM, Browser, Page, browsing
from reporting import page_of

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

SPARE = "".join(f'<branch><source:stub id="n{i}" hangs="true"/></branch>' for i in range(11))
TWELVE = f"""
<source:stub id="start" takes="1s" gives="rows"/>
<parallel id="p" maxConcurrency="12" after="start">
  {SPARE}
  <branch><source:stub id="bad" takes="2s" input="start" fails="&lt;b>broken&lt;/b>"/></branch>
</parallel>
"""


# What is written on the canvas.
DRAWN = """
window.drawn = [];
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  window.drawn.push(text);
  fill.call(this, text, ...at);
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture
def twelve(browser: Browser, tmp_path: Path) -> Page:
    page = browser.page()
    page.open(page_of(TWELVE, tmp_path / "r.html"))
    return page


def click_on(page: Page, path: str) -> None:
    place = page.run(f"flowscriptReport.place('{path}')")
    page.click(place["x"], place["y"])


def test_a_failing_run_says_what_failed_where_and_what_that_cancelled(twelve: Page) -> None:
    assert twelve.run("flowscriptReport.lanes()") == 14
    assert twelve.run("flowscriptReport.arrows()") == 11  # one to each lane that was cancelled
    assert twelve.text("#name") == "✗ test"
    assert twelve.text("#failure") == "p/11/bad: ValueError: <b>broken</b>"
    assert twelve.text("#where") == "w.xml:6:11 · 11 branches were cancelled"
    # The block that failed since a branch of it did is not counted.
    summary = twelve.text("#summary")
    assert summary.startswith("failed after 3.00 s · 1 failed, 11 cancelled, 1 succeeded · w.xml")
    assert twelve.run("flowscriptReport.chosen()") == "p/11/bad"


def test_the_iteration_that_failed_is_chosen_and_named_and_scrolled_to(
    browser: Browser, tmp_path: Path
) -> None:
    body = """<foreach id="pages" collection="range(80)" item="n" maxConcurrency="unlimited">
      <source:stub id="get" takes="1s"/>
      <if id="odd" condition="n == 61"><then><source:stub id="page" fails="gone"/></then></if>
      <source:stub id="long" hangs="true"/></foreach>"""
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html"))
    assert page.text("#failure") == "pages[61]/odd/page: ValueError: gone"
    assert page.text("#where").endswith("79 iterations were cancelled")
    assert page.run("flowscriptReport.chosen()") == "pages[61]/odd/page"
    labels, looks = page.run("flowscriptReport.labels()"), page.run("flowscriptReport.looks()")
    assert [label for label, look in zip(labels, looks, strict=True) if look == "failed"] == [
        "pages",
        "iteration 61",
        "page",
    ]
    place = page.run("flowscriptReport.place('pages[61]/odd/page')")
    box = page.run("document.getElementById('canvas').getBoundingClientRect().toJSON()")
    assert box["top"] + 24 < place["y"] < box["bottom"] - 10


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
    assert twelve.text("#chosen").startswith("start: succeeded after")
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


def test_the_table_lists_what_failed_first_with_its_error(twelve: Page) -> None:
    twelve.run("new Promise(done => setTimeout(done, 50))")
    assert twelve.run("document.querySelectorAll('#rows tr').length") == 26
    states = twelve.run(
        "[...document.querySelectorAll('#rows td:nth-child(2)')].map((cell) => cell.textContent)"
    )
    assert states[:3] == ["✗ failed"] * 3
    assert "✗ failed" not in states[3:]
    # The node comes before the block and the branch that failed because of it.
    assert twelve.text("#rows tr td") == "p/11/bad"
    assert twelve.text("#rows tr td:nth-child(5)") == "ValueError: <b>broken</b>"
    # What was cancelled comes before what succeeded.
    assert states[3:] == ["⊘ cancelled"] * 22 + ["✓ succeeded"]
    assert twelve.text("#rows tr:last-child td") == "start"
    twelve.run("document.querySelector('#rows tr:last-child button').click()")
    assert twelve.run("flowscriptReport.chosen()") == "start"


def test_the_drawing_has_the_states_of_its_nodes_and_leads_to_them(twelve: Page) -> None:
    looks = twelve.run(
        "[...document.querySelectorAll('#drawing g.node')].map((node) => node.dataset.look)"
    )
    assert sorted(looks) == ["cancelled"] * 7 + ["failed"] * 2 + ["success"]  # four are folded
    failed = twelve.run(
        "[...document.querySelectorAll('#drawing [data-look=failed]:not(.block) .name')]"
        ".map((name) => name.textContent)"
    )
    assert failed == ["✗ bad"]
    fill = "getComputedStyle(document.querySelector('#drawing [data-look=%s] rect')).stroke"
    assert twelve.run(fill % "failed") == "rgb(207, 34, 46)"
    twelve.run(
        "document.querySelector('#drawing [data-look=success]').dispatchEvent(new MouseEvent('click'))"
    )
    assert twelve.run("flowscriptReport.chosen()") == "start"


def test_a_large_drawing_does_not_push_the_table_away_and_folds(
    browser: Browser, tmp_path: Path
) -> None:
    branches = "".join(f'<branch><source:stub id="n{i}"/></branch>' for i in range(60))
    branches = branches.replace('id="n40"', 'id="n40" fails="no"')
    page = browser.page()
    page.open(page_of(f'<parallel id="p">{branches}</parallel>', tmp_path / "r.html"))
    tops = {
        name: page.run(f"document.getElementById('{name}').getBoundingClientRect().top")
        for name in ("canvas", "listing", "drawing")
    }
    assert tops["canvas"] < tops["listing"] < tops["drawing"]
    height = "document.getElementById('drawing').getBoundingClientRect().height"
    assert page.run(height) < 560
    # What failed is among the branches that stand for all, and is scrolled to.
    assert page.run("document.querySelectorAll('#drawing g.node:not(.block)').length") == 8
    assert "… 52 more" in page.run("document.querySelector('#drawing svg').textContent")
    failed = page.run(
        "document.querySelector('#drawing [data-look=failed]:not(.block)').getBoundingClientRect().toJSON()"
    )
    frame = page.run("document.querySelector('#drawing > div').getBoundingClientRect().toJSON()")
    assert frame["top"] <= failed["top"]
    assert failed["bottom"] <= frame["bottom"]
    page.run("document.getElementById('drawing').open = false")
    assert page.run(height) < 50


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


def test_ten_thousand_nodes_open_folded_unfold_and_zoom(browser: Browser, tmp_path: Path) -> None:
    body = (
        '<foreach id="f" collection="{{$input}}" maxConcurrency="100">'
        '<source:stub id="n" takes="1s"/></foreach>'
    )
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html", input=list(range(10_000)), keep=10))
    assert page.run("flowscriptReport.labels()") == ["f", "▸ 10000 ✓ succeeded"]
    place = page.run("flowscriptReport.placeOfRow(1)")
    page.click(place["x"], place["y"])
    assert page.run("flowscriptReport.lanes()") == 10_001
    assert page.run("flowscriptReport.chosen()") == "f[0]"
    for _ in range(20):
        page.run("flowscriptReport.zoom(0.8, 30)")
    first, last = page.run("flowscriptReport.range()")
    assert last - first == pytest.approx(100 * 1.05 * 0.8**20, rel=0.05)
    assert page.console == []


def test_above_fifty_lanes_what_succeeded_is_folded_around_what_failed(
    browser: Browser, tmp_path: Path
) -> None:
    body = """<foreach id="f" collection="range({count})" item="m" maxConcurrency="1" tolerate="100%">
      <source:stub id="n" takes="1s"/>
      <if id="i" condition="m == 20"><then><source:stub id="bad" fails="no"/></then></if></foreach>"""
    page = browser.page()
    page.open(page_of(body.format(count=90), tmp_path / "r.html"))
    folded = ["f", "▸ 20 ✓ succeeded", "iteration 20", "bad", "▸ 69 ✓ succeeded"]
    assert page.run("flowscriptReport.labels()") == folded
    assert page.run("flowscriptReport.chosen()") == "f[20]/i/bad"  # though the run completed
    assert page.run("document.getElementById('failure').hidden") is True
    assert page.run("document.getElementById('listing').open") is True
    # By keyboard: the fold is a row, and Enter opens it.
    page.run("document.getElementById('canvas').focus()")
    page.press("Home")
    page.press("ArrowDown")
    assert page.text("#chosen").startswith("20 lanes on which all succeeded")
    page.press("Enter")
    assert page.run("flowscriptReport.chosen()") == "f[0]"
    assert page.run("flowscriptReport.labels()")[1:3] == ["iteration 0", "iteration 1"]
    # What is chosen elsewhere is shown, and the button folds and unfolds all.
    page.run("flowscriptReport.select('f[80]')")
    assert page.run("flowscriptReport.lanes()") == 92
    for lanes in (92, 5):
        page.run("document.getElementById('folding').click()")
        assert page.run("flowscriptReport.lanes()") == lanes
    few = browser.page()
    few.open(page_of(body.format(count=45), tmp_path / "few.html"))
    assert few.run("flowscriptReport.lanes()") == 47
    assert few.run("document.getElementById('folding').hidden") is True


def test_what_was_undone_is_folded_and_the_cause_of_the_failure_leads_the_table(
    browser: Browser, tmp_path: Path
) -> None:
    body = """<foreach id="f" collection="range(40)" item="m" tolerate="1">
      <source:stub id="n" takes="1s" fails="{{if_else(m == 3, 'tolerated', null)}}">
        <compensate><source:stub id="undo"/></compensate></source:stub></foreach>
      <source:stub id="bad" fails="no" after="f"/>"""
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html"))
    labels = page.run("flowscriptReport.labels()")
    assert labels[-2:] == ["bad", "▸ 39 ✓ undone"]
    rows = page.run("[...document.querySelectorAll('#rows td:first-child')].map(c => c.innerText)")
    assert rows[:2] == ["bad", "f[3]/n"]
    assert page.console == []


def test_on_a_narrow_screen_lanes_keep_what_tells_them_from_others(
    browser: Browser, tmp_path: Path
) -> None:
    body = """<foreach id="f" collection="range(120)" item="m" maxConcurrency="1" tolerate="100%">
      <source:stub id="n" takes="1s"/>
      <source:stub id="bad" if="m == 111" fails="no"/></foreach>"""
    page = browser.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=DRAWN)
    page.open(page_of(body, tmp_path / "r.html"), width=420)
    drawn = page.run("drawn")
    assert {"✗ [111]", "▸ 111 ✓", "▸ 8 ✓"} <= set(drawn)
    page.open(tmp_path / "r.html", width=1200)
    assert {"✗ iteration 111", "▸ 111 ✓ succeeded"} <= set(page.run("drawn"))


def test_the_lanes_of_the_document_itself_are_not_folded(browser: Browser, tmp_path: Path) -> None:
    body = """<source:stub id="a" takes="1s"/>
      <foreach id="f" collection="range(90)" after="a"><source:stub id="n"/></foreach>
      <source:stub id="b" takes="1s" after="f"/>"""
    page = browser.page()
    page.open(page_of(body, tmp_path / "r.html"))
    assert page.run("flowscriptReport.labels()") == ["a", "f", "▸ 90 ✓ succeeded", "b"]


def test_an_arrow_leads_to_what_was_cancelled_and_not_to_all_inside_of_it(
    browser: Browser, tmp_path: Path
) -> None:
    inner = '<parallel id="q{0}"><branch><source:stub id="n{0}" hangs="true"/></branch></parallel>'
    branches = "".join(f"<branch>{inner.format(number)}</branch>" for number in range(3))
    bad = '<branch><source:stub id="bad" takes="1s" fails="no"/></branch>'
    page = browser.page()
    page.open(page_of(f'<parallel id="p">{branches}{bad}</parallel>', tmp_path / "r.html"))
    assert page.run("flowscriptReport.arrows()") == 3


def test_many_arrows_are_one_bracket(browser: Browser, tmp_path: Path) -> None:
    page = browser.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=DRAWN)
    page.open(page_of(TWELVE, tmp_path / "r.html"))
    assert "cancels 11" in page.run("drawn")
    few = TWELVE.replace(SPARE, SPARE.partition('<branch><source:stub id="n5"')[0])
    page.open(page_of(few, tmp_path / "few.html"))
    assert page.run("flowscriptReport.arrows()") == 5


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


def test_the_lanes_can_be_those_of_the_workers(browser: Browser, tmp_path: Path) -> None:
    about = {"tag": "source", "type": "source:http", "key": 1, "line": 3, "column": 1}
    entries: list[dict[str, Any]] = [
        {"event": "run-started", "time": 0, "path": "", "run": "1", "name": "w", "file": "w.xml"}
    ]
    for number, worker in ((1, "gpu-1"), (2, "gpu-2"), (3, "gpu-1")):
        known = {"path": f"n{number}", "execution": number}
        awaited = {"event": "token-awaited", "time": 0.5, **known, "limits": ["gpu"]}
        ended = {"time": 2, "status": "success", "duration": 2, "worker": worker}
        entries.append(
            {"event": "node-started", "time": 0, **known, "label": known["path"], **about}
        )
        entries += [awaited, {**awaited, "event": "token-taken", "time": 1}]
        entries.append({"event": "node-ended", **known, **ended})
    entries.append({"event": "run-ended", "time": 2, "path": "", "status": "completed"})
    (tmp_path / "r.html").write_text(render_report(sorted(entries, key=lambda e: e["time"])))
    page = browser.page()
    page.open(tmp_path / "r.html")
    assert page.run("flowscriptReport.labels()") == ["n1 · gpu-1", "n2 · gpu-2", "n3 · gpu-1"]
    page.run("document.getElementById('places').click()")
    assert page.run("flowscriptReport.labels()") == ["gpu-1", "gpu-1 (2)", "gpu-2"]
    # What is cut of a name is its middle.
    cut = page.run(
        "(() => { const ctx = document.createElement('canvas').getContext('2d');"
        " ctx.font = '12px monospace'; return flowscriptReport.fittedName(ctx, 'process 24457 (2)', 70); })()"
    )
    assert cut.startswith("pro")
    assert cut.endswith("(2)")
    click_on(page, "n2")
    told = page.text("#detail")
    assert "worker\ngpu-2" in told
    assert "waited for the limit gpu\n500.0 ms" in told
    page.run("document.getElementById('listing').open = true")
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.text("#rows tr td:nth-child(6)") == "gpu-1"
    assert page.console == []
