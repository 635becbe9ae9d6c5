// Cleaning by hand: a selection that stays while the list is live, and runs that are followed.
import { pacer } from "./pacer.js";
import { fetchPage, swapRegions } from "./regions.js";

const AGAIN_MS = 2000, LOOK_MS = 1000, AMONG_OTHERS_MS = 300;
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

// A run goes on as long as its page is open somewhere; whoever closes it can come back.
export async function followRun() {
  for (let card = run(); card && card.dataset.state !== "done"; card = run()) {
    const form = card.dataset.state === "running" && card.querySelector("[data-run-step]");
    if (form) await goOn(card, form);
    else {
      await rest(LOOK_MS);
      if (!document.hidden) await look();
    }
  }
}

const run = () => document.querySelector("[data-run]");

async function goOn(card, form) {
  const answer = await fetch(form.action, {
    method: "POST", body: new FormData(form), headers: { "X-Requested-With": "fetch" },
  }).catch(() => null);
  if (!answer?.ok) return rest(AGAIN_MS); // the engine or the network is away: it goes on by itself
  const now = await answer.json();
  if (now.state !== "running") return look();
  if (String(now.position) === card.dataset.position) await rest(AMONG_OTHERS_MS); // somebody else is at it
  tell(card, now);
}

function tell(card, now) {
  card.dataset.position = now.position;
  card.querySelector("[data-run-bar]").value = now.position;
  card.querySelector("[data-run-done]").textContent = now.done;
  card.querySelector("[data-run-skipped]").textContent = now.skipped;
}

// Only what has moved on is put in place: who is about to press a button finds it where it was.
async function look() {
  const { page, status } = await fetchPage(location.href).catch(() => ({}));
  const fresh = status === 200 && page.querySelector("[data-run]");
  if (!fresh) return rest(AGAIN_MS);
  const { state, position } = run().dataset;
  if (fresh.dataset.state !== state || fresh.dataset.position !== position) swapRegions(page, ["run"]);
}

// The list of things; it is renewed as they change, unless somebody has ticked some of them.
export class Selection {
  constructor(form) {
    this.form = form;
    this.all = form.querySelector('[name="all"]');
    this.told = form.querySelector("[data-ticked]");
    form.addEventListener("change", (event) => this.tick(event.target));
    this.renewSoon = pacer(() => this.renew(), LOOK_MS);
    this.tell();
  }

  get boxes() { return [...this.form.querySelectorAll('[name="name"]')]; }

  tick(box) {
    if (box === this.all) for (const one of this.boxes) one.checked = box.checked;
    else if (box.name === "name" && !box.checked && this.all) this.all.checked = false;
    this.tell();
  }

  tell() {
    const ticked = this.boxes.filter((one) => one.checked).length;
    if (this.told) this.told.textContent = ticked && !this.all?.checked ? `${ticked} ${this.told.dataset.words}` : "";
  }

  apply(event) {
    if (!event.name.endsWith("progressed") && !this.form.querySelector("[data-cut]")) this.renewSoon();
  }

  async renew() {
    if (this.isTicked()) return;
    const { page, status } = await fetchPage(location.href);
    if (status === 200 && !this.isTicked()) swapRegions(page, ["things"]);
  }

  isTicked() { return this.boxes.some((one) => one.checked); }
}
