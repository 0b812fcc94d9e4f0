// Owns the drawing of the workflow: its nodes have the colours of what became of them, and lead to the timeline.
const pictured = element("drawing").querySelector("svg");
element("drawing").hidden = !pictured;

function colour(key, counts) {
  const box = pictured.querySelector(`#flowscript-${key}`);
  if (!box || !box.classList.contains("node")) return;
  const look = Object.keys(counts)[0];  // the worst comes first
  box.dataset.look = look;
  const title = document.createElementNS(pictured.namespaceURI, "title");
  title.textContent = sayCounts(counts);
  box.prepend(title);
  const name = box.querySelector(":scope > .name");
  name.textContent = `${MARKS[look]} ${name.textContent}`;
  box.addEventListener("click", (event) => {
    event.stopPropagation();
    select(spans.findIndex((span) => span.key === Number(key) && span.look === look), true);
    canvas.scrollIntoView({ block: "nearest" });
  });
}

// What failed and is not seen of a large drawing comes to the middle of what is.
function revealFailed() {
  const box = pictured.querySelector("[data-look=failed]:not(.block)"), frame = pictured.parentElement;
  if (!box) return;
  const at = box.getBoundingClientRect(), around = frame.getBoundingClientRect();
  if (at.top < around.top || at.bottom > around.bottom) {
    frame.scrollTop += at.top + at.height / 2 - around.top - around.height / 2;
  }
  if (at.left < around.left || at.right > around.right) {
    frame.scrollLeft += at.left + at.width / 2 - around.left - around.width / 2;
  }
}

if (pictured) Object.entries(drawing).forEach(([key, counts]) => colour(key, counts));
if (pictured) revealFailed();
