// Owns what is chosen: a span, told beside the timeline, or a fold.
function select(index, open) {
  chosen = index;
  chosenFold = -1;
  const span = spans[index];
  element("chosen").textContent = span ? describe(span) : "";
  if (span) {
    showRow(index);
    if (open) openDetail(span);
    revealRow(rowOf.get(index));
    revealTime(span);
  }
  draw();
}

function selectRow(number) {
  const row = rows[number];
  if (row.fold === undefined) {
    select(row.spans[0]);
    return;
  }
  chosen = -1;
  chosenFold = row.fold;
  element("chosen").textContent = `${row.count} lanes on which all succeeded: Enter shows them`;
  revealRow(number);
  draw();
}

const chosenRow = () => (chosenFold >= 0 ? rows.findIndex((row) => row.fold === chosenFold) : rowOf.get(chosen) ?? -1);

function openFold(row) {
  unfold(row.fold);
  select(row.spans[0]);
}

// Scroll to a row that cannot be seen whole, so that it stands in the middle.
function revealRow(number) {
  draw();  // so that there is room to scroll in
  const top = number * LANE, visible = canvas.clientHeight - TOP;
  if (top < scroll.scrollTop || top + LANE > scroll.scrollTop + visible) scroll.scrollTop = top - (visible - LANE) / 2;
}

function revealTime(span) {
  if (end(span) < from || span.start > to) {
    const range = to - from;
    from = Math.max(span.start - range / 4, 0);
    to = from + range;
  }
}

function openDetail(span) {
  const panel = element("detail"), { detail } = span;
  panel.replaceChildren();
  add(panel, "h2", `${MARKS[span.look] || ""} ${span.path}`);
  const list = add(panel, "dl", "");
  const tell = (word, text) => { add(list, "dt", word); add(list, "dd", text); };
  const show = (word, value) => {
    add(list, "dt", word);
    add(add(list, "dd", ""), "pre", typeof value === "string" ? value : JSON.stringify(value, null, 2));
  };
  tell("state", span.state === "running" ? "running when the record ends" : WORDS[span.state] || span.state);
  if (detail.type) tell("runtime", `${detail.type}, line ${detail.line}`);
  tell("time", `${seconds(span.start)} to ${span.end === null ? "?" : seconds(span.end)}, ${seconds(end(span) - span.start)}`);
  if (detail.replayed) tell("restored", "it was done before, by an earlier process or another run");
  if (detail.worker) tell("worker", detail.worker);
  if (detail.branches !== undefined) {
    tell("branches", `${detail.branches ?? "not known"}, ${detail.limit === null ? "no limit" : `at most ${detail.limit} at once`}`);
  }
  if (detail.attempts > 1) tell("attempts", String(detail.attempts));
  for (const [kind, begin, stop] of span.parts) {
    tell(kind === "token" ? `waited for ${awaited(span)}` : "waited to try again", seconds(stop - begin));
  }
  if (detail.error) show("error", [sayError(detail.error), ...(detail.error.notes || [])].join("\n"));
  if (detail.replaced) {
    show(span.state === "failed" ? "first error, before its fallback failed" : "error, before its fallback stood in",
      sayError(detail.replaced));
  }
  (detail["failed attempts"] || []).forEach((error, number) => {
    if (error) show(`attempt ${number + 1}`, sayError(error));
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
}

function closeDetail() {
  element("detail").hidden = true;
  canvas.focus();
  draw();
}
