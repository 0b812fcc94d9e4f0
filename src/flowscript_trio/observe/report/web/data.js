// Owns what the page is told of the run, and how times, states and errors are said.
const story = JSON.parse(document.getElementById("data").textContent);
const { spans, lanes, workers, arrows, drawing, head } = story;
const element = (id) => document.getElementById(id);
const MARKS = {
  failed: "\u2717", running: "\u25cf", suspended: "\u25cb", cancelled: "\u2298", fallback: "\u21aa", success: "\u2713", restored: "\u21ba",
  skipped: "\u2013",
};
const WORDS = { success: "succeeded", fallback: "succeeded by a fallback" };
const PARTS = { token: "\u2016", retry: "\u21bb" };
const WAITS = { token: "waits for a token", retry: "waits to try again" };
const total = Math.max(head.duration, 1e-6);

const end = (span) => (span.end === null ? total : span.end);
const wordOf = (look) => WORDS[look] || look;
const sayCounts = (counts) => Object.entries(counts).map(([look, count]) => `${count} ${wordOf(look)}`).join(", ");
const sayError = (error) => `${error.type}: ${error.message}`;
const seconds = (value) => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value >= 0.001
  ? `${(value * 1e3).toFixed(1)} m` : `${(value * 1e6).toFixed(0)} \u00b5`).replace(/([\d])$/, "$1 ") + "s";
const awaited = (span) => (span.detail.limits ? `the limit ${span.detail.limits.join(", ")}` : "a token");

function describe(span) {
  const lasted = seconds(end(span) - span.start);
  const where = span.detail.worker ? ` on ${span.detail.worker}` : "";
  const reason = span.state === "cancelled" ? `, ${(span.detail.cancelled_by || {}).reason || ""}` : "";
  const error = span.detail.error ? `, ${sayError(span.detail.error)}` : "";
  const first = span.look === "fallback" ? `, a fallback stood in for ${sayError(span.detail.replaced)}` : "";
  return `${span.path}: ${WORDS[span.state] || span.state} after ${lasted}${where}${reason}${error}${first}`;
}

// An element with a text in it, put into another: texts of the run become text, and never markup.
function add(parent, tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
}
