"use strict";
// Draws the story of a run. Texts of the run are put in by textContent alone; the timeline is a canvas, on which only
// what can be seen is drawn.
(() => {
  const story = JSON.parse(document.getElementById("data").textContent);
  const { spans, lanes, arrows, head } = story;
  const element = (id) => document.getElementById(id);
  const canvas = element("canvas"), scroll = element("scroll"), room = element("room"), tip = element("tip");
  const LANE = 24, BAR = 18, TOP = 24, EDGE = 16, GUTTER = 210;
  const MARKS = { success: "\u2713", failed: "\u2717", cancelled: "\u2298", skipped: "\u2013", running: "\u25cf" };
  const total = Math.max(head.duration, 1e-6);
  const end = (span) => (span.end === null ? total : span.end);
  let from = 0, to = total * 1.05, chosen = -1, hovered = -1, shown = [], byLane = [], rowOf = new Map(), colours = {};

  // ---- what is shown: the lanes that the search leaves ----

  function search(word) {
    const wanted = word.trim().toLowerCase();
    const keep = new Set();
    spans.forEach((span) => {
      if (!wanted || span.path.toLowerCase().includes(wanted)) keep.add(span.lane);
    });
    shown = lanes.map((_, lane) => lane).filter((lane) => keep.has(lane));
    rowOf = new Map(shown.map((lane, row) => [lane, row]));
    room.style.height = `${TOP + shown.length * LANE}px`;
    draw();
  }

  byLane = lanes.map(() => []);
  spans.forEach((span, index) => byLane[span.lane].push(index));
  const sources = new Map();
  arrows.forEach(([source, target]) => {
    if (!sources.has(source)) sources.set(source, []);
    sources.get(source).push(target);
  });

  // ---- drawing ----

  const width = () => canvas.clientWidth - EDGE;
  const x = (time) => GUTTER + ((time - from) / (to - from)) * (width() - GUTTER);
  const time = (at) => from + ((at - GUTTER) / (width() - GUTTER)) * (to - from);
  const y = (lane) => TOP + rowOf.get(lane) * LANE - scroll.scrollTop;
  const seconds = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value >= 0.001
    ? `${(value * 1e3).toFixed(1)} m` : `${(value * 1e6).toFixed(0)} \u00b5`).replace(/([\d])$/, "$1 ") + "s";

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["paper", "ink", "soft", "line", "hover", "success", "failed", "cancelled", "skipped",
      "running", "token", "retry", "onbar"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  function fitted(ctx, text, room) {
    if (room < 12) return "";
    if (ctx.measureText(text).width <= room) return text;
    let cut = Math.floor(room / 7);
    while (cut > 1 && ctx.measureText(text.slice(0, cut) + "\u2026").width > room) cut -= 1;
    return cut > 1 ? text.slice(0, cut) + "\u2026" : "";
  }

  function draw() {
    const scale = devicePixelRatio || 1;
    const height = Math.min(Math.max(shown.length * LANE + TOP + 8, 120), Math.round(innerHeight * 0.7));
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(height * scale);
    const ctx = canvas.getContext("2d");
    ctx.scale(scale, scale);
    ctx.font = "12px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    ctx.fillStyle = colours.paper;
    ctx.fillRect(0, 0, canvas.clientWidth, height);
    const first = Math.max(Math.floor(scroll.scrollTop / LANE), 0);
    const last = Math.min(first + Math.ceil(height / LANE) + 1, shown.length);
    drawGrid(ctx, height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, TOP, canvas.clientWidth - EDGE, height - TOP);
    ctx.clip();
    for (let row = first; row < last; row += 1) drawLane(ctx, shown[row]);
    drawArrows(ctx, first, last);
    ctx.restore();
  }

  function drawGrid(ctx, height) {
    const step = 10 ** Math.floor(Math.log10((to - from) / 4));
    const every = [1, 2, 5, 10].map((n) => n * step).find((n) => (to - from) / n <= 9);
    ctx.strokeStyle = colours.line;
    ctx.fillStyle = colours.soft;
    ctx.lineWidth = 1;
    for (let at = Math.ceil(from / every) * every; at <= to; at += every) {
      const left = Math.round(x(at)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(left, TOP - 6);
      ctx.lineTo(left, height);
      ctx.stroke();
      ctx.fillText(at === 0 ? "0" : seconds(at), left + 3, TOP / 2);
    }
  }

  function drawLane(ctx, lane) {
    const top = y(lane), { label, depth } = lanes[lane];
    ctx.fillStyle = colours.ink;
    const indent = 8 + Math.min(depth, 8) * 12;
    ctx.fillText(fitted(ctx, label, GUTTER - indent - 8), indent, top + LANE / 2);
    ctx.save();
    ctx.beginPath();
    ctx.rect(GUTTER - 2, top, width() - GUTTER + 2, LANE);
    ctx.clip();
    for (const index of byLane[lane]) drawSpan(ctx, index, top + (LANE - BAR) / 2);
    ctx.restore();
  }

  function drawSpan(ctx, index, top) {
    const span = spans[index], left = x(span.start), wide = Math.max(x(end(span)) - left, 2);
    const before = span.parts.length ? Math.min(left, x(span.parts[0][1])) : left;
    if (before > width() || left + wide < GUTTER - 2) return;
    const colour = colours[span.state] || colours.running;
    const behind = span.kind === "branch";
    ctx.globalAlpha = behind ? 0.25 : 1;
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.roundRect(left, top, wide, BAR, 3);
    ctx.fill();
    ctx.globalAlpha = 1;
    if (!behind && (span.state === "cancelled" || span.state === "running")) hatch(ctx, left, top, wide);
    for (const [kind, begin, stop] of span.parts) drawPart(ctx, kind, x(begin), x(stop), top);
    if (!behind) {
      ctx.fillStyle = colours.onbar;
      const visible = Math.max(left, GUTTER);
      ctx.fillText(fitted(ctx, `${MARKS[span.state] || ""} ${span.label}`, left + wide - visible - 8), visible + 4,
        top + BAR / 2 + 0.5);
    } else if (!hasInner(index)) {
      ctx.fillStyle = colours.soft;
      ctx.fillText(fitted(ctx, MARKS[span.state] || "", wide - 8), Math.max(left, GUTTER) + 4, top + BAR / 2 + 0.5);
    }
    if (index === chosen || index === hovered) {
      ctx.strokeStyle = colours.ink;
      ctx.lineWidth = index === chosen ? 2.5 : 1;
      ctx.strokeRect(left, top, wide, BAR);
    }
  }

  const hasInner = (index) => byLane[spans[index].lane].length > 1;

  function hatch(ctx, left, top, wide) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(Math.max(left, GUTTER - 2), top, Math.min(wide, width()), BAR);
    ctx.clip();
    ctx.strokeStyle = colours.paper;
    ctx.globalAlpha = 0.35;
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (let at = Math.max(left, GUTTER) - BAR; at < Math.min(left + wide, width()); at += 8) {
      ctx.moveTo(at, top + BAR);
      ctx.lineTo(at + BAR, top);
    }
    ctx.stroke();
    ctx.restore();
  }

  function drawPart(ctx, kind, left, right, top) {
    ctx.fillStyle = colours.paper;
    ctx.fillRect(left, top + 2, Math.max(right - left, 1), BAR - 4);
    ctx.strokeStyle = ctx.fillStyle = colours[kind];
    ctx.lineWidth = 1.5;
    ctx.setLineDash(kind === "token" ? [2, 3] : [6, 3]);
    ctx.beginPath();
    ctx.moveTo(left, top + BAR / 2);
    ctx.lineTo(right, top + BAR / 2);
    ctx.stroke();
    ctx.setLineDash([]);
    const text = fitted(ctx, kind === "token" ? "\u2016 token" : "\u21bb retry", right - left - 8);
    if (!text) return;
    ctx.fillStyle = colours.paper;
    ctx.fillRect(left + 2, top + 3, ctx.measureText(text).width + 5, BAR - 6);
    ctx.fillStyle = colours[kind];
    ctx.fillText(text, left + 4, top + BAR / 2);
  }

  function drawArrows(ctx, first, last) {
    ctx.strokeStyle = ctx.fillStyle = colours.failed;
    ctx.lineWidth = 1.25;
    for (const [source, target] of arrows) {
      const a = rowOf.get(spans[source].lane), b = rowOf.get(spans[target].lane);
      if (a === undefined || b === undefined || spans[target].kind !== "branch" && isInside(target)) continue;
      if (Math.max(a, b) < first || Math.min(a, b) > last) continue;
      const at = requested(target, source), ax = x(at), bx = x(Math.min(delivered(target), end(spans[target])));
      if (ax < GUTTER || bx < GUTTER || Math.min(ax, bx) > width()) continue;
      const ay = y(spans[source].lane) + LANE / 2, by = y(spans[target].lane) + (b > a ? 3 : LANE - 3);
      ctx.beginPath();
      ctx.moveTo(ax, ay);
      ctx.bezierCurveTo(ax + 18, ay, bx + 18, by, bx, by);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(bx, by);
      ctx.lineTo(bx + 7, by - 3.5);
      ctx.lineTo(bx + 7, by + 3.5);
      ctx.fill();
    }
  }

  // An arrow leads to each lane once: to its branch, not to each node on it.
  const isInside = (index) => spans[byLane[spans[index].lane][0]] !== spans[index]
    && spans[byLane[spans[index].lane][0]].state === "cancelled";
  const laneArrows = () => arrows.filter(([, target]) => !isInside(target)).length;
  const cause = (index) => spans[index].detail.cancelled_by || {};
  const requested = (target, source) => cause(target).requested ?? end(spans[source]);
  const delivered = (index) => spans[index].detail.delivered ?? end(spans[index]);

  // ---- choosing ----

  function describe(span) {
    const lasted = seconds(end(span) - span.start);
    const reason = span.state === "cancelled" ? `, ${(span.detail.cancelled_by || {}).reason || ""}` : "";
    const error = span.detail.error ? `, ${span.detail.error.type}: ${span.detail.error.message}` : "";
    return `${span.path}: ${span.state} after ${lasted}${reason}${error}`;
  }

  function select(index, open) {
    chosen = index;
    const span = spans[index];
    element("chosen").textContent = span ? describe(span) : "";
    if (span) {
      if (!rowOf.has(span.lane)) {
        element("find").value = "";
        search("");
      }
      reveal(span);
      if (open) openDetail(span);
    }
    draw();
  }

  function reveal(span) {
    const row = rowOf.get(span.lane), visible = canvas.clientHeight - TOP;
    if (row * LANE < scroll.scrollTop) scroll.scrollTop = row * LANE;
    else if ((row + 1) * LANE > scroll.scrollTop + visible) scroll.scrollTop = (row + 1) * LANE - visible;
    if (end(span) < from || span.start > to) {
      const range = to - from;
      from = Math.max(span.start - range / 4, 0);
      to = from + range;
    }
  }

  function openDetail(span) {
    const panel = element("detail"), { detail } = span;
    panel.replaceChildren();
    const add = (parent, tag, text) => {
      const made = document.createElement(tag);
      made.textContent = text;
      parent.append(made);
      return made;
    };
    add(panel, "h2", `${MARKS[span.state] || ""} ${span.path}`);
    const list = add(panel, "dl", "");
    const tell = (word, text) => { add(list, "dt", word); add(list, "dd", text); };
    const show = (word, value) => {
      add(list, "dt", word);
      add(add(list, "dd", ""), "pre", typeof value === "string" ? value : JSON.stringify(value, null, 2));
    };
    tell("state", span.state === "running" ? "running when the record ends" : span.state);
    if (detail.type) tell("runtime", `${detail.type}, line ${detail.line}`);
    tell("time", `${seconds(span.start)} to ${span.end === null ? "?" : seconds(span.end)}, ${seconds(end(span) - span.start)}`);
    if (detail.branches !== undefined) {
      tell("branches", `${detail.branches ?? "not known"}, ${detail.limit === null ? "no limit" : `at most ${detail.limit} at once`}`);
    }
    if (detail.attempts > 1) tell("attempts", String(detail.attempts));
    const awaited = detail.limits ? `the limit ${detail.limits.join(", ")}` : "a token";
    for (const [kind, begin, stop] of span.parts) {
      tell(kind === "token" ? `waited for ${awaited}` : "waited to try again", seconds(stop - begin));
    }
    if (detail.error) {
      show("error", [`${detail.error.type}: ${detail.error.message}`, ...(detail.error.notes || [])].join("\n"));
    }
    if (detail.replaced) {
      show(span.state === "failed" ? "first error, before its fallback failed" : "error, before its fallback stood in",
        `${detail.replaced.type}: ${detail.replaced.message}`);
    }
    (detail["failed attempts"] || []).forEach((error, number) => {
      if (error) show(`attempt ${number + 1}`, `${error.type}: ${error.message}`);
    });
    if (detail.cancelled_by) {
      const { by, reason, requested: asked } = detail.cancelled_by;
      tell("cancelled by", by ?? "outside");
      tell("because", reason);
      if (asked !== null && asked !== undefined) tell("requested", seconds(asked));
      if (detail.delivered !== undefined) tell("delivered", seconds(detail.delivered));
      if (span.end !== null) tell("ended", seconds(span.end));
    }
    (detail.cancels || []).forEach((one) => tell("cancels the rest", `${seconds(one.at)}: ${one.reason}`));
    if ("input" in detail) show("input", detail.input);
    if ("output" in detail) show("output", detail.output);
    panel.hidden = false;
    draw();
  }

  function closeDetail() {
    element("detail").hidden = true;
    canvas.focus();
    draw();
  }

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const px = event.clientX - box.left, py = event.clientY - box.top;
    const row = Math.floor((py - TOP + scroll.scrollTop) / LANE);
    if (py < TOP || row < 0 || row >= shown.length || px > width()) return -1;
    const inLane = byLane[shown[row]];
    if (px < GUTTER) return inLane[0];
    let found = -1;
    for (const index of inLane) {
      const [part] = spans[index].parts;
      const left = x(part ? Math.min(part[1], spans[index].start) : spans[index].start);
      if (px >= left - 2 && px <= Math.max(x(end(spans[index])), left + 2) + 2) found = index;
    }
    return found;
  }

  // ---- zoom ----

  function zoom(factor, centre) {
    const range = Math.min(Math.max((to - from) * factor, total * 1e-6), total * 1.05);
    const share = (centre - from) / (to - from);
    from = Math.max(centre - range * share, 0);
    to = from + range;
    draw();
  }

  function fit() {
    from = 0;
    to = total * 1.05;
    draw();
  }

  function pan(share) {
    const range = to - from;
    from = Math.min(Math.max(from + range * share, 0), total);
    to = from + range;
    draw();
  }

  const middle = () => (chosen >= 0 ? Math.min(Math.max(spans[chosen].start, from), to) : (from + to) / 2);

  // ---- what people do ----

  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) {
      pan(-event.movementX / (width() - GUTTER));
      scroll.scrollTop -= event.movementY;
      return;
    }
    const found = at(event);
    if (found !== hovered) {
      hovered = found;
      draw();
    }
    tip.hidden = found < 0;
    if (found >= 0) {
      tip.textContent = describe(spans[found]);
      const box = canvas.getBoundingClientRect();
      tip.style.left = `${Math.min(event.clientX - box.left + 12, box.width - tip.offsetWidth - 20)}px`;
      tip.style.top = `${Math.min(event.clientY - box.top + 16, box.height - tip.offsetHeight - 4)}px`;
    }
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = -1;
    tip.hidden = true;
    draw();
  });
  canvas.addEventListener("click", (event) => {
    const found = at(event);
    if (found >= 0) select(found, true);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey) {
      zoom(1.0015 ** event.deltaY, time(event.clientX - canvas.getBoundingClientRect().left));
    } else {
      scroll.scrollTop += event.deltaY;
      if (event.deltaX) pan(event.deltaX / width());
    }
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const lane = chosen >= 0 ? spans[chosen].lane : -1, row = lane >= 0 ? rowOf.get(lane) : -1;
    const beside = (step) => {
      const inLane = byLane[lane];
      return inLane[Math.min(Math.max(inLane.indexOf(chosen) + step, 0), inLane.length - 1)];
    };
    const above = (step) => byLane[shown[Math.min(Math.max(row + step, 0), shown.length - 1)]][0];
    const acts = {
      ArrowDown: () => select(above(1)), ArrowUp: () => select(above(-1)),
      PageDown: () => select(above(20)), PageUp: () => select(above(-20)),
      Home: () => select(above(-lanes.length)), End: () => select(above(lanes.length)),
      ArrowRight: () => (lane < 0 ? select(above(1)) : select(beside(1))),
      ArrowLeft: () => lane >= 0 && select(beside(-1)),
      Enter: () => { if (chosen >= 0) { select(chosen, true); element("detail").focus(); } },
      Escape: closeDetail, "+": () => zoom(0.5, middle()), "=": () => zoom(0.5, middle()),
      "-": () => zoom(2, middle()), 0: fit,
    };
    if (shown.length && acts[event.key] && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      acts[event.key]();
    }
  });
  element("detail").addEventListener("keydown", (event) => event.key === "Escape" && closeDetail());
  element("in").addEventListener("click", () => zoom(0.5, middle()));
  element("out").addEventListener("click", () => zoom(2, middle()));
  element("fit").addEventListener("click", fit);
  element("find").addEventListener("input", (event) => search(event.target.value));
  scroll.addEventListener("scroll", draw);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });

  // ---- the rest of the page ----

  const MOST_ROWS = 2000;
  element("listing").addEventListener("toggle", () => {
    const rows = element("rows");
    if (rows.childElementCount) return;
    const sorted = [...spans.filter((span) => span.state === "failed"),
      ...spans.filter((span) => span.state !== "failed")];
    for (const span of sorted.slice(0, MOST_ROWS)) {
      const row = document.createElement("tr");
      const { error } = span.detail;
      for (const text of [span.path, span.state, span.start.toFixed(3), (end(span) - span.start).toFixed(3),
        error ? `${error.type}: ${error.message}` : ""]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        row.append(cell);
      }
      rows.append(row);
    }
    if (spans.length > MOST_ROWS) element("more").textContent = `and ${spans.length - MOST_ROWS} more`;
  });
  element("drawing").hidden = !element("drawing").querySelector("svg");

  const within = (path, around) => ["/", "[", "~"].some((sign) => path.startsWith(around + sign));
  const innermost = (span) => span.state === "failed" && !spans.some((other) => other !== span
    && other.state === "failed" && within(other.path, span.path));
  const failed = spans.find(innermost);
  element("name").textContent = `${MARKS[head.status === "completed" ? "success" : head.status] || ""} ${head.name || "run"}`;
  const counts = {};
  spans.forEach((span) => { if (span.kind === "node") counts[span.state] = (counts[span.state] || 0) + 1; });
  element("summary").textContent = [
    head.ended ? `${head.status} after ${seconds(head.duration)}` : "the record ends before the run did",
    Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", "),
    head.file, head.started, head.run && `run ${head.run}`,
  ].filter(Boolean).join(" \u00b7 ");
  if (failed && failed.detail.error && head.status === "failed") {
    const { type, message } = failed.detail.error;
    element("failure").textContent = `${failed.path}: ${type}: ${message}`;
    element("failure").hidden = false;
  }
  for (const text of story.warnings.slice(0, 20)) {
    const item = document.createElement("li");
    item.textContent = text;
    element("warnings").append(item);
  }
  for (const [state, mark] of [...Object.entries(MARKS), ["token", "\u2016"], ["retry", "\u21bb"]]) {
    const item = document.createElement("span"), sign = document.createElement("i");
    sign.textContent = mark;
    sign.style.color = `var(--${state})`;
    item.append(sign, ` ${state}`);
    element("legend").append(item);
  }
  readColours();
  search("");
  if (failed) select(spans.indexOf(failed));

  window.flowscriptReport = {
    lanes: () => shown.length, arrows: laneArrows, spans: () => spans.length, range: () => [from, to],
    failures: () => spans.filter((span) => span.kind === "node" && innermost(span)).length,
    place: (path) => {
      const span = spans.find((one) => one.path === path && one.kind === "node") || spans.find((one) => one.path === path);
      const box = canvas.getBoundingClientRect();
      return { x: box.left + Math.max(x(span.start), GUTTER) + 5, y: box.top + y(span.lane) + LANE / 2 };
    },
    select: (path) => select(spans.findIndex((span) => span.path === path), true), zoom, fit,
  };
})();
