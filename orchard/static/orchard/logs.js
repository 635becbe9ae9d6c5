// Logs: times in the viewer's zone, and lines that come by themselves.
import { adopt, fetchPage, keepingPlace } from "./regions.js";
import { ngettext } from "./words.js";

const LOOK_MS = 1000;
const MOST_ROWS = 800;
const language = document.documentElement.lang || undefined;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false });
const day = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

export function startLogs() {
  const list = document.getElementById("log-lines");
  if (!list) return;
  tellMoments(list);
  if (list.dataset.url) new LogList(list);
}

function tellMoments(root) {
  for (const node of root.querySelectorAll("[data-at]")) {
    const at = new Date(node.dataset.at);
    const isToday = at.toDateString() === new Date().toDateString();
    node.textContent = isToday ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
    node.title = exact.format(at);
  }
}

class LogList {
  constructor(list) {
    this.list = list;
    this.held = [];
    this.pill = document.querySelector("[data-news]");
    this.state = document.querySelector("[data-log-state]");
    const follow = document.querySelector("[data-follow]");
    follow.hidden = false;
    this.follow = follow.querySelector("input");
    this.follow.addEventListener("change", () => this.show(false));
    this.pill.addEventListener("click", () => this.show(true));
    document.addEventListener("visibilitychange", () => this.look());
    this.look();
  }

  async look() {
    clearTimeout(this.timer);
    if (this.isLooking) return;
    if (!document.hidden) {
      this.isLooking = true;
      await this.fetchNew().then(() => this.tell(true), () => this.tell(false));
      this.isLooking = false;
    }
    this.timer = setTimeout(() => this.look(), LOOK_MS);
  }

  tell(isLive) { this.state.hidden = isLive; }

  async fetchNew() {
    const url = new URL(this.list.dataset.url, location.href);
    url.searchParams.set("after", this.list.dataset.after);
    const { page, status } = await fetchPage(url);
    const fresh = page.querySelector("ol[data-after]");
    if (status !== 200 || !fresh) throw new Error(`answered ${status}`);
    this.list.dataset.after = fresh.dataset.after;
    this.held.push(...fresh.children);
    this.show(false);
  }

  // Whoever reads details, has selected something or has stopped following is not disturbed.
  get isReading() {
    const selection = getSelection();
    const selects = !selection.isCollapsed && this.list.contains(selection.anchorNode);
    return selects || !this.follow.checked || Boolean(this.list.querySelector("details[open]"));
  }

  show(isAsked) {
    if (this.held.length && (isAsked || !this.isReading)) {
      const rows = this.held.splice(0).map((row) => adopt(row));
      rows.forEach(tellMoments); // before they are placed: it changes their height
      if (!this.list.firstElementChild) this.list.replaceChildren();
      keepingPlace(() => rows.forEach((row) => this.place(row)));
      this.trim();
      if (isAsked) scrollTo({ top: 0 });
    }
    this.pill.hidden = !this.held.length;
    this.pill.textContent = ngettext("%(n)s new line", "%(n)s new lines", this.held.length, { n: this.held.length });
  }

  // Lines come in the order of their arrival and stand in that of their time.
  place(row) {
    const key = BigInt(row.dataset.key);
    let next = this.list.firstElementChild;
    while (next && BigInt(next.dataset.key) > key) next = next.nextElementSibling;
    if (next?.dataset.key !== row.dataset.key) this.list.insertBefore(row, next);
  }

  // Old rows make room unless they are what is read; the way to older ones begins after the last.
  trim() {
    while (this.list.children.length > MOST_ROWS && this.list.lastElementChild.getBoundingClientRect().top > 2 * innerHeight) {
      this.list.lastElementChild.remove();
    }
    const older = document.querySelector("[data-older]"), last = this.list.lastElementChild;
    if (!older || !last) return;
    const url = new URL(older.href);
    url.searchParams.set("cursor", last.dataset.key);
    older.href = url;
  }
}
