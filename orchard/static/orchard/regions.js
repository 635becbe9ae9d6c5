// Parts of the page that the server renders anew; only what differs is put in place.
import { adoptMaps } from "./map.js";
import { tellTimes } from "./times.js";

const HEADER_PX = 70;
const sources = new WeakMap();
const sourceOf = (node) => node.outerHTML.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");

export async function fetchPage(url) {
  const answer = await fetch(url, { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected && new URL(answer.url).pathname === "/login") location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { page, status: answer.status };
}

// What the user reads stays where it is, whatever grows or shrinks above it.
export function keepingPlace(change) {
  const anchor = scrollY > 0 && readAt();
  const before = anchor && anchor.getBoundingClientRect().top;
  change();
  drawMaps();
  const now = anchor && (anchor.isConnected ? anchor : find(document, anchor.dataset.key));
  if (now) scrollBy({ top: now.getBoundingClientRect().top - before, behavior: "instant" });
}

// The first thing that is wholly in sight: one cut off by the header may grow or shrink without moving it.
function readAt() {
  const below = [...document.querySelectorAll("[data-key], h2")].filter((node) => node.getBoundingClientRect().bottom > HEADER_PX);
  return below.find(inSight) ?? below[0];
}

const inSight = (node) => {
  const { top } = node.getBoundingClientRect();
  return top >= HEADER_PX && top < innerHeight;
};

// Puts the regions of a fetched page in place; false when the pages are built differently.
export function swapRegions(page, names) {
  const wanted = [...document.querySelectorAll("[data-region]")].filter((one) => !names || names.includes(one.dataset.region));
  const pairs = wanted.map((old) => [old, page.querySelector(`[data-region="${old.dataset.region}"]`)]);
  const added = !names && page.querySelectorAll("[data-region]").length !== wanted.length;
  if (added || pairs.some(([, fresh]) => !fresh)) return false;
  keepingPlace(() => {
    for (const [old, fresh] of pairs) "keyed" in old.dataset ? swapKeyed(old, fresh.children, true) : swap(old, fresh);
  });
  return true;
}

export function swapKeyed(list, fresh, isWhole) {
  const items = [...fresh];
  let next = isWhole ? list.firstElementChild : null;
  for (const item of items) {
    const old = find(list, item.dataset.key);
    const placed = old ? swap(old, item) : adopt(item);
    if (old && old === next) next = placed; // the old node is no longer there to put others before
    if (isWhole && placed !== next) list.insertBefore(placed, next);
    next = placed.nextElementSibling;
  }
  if (!isWhole) return;
  const kept = new Set(items.map((item) => item.dataset.key));
  for (const old of [...list.children]) if (!kept.has(old.dataset.key)) old.remove();
  if (!list.firstElementChild) list.replaceChildren();
}

export function swap(old, fresh) {
  const source = sourceOf(fresh);
  if (sources.get(old) === source || isSelected(old) || isEdited(old)) return old;
  const focus = old.contains(document.activeElement) && document.activeElement;
  const item = adopt(fresh, source);
  keepOpen(old, item);
  old.replaceWith(item);
  if (focus) sameControl(item, focus)?.focus({ preventScroll: true });
  return item;
}

export function adopt(fresh, source = sourceOf(fresh)) {
  const item = document.importNode(fresh, true);
  sources.set(item, source);
  tellTimes(item);
  undrawn.push(item);
  queueMicrotask(drawMaps);
  return item;
}

// A map can be drawn only in its place, and must be before anybody measures what is below it.
const undrawn = [];
const drawMaps = () => undrawn.splice(0).forEach((item) => adoptMaps(item));

const find = (root, key) => key && root.querySelector(`[data-key="${CSS.escape(key)}"]`);

function sameControl(item, focus) {
  if (focus.dataset.keep) return item.querySelector(`[data-keep="${CSS.escape(focus.dataset.keep)}"]`);
  return focus.getAttribute("href") ? item.querySelector(`[href="${CSS.escape(focus.getAttribute("href"))}"]`) : null;
}

// Nor is what somebody is typing.
const isEdited = (node) => node.contains(document.activeElement) && document.activeElement.isContentEditable;

// What somebody has opened to read stays open.
function keepOpen(old, item) {
  const fresh = [...item.querySelectorAll("details")];
  [...old.querySelectorAll("details")].forEach((one, i) => { if (one.open && fresh[i]) fresh[i].open = true; });
}

// Text that somebody has just selected is not taken from under the cursor.
function isSelected(node) {
  const selection = getSelection();
  return !selection.isCollapsed && node.matches(".block") && selection.containsNode(node, true);
}
