// Owns what people do with the timeline: by pointer, wheel and keyboard.
const tip = element("tip");

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

function rowAt(event) {
  const box = canvas.getBoundingClientRect(), below = event.clientY - box.top;
  return below < TOP || event.clientX - box.left > width() ? undefined : rows[Math.floor((below - TOP + scroll.scrollTop) / LANE)];
}

function spanAt(event) {
  const row = rowAt(event), at = event.clientX - canvas.getBoundingClientRect().left;
  if (!row || row.fold !== undefined) return -1;
  if (at < gutter) return row.spans[0];
  let found = -1;
  for (const index of row.spans) {
    const [part] = spans[index].parts;
    const left = x(part ? Math.min(part[1], spans[index].start) : spans[index].start);
    if (at >= left - 2 && at <= Math.max(x(end(spans[index])), left + 2) + 2) found = index;
  }
  return found;
}

function showTip(event, text) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = canvas.getBoundingClientRect();
  tip.style.left = `${Math.max(Math.min(event.clientX - box.left + 12, box.width - tip.offsetWidth - 20), 0)}px`;
  tip.style.top = `${Math.min(event.clientY - box.top + 16, box.height - tip.offsetHeight - 4)}px`;
}

canvas.addEventListener("pointermove", (event) => {
  if (event.buttons === 1) {
    pan(-event.movementX / (width() - gutter));
    scroll.scrollTop -= event.movementY;
    return;
  }
  const found = spanAt(event), row = rowAt(event);
  if (found !== hovered) {
    hovered = found;
    draw();
  }
  showTip(event, found >= 0 ? describe(spans[found]) : row && row.fold !== undefined ? `${row.count} that succeeded: a click shows them` : "");
});
canvas.addEventListener("pointerleave", () => {
  hovered = -1;
  tip.hidden = true;
  draw();
});
canvas.addEventListener("click", (event) => {
  const found = spanAt(event), row = rowAt(event);
  if (found >= 0) select(found, true);
  else if (row && row.fold !== undefined) openFold(row);
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey) {
    zoom(1.0015 ** event.deltaY, timeAt(event.clientX - canvas.getBoundingClientRect().left));
  } else {
    scroll.scrollTop += event.deltaY;
    if (event.deltaX) pan(event.deltaX / width());
  }
}, { passive: false });

function enter() {
  const row = rows[chosenRow()];
  if (row && row.fold !== undefined) openFold(row);
  else if (chosen >= 0) {
    select(chosen, true);
    element("detail").focus();
  }
}

canvas.addEventListener("keydown", (event) => {
  const number = chosenRow();
  const go = (step) => selectRow(Math.min(Math.max(number + step, 0), rows.length - 1));
  const beside = (step) => {
    if (number < 0) return go(1);
    const on = rows[number].spans;
    return rows[number].fold === undefined && select(on[Math.min(Math.max(on.indexOf(chosen) + step, 0), on.length - 1)]);
  };
  const acts = {
    ArrowDown: () => go(1), ArrowUp: () => go(-1), PageDown: () => go(20), PageUp: () => go(-20),
    Home: () => go(-rows.length), End: () => go(rows.length), ArrowRight: () => beside(1), ArrowLeft: () => beside(-1),
    Enter: enter, Escape: closeDetail, "+": () => zoom(0.5, middle()), "=": () => zoom(0.5, middle()),
    "-": () => zoom(2, middle()), 0: fit,
  };
  if (rows.length && acts[event.key] && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    acts[event.key]();
  }
});
element("detail").addEventListener("keydown", (event) => event.key === "Escape" && closeDetail());
element("in").addEventListener("click", () => zoom(0.5, middle()));
element("out").addEventListener("click", () => zoom(2, middle()));
element("fit").addEventListener("click", fit);
element("find").addEventListener("input", () => { makeRows(); draw(); });
scroll.addEventListener("scroll", draw);
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });

// Two buttons that are pressed or not: whether what succeeded is folded, and whether lanes are those of workers.
function pressing(button, isShown, isPressed, press) {
  button.hidden = !isShown;
  button.setAttribute("aria-pressed", String(isPressed));
  button.addEventListener("click", () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    press(pressed);
    makeRows();
    chosenFold = -1;
    draw();
  });
}
pressing(element("folding"), folds, folds, (pressed) => { folds = pressed; unfolded.clear(); });
pressing(element("places"), workers.length > 0, false, (pressed) => { layout = pressed ? byWorkers : byBranches; });
