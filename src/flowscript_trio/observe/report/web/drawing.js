// Owns the timeline: a canvas on which only what can be seen is drawn.
const LANE = 24, BAR = 18, TOP = 24, EDGE = 18, FONT = "12px system-ui, sans-serif";
const COLOURS = ["paper", "ink", "soft", "line", "hover", "onbar", "hatch", ...Object.keys(MARKS), ...Object.keys(PARTS)];
const canvas = element("canvas"), scroll = element("scroll"), room = element("room");
let from = 0, to = total * 1.05, chosen = -1, chosenFold = -1, hovered = -1, gutter = 210, colours = {};

const width = () => canvas.clientWidth - EDGE;
const x = (time) => gutter + ((time - from) / (to - from)) * (width() - gutter);
const timeAt = (left) => from + ((left - gutter) / (width() - gutter)) * (to - from);
const yOf = (row) => TOP + row * LANE - scroll.scrollTop;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of COLOURS) colours[name] = style.getPropertyValue(`--${name}`).trim();
}

function fitted(ctx, text, space) {
  if (space < 12) return "";
  if (ctx.measureText(text).width <= space) return text;
  let cut = Math.floor(space / 6);
  while (cut > 1 && ctx.measureText(text.slice(0, cut) + "\u2026").width > space) cut -= 1;
  return cut > 1 ? text.slice(0, cut) + "\u2026" : "";
}

// The name of a lane, cut in its middle: what tells one from another is at its end as often as at its beginning.
function fittedName(ctx, text, space) {
  if (ctx.measureText(text).width <= space) return text;
  let kept = text.length - 1;
  const cut = () => `${text.slice(0, Math.ceil(kept / 2))}\u2026${text.slice(text.length - Math.floor(kept / 2))}`;
  while (kept > 2 && ctx.measureText(cut()).width > space) kept -= 1;
  return cut();
}

function draw() {
  const scale = devicePixelRatio || 1;
  room.style.height = `${TOP + rows.length * LANE}px`;
  const height = Math.min(Math.max(rows.length * LANE + TOP + 8, 120), Math.round(innerHeight * 0.7));
  canvas.style.height = `${height}px`;
  gutter = Math.round(Math.min(Math.max(canvas.clientWidth * 0.24, 96), 320));
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(height * scale);
  const ctx = canvas.getContext("2d");
  ctx.scale(scale, scale);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  ctx.fillStyle = colours.paper;
  ctx.fillRect(0, 0, canvas.clientWidth, height);
  const first = Math.max(Math.floor(scroll.scrollTop / LANE), 0);
  const last = Math.min(first + Math.ceil(height / LANE) + 1, rows.length);
  drawGrid(ctx, height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, TOP, width(), height - TOP);
  ctx.clip();
  for (let number = first; number < last; number += 1) drawRow(ctx, rows[number], yOf(number));
  if (layout === byBranches) drawArrows(ctx, first, last);
  ctx.restore();
}

// A time on the axis: in one unit for all of it, with as many digits as tell two lines apart.
function axisTime(at, every) {
  const [unit, word] = to >= 1 ? [1, "s"] : to >= 1e-3 ? [1e-3, "ms"] : [1e-6, "\u00b5s"];
  return `${(at / unit).toFixed(Math.max(Math.ceil(-Math.log10(every / unit) - 1e-9), 0))} ${word}`;
}

function drawGrid(ctx, height) {
  const most = Math.max(Math.floor((width() - gutter) / 70), 2);
  const step = 10 ** Math.floor(Math.log10((to - from) / most));
  const every = [1, 2, 5, 10].map((n) => n * step).find((n) => (to - from) / n <= most);
  ctx.strokeStyle = colours.line;
  ctx.fillStyle = colours.soft;
  ctx.lineWidth = 1;
  for (let at = Math.ceil(from / every) * every; at <= to; at += every) {
    const left = Math.round(x(at)) + 0.5, text = at === 0 ? "0" : axisTime(at, every);
    ctx.beginPath();
    ctx.moveTo(left, TOP - 6);
    ctx.lineTo(left, height);
    ctx.stroke();
    if (left + 3 + ctx.measureText(text).width <= width()) ctx.fillText(text, left + 3, TOP / 2);
  }
}

function drawRow(ctx, row, top) {
  const indent = 8 + Math.min(row.depth, gutter < 150 ? 3 : 8) * (gutter < 150 ? 8 : 12);
  const isFailed = row.look === "failed", space = gutter - indent - 8;
  const texts = [row.label, row.short].map((text) => (isFailed ? `${MARKS.failed} ${text}` : text));
  ctx.fillStyle = isFailed ? colours.failed : row.fold === undefined ? colours.ink : colours.soft;
  const label = texts.find((text) => ctx.measureText(text).width <= space) || fittedName(ctx, texts[1], space);
  ctx.fillText(label, indent, top + LANE / 2);
  ctx.save();
  ctx.beginPath();
  ctx.rect(gutter - 2, top, width() - gutter + 2, LANE);
  ctx.clip();
  if (row.fold !== undefined) drawFold(ctx, row, top + (LANE - BAR) / 2);
  else for (const index of row.spans) drawSpan(ctx, index, row, top + (LANE - BAR) / 2);
  ctx.restore();
}

// How many of those that are folded ran at once.
function drawFold(ctx, row, top) {
  const before = (times, time) => {
    let low = 0, high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) low = middle + 1; else high = middle;
    }
    return low;
  };
  const WIDE = 3, heights = [];
  const atOnce = (time) => before(row.starts, time) - before(row.ends, time);
  for (let left = gutter; left < width(); left += WIDE) {
    const any = before(row.starts, timeAt(left + WIDE)) > before(row.ends, timeAt(left));
    heights.push(Math.max(atOnce(timeAt(left + WIDE / 2)), any ? 1 : 0));
  }
  const most = Math.max(...heights, 1);
  ctx.fillStyle = colours.success;
  heights.forEach((count, at) => {
    if (count) ctx.fillRect(gutter + at * WIDE, top + BAR - (BAR * count) / most, WIDE, (BAR * count) / most);
  });
  if (chosenFold === row.fold) outline(ctx, gutter, top, width() - gutter - 2, 2.5);
}

function outline(ctx, left, top, wide, thick) {
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = thick;
  ctx.strokeRect(left, top, wide, BAR);
}

function drawSpan(ctx, index, row, top) {
  const span = spans[index], left = x(span.start), wide = Math.max(x(end(span)) - left, 2);
  const before = span.parts.length ? Math.min(left, x(span.parts[0][1])) : left;
  if (before > width() || left + wide < gutter - 2) return;
  const behind = span.kind === "branch", visible = Math.max(left, gutter);
  ctx.globalAlpha = behind ? 0.25 : 1;
  ctx.fillStyle = colours[span.look] || colours.running;
  ctx.beginPath();
  ctx.roundRect(left, top, wide, BAR, 3);
  ctx.fill();
  ctx.globalAlpha = 1;
  if (!behind && ["cancelled", "running", "suspended"].includes(span.state)) hatch(ctx, left, top, wide);
  for (const [kind, begin, stop] of span.parts) drawPart(ctx, span, kind, x(begin), x(stop), top);
  if (!behind) {
    ctx.fillStyle = colours.onbar;
    const text = fitted(ctx, `${MARKS[span.look] || ""} ${span.label}`, left + wide - visible - 8);
    if (text) plate(ctx, text, colours[span.look] || colours.running, colours.onbar, visible + 4, top);
  } else if (row.spans.length === 1) {
    ctx.fillStyle = colours.ink;
    ctx.fillText(fitted(ctx, MARKS[span.look] || "", wide - 8), visible + 4, top + BAR / 2 + 0.5);
  }
  const beside = wide < 6 ? 2.5 : 0;  // around a narrow bar, so that its colour is seen
  if (index === chosen || index === hovered) outline(ctx, left - beside, top, wide + 2 * beside, index === chosen ? 2.5 : 1);
}

// A text on a ground of its own, whatever lies below it.
function plate(ctx, text, ground, ink, left, top) {
  ctx.fillStyle = ground;
  ctx.fillRect(left - 2, top + 2, ctx.measureText(text).width + 4, BAR - 4);
  ctx.fillStyle = ink;
  ctx.fillText(text, left, top + BAR / 2 + 0.5);
}

function hatch(ctx, left, top, wide) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(Math.max(left, gutter - 2), top, Math.min(wide, width()), BAR);
  ctx.clip();
  ctx.strokeStyle = colours.hatch;
  ctx.globalAlpha = 0.3;
  ctx.lineWidth = 2;
  ctx.beginPath();
  for (let at = Math.max(left, gutter) - BAR; at < Math.min(left + wide, width()); at += 8) {
    ctx.moveTo(at, top + BAR);
    ctx.lineTo(at + BAR, top);
  }
  ctx.stroke();
  ctx.restore();
}

// A wait, for a token, for a limit that has a name, or before another attempt.
function drawPart(ctx, span, kind, left, right, top) {
  ctx.fillStyle = colours.paper;
  ctx.fillRect(left, top + 2, Math.max(right - left, 1), BAR - 4);
  ctx.strokeStyle = colours[kind];
  ctx.lineWidth = 1.5;
  ctx.setLineDash(kind === "token" ? [2, 3] : [6, 3]);
  ctx.beginPath();
  ctx.moveTo(left, top + BAR / 2);
  ctx.lineTo(right, top + BAR / 2);
  ctx.stroke();
  ctx.setLineDash([]);
  const { limits } = span.detail, visible = Math.max(left, gutter);
  const word = kind === "token" && limits ? limits.join(", ") : kind;
  const text = fitted(ctx, `${PARTS[kind]} ${word}`, right - visible - 8);
  if (text) plate(ctx, text, colours.paper, colours[kind], visible + 4, top);
}
