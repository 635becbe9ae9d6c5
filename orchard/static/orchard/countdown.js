// Countdowns: how long leases last, by the engine's clock, ticking each second.
let aheadMs = 0; // how far the engine's clock is ahead of this machine's

const now = () => Date.now() + aheadMs;

// The page says what time it was when it was made; that was when its first byte came.
function readClock() {
  const stamp = Date.parse(document.querySelector("[data-clock]")?.dataset.clock);
  const [visit] = performance.getEntriesByType("navigation");
  if (stamp) aheadMs = stamp - (performance.timeOrigin + (visit?.responseStart ?? 0));
}

export function tellCountdowns(root = document) {
  for (const node of root.querySelectorAll("[data-until]")) {
    const leftMs = Date.parse(node.dataset.until) - now(), wholeMs = Number(node.dataset.whole) || 0;
    const label = node.querySelector("[data-left]"), bar = node.querySelector("progress");
    const text = leftMs > 0 ? clock(leftMs) : label.dataset.over;
    if (label.textContent !== text) label.textContent = text;
    node.dataset.level = leftMs <= 0 ? "over" : leftMs < wholeMs * 0.25 ? "low" : "ample";
    if (bar) bar.value = Math.max(0, Math.min(1, leftMs / wholeMs));
  }
}

function clock(ms) {
  const all = Math.ceil(ms / 1000), two = (part) => String(part).padStart(2, "0");
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

const hasFallen = (node) => Date.parse(node.dataset.falls) <= now();

// Nothing happens when a time is up, so there is no event: the page asks by itself then.
export function startCountdowns(onFall) {
  readClock();
  tellCountdowns();
  setInterval(() => {
    if (document.hidden) return;
    tellCountdowns();
    if ([...document.querySelectorAll("[data-falls]")].some(hasFallen)) onFall();
  }, 1000);
}
