"""Owns the tests of how well the report can be read: contrast in light and dark, widths of screens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from browsing import CHROMIUM, Browser, browsing
from reporting import page_of

LEAST = 4.5
"""The contrast of text that WCAG 2 asks for (level AA)."""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

# Every state, both kinds of waits, a bracket, a fold, a table with errors, and a drawing with a handler.
ALL_LOOKS = """
<source:stub id="start" takes="1s" fails="x"><on-error>
  <retry max="1" base="2s" backoff="fixed" jitter="none" when="true"/><fallback node="kept"/></on-error>
</source:stub>
<source:stub id="kept" takes="3s"/>
<source:stub id="never" if="false" after="start"/>
<foreach id="each" collection="range(60)" item="n" after="start" maxConcurrency="20">
  <source:stub id="page" takes="1s"/>
</foreach>
<parallel id="p" maxConcurrency="14" after="each">
  {hanging}
  <branch><source:stub id="first" takes="1s"/></branch>
  <branch><source:stub id="bad" takes="3s" fails="broken"/></branch>
  <branch><source:stub id="late" takes="1h"/></branch>
</parallel>
""".format(
    hanging="".join(
        f'<branch><source:stub id="w{i}" takes="1s"/><source:stub id="h{i}" hangs="true"/></branch>'
        for i in range(12)
    )
)

# Before each text the pixels under it are looked at. A line of a few pixels is no ground: what counts is the worst
# contrast but for a tenth of the pixels. Rows that are half below the times or the edge are left out.
WATCH = """
window.drawn = [];
const linear = (v) => (v <= 10.31 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const luminance = (colour) => {
  const [x, y, z] = colour.map(linear);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
window.contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
window.rgb = (text, under = [255, 255, 255]) => {
  const at = document.createElement("canvas").getContext("2d");
  at.fillStyle = `rgb(${under.join(" ")})`;
  at.fillRect(0, 0, 1, 1);
  at.fillStyle = text;
  at.fillRect(0, 0, 1, 1);
  return [...at.getImageData(0, 0, 1, 1).data.slice(0, 3)];
};
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const wide = Math.ceil(this.measureText(text).width);
  const isWhole = (y === 12 || y > 30) && y + 6 < this.canvas.height;
  if (wide && isWhole) {
    const { data } = this.getImageData(x, y - 6, Math.min(wide, this.canvas.width - x), 12);
    const ink = rgb(this.fillStyle);
    const found = [];
    for (let at = 0; at < data.length; at += 4) found.push(contrast(ink, [...data.slice(at, at + 3)]));
    found.sort((a, b) => a - b);
    window.drawn.push([text, found[Math.floor(found.length / 10)]]);
  }
  fill.call(this, text, x, y);
};
"""

# The contrast of each text of the page with what lies behind it.
TEXTS = """
(() => {
  const found = [];
  const ground = (element) => {
    const around = [];
    for (let each = element; each; each = each.parentElement) around.unshift(each);
    let under = rgb("Canvas");
    for (const each of around) {
      const svg = each instanceof SVGGElement && each.querySelector(":scope > rect");
      const paper = each instanceof SVGSVGElement && each.querySelector(":scope > .paper");
      under = rgb(getComputedStyle(each).backgroundColor, under);
      if (svg || paper) under = rgb(getComputedStyle(svg || paper).fill, under);
    }
    return under;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    const isSeen = text.data.trim() && element.getClientRects().length
      && !["SCRIPT", "STYLE", "title", "CANVAS"].includes(element.tagName);
    if (!isSeen) continue;
    const style = getComputedStyle(element), under = ground(element);
    const ink = element instanceof SVGElement ? style.fill : style.color;
    found.push([text.data.slice(0, 60), contrast(rgb(ink, under), under)]);
  }
  const field = document.getElementById("find"), under = ground(field);
  found.push(["placeholder", contrast(rgb(getComputedStyle(field, "::placeholder").color, under), under)]);
  return found;
})()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    each = '<source:stub id="n" takes="1s"/>'
    lanes = f'<foreach id="f" collection="range(2000)" maxConcurrency="100">{each}</foreach>'
    long = "a-path-that-is-as-long-as-paths-are-where-people-name-things-well"
    few = f'<phase name="{long}"><source:stub id="{long}-too" fails="{"word " * 60}"/></phase>'
    return {
        "all": page_of(ALL_LOOKS, folder / "all.html"),
        "few": page_of(few, folder / "few.html"),
        "many": page_of(lanes, folder / "many.html"),
    }


def too_weak(found: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(text, round(value, 2)) for text, value in found if value < LEAST]


@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_its_ground(
    dark: bool, browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    page.open(reports["all"], dark=dark, height=2000)
    place = page.run("flowscriptReport.place('p/13/bad')")
    page.move(place["x"], place["y"])
    page.run("flowscriptReport.select('each[3]')")
    drawn = page.run("drawn")
    said = " ".join(text for text, _ in drawn)
    for sign in "✗⊘↪✓‖↻▸":
        assert sign in said, f"{sign} was not drawn"
    assert "cancels" in said
    assert too_weak(drawn) == []
    texts = page.run(TEXTS)
    assert {"✗ failed", "⊘ cancelled"} <= {text for text, _ in texts}
    assert "✗ bad" in {text for text, _ in texts}  # in the drawing
    assert too_weak(texts) == []


@needs_browser
def test_a_text_that_does_not_stand_out_is_found(
    browser: Browser, reports: dict[str, Path], tmp_path: Path
) -> None:
    weak = reports["all"].read_text().replace("--onbar:#fff", "--onbar:#999", 1)
    (tmp_path / "weak.html").write_text(weak.replace("--soft:#59636e", "--soft:#999", 1))
    page = browser.page()
    page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    page.open(tmp_path / "weak.html")
    assert "✗ bad" in str(too_weak(page.run("drawn")))
    assert "failed after" in str(too_weak(page.run(TEXTS)))


@needs_browser
@pytest.mark.parametrize("width", [420, 800, 1200, 2000])
@pytest.mark.parametrize("name", ["all", "few", "many"])
def test_it_fits_on_screens_of_all_widths(
    name: str, width: int, browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.page()
    page.open(reports[name], width=width)
    page.run("flowscriptReport.select(flowscriptReport.chosen() || 'f')")  # with its details
    page.run("new Promise(done => setTimeout(done, 50))")
    assert page.run("document.documentElement.scrollWidth") <= width
    for part in ("timeline", "detail", "listing", "drawing"):
        box = page.run(f"document.getElementById('{part}').getBoundingClientRect().toJSON()")
        assert box["left"] >= 0, part
        assert box["right"] <= width, part
    canvas = page.run("document.getElementById('canvas').clientWidth")
    assert canvas > width * 0.45
    assert page.console == []


def colours(dark: bool) -> dict[str, str]:
    """The colours of a theme, by their names in the style sheet."""
    sheet = files("flowscript_trio.observe.report").joinpath("web", "page.css").read_text()
    blocks = re.findall(r":root\{([^}]*)\}", sheet)
    assert len(blocks) == 2
    found = dict(re.findall(r"--(\w+):(#\w+)", blocks[0]))
    return found | (dict(re.findall(r"--(\w+):(#\w+)", blocks[1])) if dark else {})


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    ]
    return sum(
        weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


STATES = ("success", "failed", "cancelled", "fallback", "restored", "skipped", "running")
PAIRS = [
    *(("onbar", state) for state in STATES),
    *((state, "paper") for state in (*STATES, "token", "retry", "ink", "soft")),
    *((ink, "hover") for ink in ("ink", "soft")),
]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_the_colours_of_the_style_sheet_stand_out(ink: str, ground: str, dark: bool) -> None:
    found = colours(dark)
    assert contrast(found[ink], found[ground]) >= LEAST


def test_black_on_white_is_the_most_that_there_is() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(
        4.48, abs=0.01
    )  # known to be just too little
