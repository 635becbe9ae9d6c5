// What the events of chunks do to a map, in lists and on the page of a job.
import { ngettext } from "./words.js";

const LETTERS = { "chunk.started": "r", "chunk.completed": "c", "chunk.requeued": "w", "chunk.failed": "f" };

// True when the event was about a cell of this map.
export function applyToMap(map, event) {
  if (!map.has(event.index)) return false;
  if (event.name === "chunk.progressed") map.progress(event.index, event.progress);
  else if (LETTERS[event.name]) map.set(event.index, LETTERS[event.name]);
  return true;
}

export function tellCounts(root, map) {
  const done = map.count("c"), total = map.cells.length;
  for (const part of root.querySelectorAll('[data-part="count"]')) {
    part.textContent = ngettext("%(done)d of %(total)d chunk", "%(done)d of %(total)d chunks", total, { done, total });
  }
  for (const part of root.querySelectorAll('[data-part="percent"]')) part.textContent = `${map.percent} %`;
  for (const part of root.querySelectorAll('[data-part="chunks"]')) part.value = done / total;
}
