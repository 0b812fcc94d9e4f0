// Owns the rest of the page: what is said first, the legend, the table.
const { failure } = head;

function sayFirst() {
  element("name").textContent = `${MARKS[head.status === "completed" ? "success" : head.status] || ""} ${head.name || "run"}`;
  element("summary").textContent = [
    head.ended ? `${head.status} after ${seconds(head.duration)}` : "the record ends before the run did",
    sayCounts(head.counts), head.file, head.started, head.run && `run ${head.run}`,
  ].filter(Boolean).join(" \u00b7 ");
  const error = head.status === "failed" && head.error;
  if (error) {
    element("failure").textContent = failure ? `${spans[failure.span].path}: ${sayError(error)}` : sayError(error);
    element("failure").hidden = false;
  }
  if (failure) {
    element("where").textContent = [failure.place, failure.cancelled].filter(Boolean).join(" \u00b7 ");
    element("where").hidden = false;
  }
  for (const text of story.warnings.slice(0, 20)) add(element("warnings"), "li", text);
}

function explain(kind, mark, word) {
  const item = add(element("legend"), "span", "");
  add(item, "i", mark).style.color = `var(--${kind})`;
  item.append(` ${word}`);
}

function sayLegend() {
  const looks = new Set(spans.map((span) => span.look));
  const parts = new Set(spans.flatMap((span) => span.parts.map(([kind]) => kind)));
  for (const [look, mark] of Object.entries(MARKS)) if (looks.has(look)) explain(look, mark, wordOf(look));
  for (const [kind, mark] of Object.entries(PARTS)) if (parts.has(kind)) explain(kind, mark, WAITS[kind]);
}

// What made the run fail comes first, then what else failed, as it happened: nodes before the blocks and branches that
// failed because of them. Then come what had not ended, what was suspended or cancelled, and what a fallback stood in for;
// the rest is in the order of the document.
const AT_ONCE = 500;
const isFailed = (span) => span.state === "failed";
const URGENT = ["running", "suspended", "cancelled", "fallback"];
const rootCause = head.failure ? spans[head.failure.span] : null;
const listed = [
  ...spans.filter(isFailed).sort((a, b) => (b === rootCause) - (a === rootCause) || a.block - b.block || end(a) - end(b)),
  ...URGENT.flatMap((look) => spans.filter((span) => span.look === look)),
  ...spans.filter((span) => !isFailed(span) && !URGENT.includes(span.look)),
];
const hasWorkers = workers.length > 0;

function addRows() {
  const body = element("rows"), done = body.childElementCount;
  for (const span of listed.slice(done, done + AT_ONCE)) {
    const row = add(body, "tr", ""), { error, replaced, worker } = span.detail;
    const link = add(add(row, "td", ""), "button", span.path);
    link.addEventListener("click", () => {
      select(spans.indexOf(span), true);
      canvas.scrollIntoView({ block: "nearest" });
    });
    row.dataset.look = span.look;
    add(row, "td", `${MARKS[span.look] || ""} ${wordOf(span.look)}`);
    add(row, "td", span.start.toFixed(3));
    add(row, "td", (end(span) - span.start).toFixed(3));
    add(row, "td", error ? sayError(error) : replaced ? sayError(replaced) : "");
    if (hasWorkers) add(row, "td", worker || "");
  }
  const left = listed.length - body.childElementCount;
  element("more").hidden = !left;
  element("more").textContent = `${Math.min(left, AT_ONCE)} more of ${left}`;
}

element("listing").addEventListener("toggle", () => element("rows").childElementCount || addRows());
element("more").addEventListener("click", addRows);
element("where-column").hidden = !hasWorkers;

sayFirst();
sayLegend();
readColours();
makeRows();
draw();
element("listing").open = head.status === "failed" || spans.some(isFailed);
const first = failure ? failure.span : spans.findIndex((span) => isFailed(span) && !span.block);
if (first >= 0) select(first, innerWidth >= 1000);

window.flowscriptReport = {
  lanes: () => rows.length,
  arrows: () => [...targetsOf.values()].reduce((sum, targets) => sum + targets.length, 0),
  spans: () => spans.length,
  range: () => [from, to],
  chosen: () => (chosen >= 0 ? spans[chosen].path : null),
  labels: () => rows.map((row) => row.label),
  looks: () => rows.map((row) => row.look),
  place: (path) => {
    const index = Math.max(spans.findIndex((one) => one.path === path && one.kind === "node"), spans.findIndex((one) => one.path === path));
    const box = canvas.getBoundingClientRect();
    return { x: box.left + Math.max(x(spans[index].start), gutter) + 5, y: box.top + yOf(rowOf.get(index)) + LANE / 2 };
  },
  placeOfRow: (number) => {
    const box = canvas.getBoundingClientRect();
    return { x: box.left + gutter + 20, y: box.top + yOf(number) + LANE / 2 };
  },
  select: (path) => select(spans.findIndex((span) => span.path === path), true),
  fittedName,
  zoom,
  fit,
};
