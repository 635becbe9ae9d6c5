// Events that come in by themselves, and the engine page that looks again every few seconds.
import { pacer } from "./pacer.js";
import { adopt, fetchPage, keepingPlace, swapRegions } from "./regions.js";
import { ngettext } from "./words.js";

const MOST_ROWS = 600;

export class EventList {
  constructor() {
    this.pill = document.querySelector("[data-news]");
    this.held = [];
    const follow = document.querySelector("[data-follow]");
    follow.hidden = false;
    this.follow = follow.querySelector("input");
    this.fetchSoon = pacer(() => this.fetchNew(), 500);
    this.follow.addEventListener("change", () => this.show(false));
    this.pill.addEventListener("click", () => this.show(true));
  }

  // Looked up each time: after a reset the page has a list of its own making.
  get list() { return document.querySelector('[data-region="events"]'); }

  apply(event) {
    const { kind } = this.list.dataset;
    if (!kind || event.name.startsWith(`${kind}.`)) this.fetchSoon();
  }

  async fetchNew() {
    const url = new URL(this.list.dataset.url, location.href);
    url.searchParams.set("after", this.list.dataset.after);
    const { page, status } = await fetchPage(url);
    if (status === 410) return location.reload(); // more has happened than the stream remembers
    if (status !== 200) return;
    const fresh = page.querySelector("ol[data-after]");
    this.list.dataset.after = fresh.dataset.after;
    this.held.unshift(...fresh.children);
    this.show(false);
  }

  // Whoever reads a raw event, has selected something or has stopped following is not disturbed.
  get isReading() {
    const selection = getSelection();
    const selects = !selection.isCollapsed && this.list.contains(selection.anchorNode);
    return selects || !this.follow.checked || Boolean(this.list.querySelector("details[open]"));
  }

  show(isAsked) {
    const waits = this.isReading && !isAsked;
    if (this.held.length && !waits) {
      const rows = this.held.splice(0).map((row) => adopt(row));
      const wasEmpty = !this.list.firstElementChild;
      if (wasEmpty) this.list.replaceChildren();
      keepingPlace(() => this.list.prepend(...rows));
      this.trim();
      if (isAsked) scrollTo({ top: 0 });
    }
    this.pill.hidden = !this.held.length;
    this.pill.textContent = ngettext("%(n)s new event", "%(n)s new events", this.held.length, { n: this.held.length });
  }

  // Old rows make room, unless they are what is read.
  trim() {
    while (this.list.children.length > MOST_ROWS && this.list.lastElementChild.getBoundingClientRect().top > 2 * innerHeight) {
      this.list.lastElementChild.remove();
    }
  }
}

export function startPolling() {
  const mark = document.querySelector("[data-poll]");
  if (!mark) return;
  const look = pacer(async () => {
    const { page, status } = await fetchPage(location.href);
    if (status === 200 || status === 503) swapRegions(page);
  }, 1000);
  setInterval(() => document.hidden || look(), Number(mark.dataset.poll));
  document.addEventListener("visibilitychange", () => document.hidden || look());
}
