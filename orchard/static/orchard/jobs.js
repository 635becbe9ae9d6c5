// Lists of jobs: rows come from the server, cells change as events come in.
import { applyToMap, tellCounts } from "./chunks.js";
import { mapOf } from "./map.js";
import { pacer } from "./pacer.js";
import { adopt, fetchPage, keepingPlace, swapKeyed } from "./regions.js";
import { ngettext } from "./words.js";

const MOST = 50;
const AGAIN_MS = 1000;

export class JobList {
  constructor(list) {
    this.list = list;
    this.dirty = new Set();
    this.elsewhere = new Set();
    this.pill = document.querySelector("[data-jobs-news]");
    this.fetchSoon = pacer(() => this.fetchRows(), 300);
  }

  row(jobId) { return this.list.querySelector(`[data-job="${CSS.escape(jobId)}"]`); }

  apply(event) {
    if (!event.job_id) return;
    const row = this.row(event.job_id);
    if (event.name === "job.removed") return this.remove(row);
    if (event.name === "job.progressed") return this.showStage(row, event);
    if (!row && !this.comes(event)) return;
    if (!event.name.startsWith("chunk.")) return this.renew(event.job_id, row);
    const svg = row?.querySelector("[data-map]");
    if (!svg) return row && this.renew(event.job_id, row);
    if (applyToMap(mapOf(svg), event)) tellCounts(row, mapOf(svg));
    if (event.name === "chunk.failed") this.renew(event.job_id, row);
  }

  // What an event brings to this list: a new job, or to a list of one state one that came to it.
  comes(event) { return event.name === "job.created" || (event.name === "job.advanced" && event.status === this.list.dataset.of); }

  remove(row) {
    keepingPlace(() => row?.remove());
    if (!this.list.firstElementChild) this.list.replaceChildren();
  }

  showStage(row, event) {
    const bar = row?.querySelector('[data-part="stage"]');
    if (!bar) return;
    bar.value = event.progress;
    const percent = row.querySelector('[data-part="percent"]');
    if (percent) percent.textContent = `${Math.round(100 * event.progress)} %`;
  }

  renew(jobId, row) {
    if (!row && !this.list.dataset.grows && !this.pill) return;
    this.dirty.add(jobId);
    this.fetchSoon();
  }

  async fetchRows() {
    if (!navigator.onLine) return addEventListener("online", this.fetchSoon, { once: true });
    const ids = [...this.dirty].slice(0, MOST);
    ids.forEach((id) => this.dirty.delete(id));
    const url = new URL(this.list.dataset.url, location.href);
    for (const id of ids) url.searchParams.append(this.row(id) ? "id" : "new", id);
    const { page, status } = await fetchPage(url).catch(() => ({ status: 0 }));
    if (status === 200) keepingPlace(() => this.put([...page.querySelectorAll("[data-job]")]));
    const isMore = status === 200 && this.dirty.size;
    const again = status === 200 ? [...page.querySelectorAll("[data-late]")].map((one) => one.dataset.late) : ids;
    again.forEach((id) => this.dirty.add(id));
    if (this.dirty.size) setTimeout(this.fetchSoon, isMore ? 0 : AGAIN_MS);
  }

  put(rows) {
    swapKeyed(this.list, rows.filter((row) => this.row(row.dataset.job)), false);
    const fresh = rows.filter((one) => !this.row(one.dataset.job));
    if (this.pill) return this.announce(fresh);
    for (const row of fresh) {
      const item = adopt(row);
      item.classList.add("new");
      if (!this.list.firstElementChild) this.list.replaceChildren();
      this.list.prepend(item);
    }
    while (this.list.children.length > Number(this.list.dataset.grows || Infinity)) this.list.lastElementChild.remove();
  }

  // Where they stand in another order is not known: whoever reads decides when to look.
  announce(rows) {
    for (const row of rows) this.elsewhere.add(row.dataset.job);
    const n = this.elsewhere.size;
    if (!n) return;
    this.pill.textContent = ngettext("One more job matches: show it", "%(n)d more jobs match: show them", n, { n });
    this.pill.hidden = false;
  }
}
