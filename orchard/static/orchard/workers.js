// Workers: the list comes from the server when something changed, progress from the events.
import { pacer } from "./pacer.js";
import { fetchPage, keepingPlace, swapKeyed } from "./regions.js";

const TELLING = new Set(["chunk.started", "chunk.completed", "chunk.requeued", "chunk.failed"]);

export class WorkerList {
  constructor(list) {
    this.list = list;
    this.fetchSoon = pacer(() => this.fetchAll(), 1000);
  }

  apply(event) {
    if (event.name === "chunk.progressed") {
      const bar = this.list.querySelector(`[data-chunk="${CSS.escape(event.chunk_id)}"]`);
      if (bar) bar.value = event.progress;
    } else if (event.name.startsWith("worker.") || TELLING.has(event.name)) this.fetchSoon();
  }

  async fetchAll() {
    const { page, status } = await fetchPage(this.list.dataset.url);
    if (status === 200) keepingPlace(() => swapKeyed(this.list, page.querySelectorAll("[data-key]"), true));
  }
}
