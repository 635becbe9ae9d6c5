// The page of one job: its map at once, and what the server says of it a moment later.
import { applyToMap, tellCounts } from "./chunks.js";
import { mapOf } from "./map.js";
import { pacer } from "./pacer.js";
import { fetchPage, keepingPlace, swapKeyed, swapRegions } from "./regions.js";
import { _, fill } from "./words.js";

// Nothing happens to a job that waits for workers: who there is, is asked.
const WAITS_MS = 5000;
const ENDED = new Set(["completed", "failed", "cancelled"]);

export class JobPage {
  constructor(article, refresh) {
    this.article = article;
    this.refreshSoon = pacer(refresh, 300);
    this.dirty = new Set();
    this.fetchSoon = pacer(() => this.fetchChanges(), 600);
    const looking = setInterval(() => article.isConnected ? this.lookAtWait() : clearInterval(looking), WAITS_MS);
    article.addEventListener("pointermove", (event) => this.point(event));
    article.addEventListener("pointerleave", () => this.show(-1), true);
    article.addEventListener("click", (event) => this.isMap(event) && this.open(this.here));
    article.addEventListener("keydown", (event) => this.isMap(event) && this.walk(event));
  }

  get svg() { return this.article.querySelector('[data-map="large"]'); }
  get map() { return this.svg && mapOf(this.svg); }
  isMap(event) { return event.target.closest?.('[data-map="large"]'); }

  apply(event) {
    if (event.name === "job.progressed") return this.showStage(event.progress);
    if (event.name === "job.removed" || ENDED.has(event.status)) return this.refreshSoon();
    if (!event.name.startsWith("chunk.")) {
      return event.total_chunks && !this.svg ? this.refreshSoon() : this.fetchSoon();
    }
    if (!this.map) return this.refreshSoon();
    if (applyToMap(this.map, event)) tellCounts(this.article, this.map);
    if (event.name === "chunk.progressed") return;
    this.dirty.add(event.index);
    this.fetchSoon();
  }

  lookAtWait() {
    if (!document.hidden && this.article.querySelector("[data-waits]")) this.fetchSoon();
  }

  showStage(progress) {
    const bar = this.article.querySelector('[data-part="stage"]');
    if (bar) bar.value = progress;
  }

  async fetchChanges() {
    const indexes = [...this.dirty].slice(0, 200);
    indexes.forEach((index) => this.dirty.delete(index));
    const query = new URLSearchParams(indexes.map((index) => ["i", index]));
    const { page, status } = await fetchPage(`${this.article.dataset.changes}?${query}`);
    if (status === 404) return this.refreshSoon();
    if (status !== 200) indexes.forEach((index) => this.dirty.add(index));
    else this.put(page);
    if (this.dirty.size) this.fetchSoon();
  }

  put(page) {
    swapRegions(page, ["head", "text-state", "lanes", "lane-rows"]);
    keepingPlace(() => {
      for (const name of ["rows", "blocks"]) {
        const list = document.querySelector(`[data-region="${name}"]`);
        const fresh = page.querySelector(`[data-region="${name}"]`);
        if (list && fresh) swapKeyed(list, fresh.children, false);
      }
    });
    for (const index of page.querySelectorAll("[data-block]")) this.glow(index.dataset.block);
  }

  glow(index) {
    const block = document.querySelector(`[data-block="${index}"]`);
    if (block && !block.querySelector(".pending")) block.classList.add("new");
  }

  point(event) { if (this.isMap(event)) this.show(this.map.at(event.clientX, event.clientY)); }

  walk(event) {
    const columns = this.map.layOut().columns;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === "Enter") return this.open(this.here);
    if (!step) return;
    event.preventDefault();
    const next = (this.here ?? -1) < 0 ? 0 : this.here + step;
    if (this.map.has(next) && next >= 0) this.show(next);
  }

  show(index) {
    if (!this.svg || index === this.here) return;
    this.here = index;
    const row = this.row(index);
    for (const old of this.article.querySelectorAll("tr.pointed")) old.classList.remove("pointed");
    row?.classList.add("pointed");
    const hint = this.article.querySelector("[data-map-hint]");
    if (row) hint.textContent = describe(row);
  }

  row(index) { return this.article.querySelector(`tr[data-index="${index}"]`); }

  open(index) {
    const row = this.row(index), box = row?.closest(".table-box");
    if (box) box.scrollTop = row.offsetTop - box.clientHeight / 3;
  }
}

function describe(row) {
  const [number, place, state, worker, tries, speed] = [...row.cells];
  const text = fill(_("Chunk %(number)s · %(place)s · %(state)s"), {
    number: number.textContent, place: place.textContent.trim(), state: state.textContent.trim(),
  });
  if (worker.textContent.trim() === "—") return text;
  return `${text} · ${fill(_("%(worker)s, tries: %(tries)s, speed: %(speed)s"), { worker: worker.textContent.trim(), tries: tries.textContent, speed: speed.textContent })}`;
}
