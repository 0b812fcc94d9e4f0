// Owns the arrows from who caused a cancellation to each lane that has it from there; many of them are one bracket.
const MANY = 8;
const cancelled = new Set(arrows.map(([, target]) => spans[target].path));
const targetsOf = new Map();
for (const [source, target] of arrows) {
  if (isInside(target)) continue;
  if (!targetsOf.has(source)) targetsOf.set(source, []);
  targetsOf.get(source).push(target);
}

// Whether something around it was cancelled: an arrow leads to a branch, not to each node and each branch in it.
function isInside(index) {
  let { path } = spans[index];
  while ((path = path.replace(/[/[~][^/[~]*$|^[^/[~]*$/, ""))) if (cancelled.has(path)) return true;
  return false;
}

const cause = (index) => spans[index].detail.cancelled_by || {};
const requested = (target, source) => cause(target).requested ?? end(spans[source]);
const delivered = (index) => spans[index].detail.delivered ?? end(spans[index]);

function drawArrows(ctx, first, last) {
  for (const [source, targets] of targetsOf) {
    const shown = targets.filter((target) => rowOf.has(target));
    if (!rowOf.has(source) || !shown.length) continue;
    if (shown.length > MANY) drawBracket(ctx, source, shown, first, last);
    else for (const target of shown) drawArrow(ctx, source, target, first, last);
  }
}

function drawArrow(ctx, source, target, first, last) {
  const a = rowOf.get(source), b = rowOf.get(target);
  if (Math.max(a, b) < first || Math.min(a, b) > last) return;
  const ax = x(requested(target, source)), bx = x(Math.min(delivered(target), end(spans[target])));
  if (ax < gutter || bx < gutter || Math.min(ax, bx) > width()) return;
  const ay = yOf(a) + LANE / 2, by = yOf(b) + (b > a ? 3 : LANE - 3);
  ctx.strokeStyle = ctx.fillStyle = colours.failed;
  ctx.lineWidth = 1.25;
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

// One line along all that was cancelled, closed at both ends, with a dot where it came from and how many they are.
function drawBracket(ctx, source, targets, first, last) {
  const numbers = targets.map((target) => rowOf.get(target));
  const from = rowOf.get(source), top = Math.min(from, ...numbers), bottom = Math.max(from, ...numbers);
  const at = Math.min(Math.max(x(requested(targets[0], source)), ...targets.map((target) => x(end(spans[target])))), width() - 14);
  if (bottom < first || top > last || at < gutter) return;
  const left = Math.round(at) + 6.5, high = yOf(top) + LANE / 2, low = yOf(bottom) + LANE / 2;
  ctx.strokeStyle = ctx.fillStyle = colours.failed;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(left - 5, high);
  ctx.lineTo(left, high);
  ctx.lineTo(left, low);
  ctx.lineTo(left - 5, low);
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(left, yOf(from) + LANE / 2, 3.5, 0, 2 * Math.PI);
  ctx.fill();
  const text = `cancels ${targets.length}`, wide = ctx.measureText(text).width;
  const lowest = yOf(last - 1) + LANE <= canvas.clientHeight ? last - 1 : last - 2;
  const middle = Math.max(Math.min(Math.max(from, first + (scroll.scrollTop ? 1 : 0)), lowest), 0);
  const beside = left + 8 + wide < width() ? left + 8 : left - 12 - wide;
  plate(ctx, text, colours.paper, colours.failed, beside, yOf(middle) + (LANE - BAR) / 2);
}
