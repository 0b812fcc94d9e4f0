// Owns which rows there are: the lanes that the search leaves, by branches or by workers, those that ended well folded.
const FOLD_ABOVE = 50;
// How many lanes side by side are worth a fold: those of the document itself are what people know it by, but for what is
// undone, which may be as much as was done.
const fewest = ({ depth, undoes }) => (depth || undoes ? 3 : FOLD_ABOVE);
const byBranches = { lanes, spansOf: lanes.map(() => []) };
spans.forEach((span, index) => byBranches.spansOf[span.lane].push(index));
const byWorkers = {
  lanes: workers.map(({ label }) => ({ label, short: label, depth: 0, well: false, look: "" })),
  spansOf: workers.map((worker) => worker.spans),
};
let layout = byBranches, folds = lanes.length > FOLD_ABOVE, rows = [], rowOf = new Map();
const unfolded = new Set();

function makeRows() {
  const wanted = element("find").value.trim().toLowerCase();
  const found = (lane) => layout.spansOf[lane].some((index) => spans[index].path.toLowerCase().includes(wanted));
  rows = [];
  for (let lane = 0; lane < layout.lanes.length;) {
    const fold = folds && !wanted ? foldFrom(lane) : null;
    if (fold && !unfolded.has(lane)) rows.push(fold);
    if (fold) {
      for (let at = lane; unfolded.has(lane) && at < fold.after; at += 1) rows.push(rowOfLane(at));
      lane = fold.after;
    } else {
      if (!wanted || found(lane)) rows.push(rowOfLane(lane));
      lane += 1;
    }
  }
  rowOf = new Map();
  rows.forEach((row, number) => row.fold === undefined && row.spans.forEach((index) => rowOf.set(index, number)));
}

const rowOfLane = (lane) => ({ ...layout.lanes[lane], lane, spans: layout.spansOf[lane] });

// The lanes from one on that stand side by side, and all that is on them and below them ended well.
function foldFrom(lane) {
  const { depth, undoes } = layout.lanes[lane];
  const isAlike = (other) => other.depth === depth && other.undoes === undoes && other.well;
  let after = lane, count = 0;
  const firsts = [];
  while (after < layout.lanes.length && isAlike(layout.lanes[after])) {
    count += 1;
    firsts.push(spans[layout.spansOf[after][0]]);
    do after += 1; while (after < layout.lanes.length && layout.lanes[after].depth > depth);
  }
  if (count < fewest(layout.lanes[lane])) return null;
  const short = `\u25b8 ${count} ${MARKS.success}`, label = `${short} ${undoes ? "undone" : "succeeded"}`, inside = [];
  for (let at = lane; at < after; at += 1) inside.push(...layout.spansOf[at]);
  const ordered = (times) => times.sort((a, b) => a - b);
  return {
    label, short, depth, fold: lane, after, count, spans: inside,
    starts: ordered(firsts.map((span) => span.start)), ends: ordered(firsts.map(end)),
  };
}

// Show the rows of a fold; of another lane nothing changes.
function unfold(lane) {
  unfolded.add(lane);
  makeRows();
}

// Make sure that a span has a row.
function showRow(index) {
  if (rowOf.has(index)) return;
  element("find").value = "";
  if (layout === byWorkers && !workers.some((worker) => worker.spans.includes(index))) {
    layout = byBranches;
    element("places").setAttribute("aria-pressed", "false");
  }
  makeRows();
  const fold = rows.find((row) => row.fold !== undefined && row.spans.includes(index));
  if (fold) unfold(fold.fold);
}
