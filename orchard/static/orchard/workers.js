// Workers: the list comes from the server when something changed, progress from the events.
import { pacer } from "./pacer.js";
import { fetchPage, keepingPlace, swapKeyed } from "./regions.js";

const TELLING = new Set(["chunk.started", "chunk.completed", "chunk.requeued", "chunk.dropped", "chunk.failed"]);

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
    if (status !== 200) return;
    const cards = page.querySelectorAll("[data-key]");
    keepingPlace(() => swapKeyed(this.list, cards, !this.keepsOrder(cards)));
  }

  // In an order that changes all the time, cards stay where they are until one comes or goes.
  keepsOrder(cards) {
    const shown = new Set([...this.list.children].map((card) => card.dataset.key));
    return "sorted" in this.list.dataset && cards.length === shown.size && [...cards].every((card) => shown.has(card.dataset.key));
  }
}
