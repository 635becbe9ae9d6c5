// Reading along: a click plays the sound from there, the line that is heard is lit, words are found.
import { _, fill } from "./words.js";

const HEARD = "heard", MARKED = "found";

export class Reader {
  constructor(article) {
    this.article = article;
    this.tools = article.querySelector("[data-player]");
    if (!this.tools) return;
    this.audio = this.tools.querySelector("audio");
    this.audio.addEventListener("timeupdate", () => this.light());
    this.audio.addEventListener("error", () => { this.tools.querySelector("[data-no-sound]").hidden = false; });
    article.addEventListener("click", (event) => this.click(event));
    this.tools.querySelector("[data-find]").addEventListener("input", (event) => this.find(event.target.value));
    this.tools.querySelector("[data-copy]").addEventListener("click", (event) => this.copy(event.currentTarget));
    this.edit = new Edits(article);
    this.comeTo(/^#at-(\d+)$/.exec(location.hash)?.[1]);
    // New lines come while somebody searches: they are searched as well.
    new MutationObserver(() => this.query && this.find(this.query)).observe(article.querySelector(".blocks"), { childList: true, subtree: true });
  }

  get lines() { return [...this.article.querySelectorAll(".line[data-start]")]; }

  click(event) {
    const line = event.target.closest(".at")?.closest(".line[data-start]");
    if (!line) return;
    this.audio.currentTime = Number(line.dataset.start) / 1000;
    this.audio.play().catch(() => {}); // what went wrong is said by the error event
    this.light();
  }

  // A link may lead to a line (the browser goes there): the sound waits at the same place.
  comeTo(start) {
    if (start !== undefined) this.audio.currentTime = Number(start) / 1000;
  }

  light() {
    const now = this.audio.currentTime * 1000 + 1;
    const heard = this.lines.findLast((line) => Number(line.dataset.start) <= now);
    if (heard === this.heard && heard?.classList.contains(HEARD)) return;
    for (const old of this.article.querySelectorAll(`.${HEARD}`)) {
      old.classList.remove(HEARD);
      old.removeAttribute("aria-current");
    }
    this.heard = heard;
    heard?.classList.add(HEARD);
    heard?.setAttribute("aria-current", "true");
    if (heard && !this.audio.paused) follow(heard);
  }

  find(query) {
    this.query = query.trim().toLocaleLowerCase();
    let found = 0;
    for (const line of this.lines) {
      const has = this.query !== "" && line.querySelector(".said").textContent.toLocaleLowerCase().includes(this.query);
      line.classList.toggle(MARKED, has);
      found += has;
      if (has && found === 1) line.scrollIntoView({ block: "nearest" });
    }
    this.tools.querySelector("[data-found]").textContent = this.query ? fill(_("found: %(n)s"), { n: found }) : "";
  }

  async copy(button) {
    const text = this.lines.map((line) => line.querySelector(".said").textContent).join("\n");
    await navigator.clipboard.writeText(text);
    const words = button.querySelector("span"), before = words.textContent;
    words.textContent = button.dataset.done;
    setTimeout(() => { words.textContent = before; }, 2000);
  }
}

// Editing: each line is its own field, saved when it is left; what was heard stays beside it.
class Edits {
  constructor(article) {
    this.article = article;
    this.form = article.querySelector("[data-edit-form]");
    const button = this.form?.querySelector("[data-edit]");
    if (!button) return;
    button.addEventListener("click", () => this.toggle(button));
    article.addEventListener("focusin", (event) => { const said = this.line(event); if (said) said.was ??= said.textContent; });
    article.addEventListener("focusout", (event) => { const said = this.line(event); if (said) this.save(said); });
    article.addEventListener("keydown", (event) => {
      const said = this.line(event);
      if (said && event.key === "Enter") { event.preventDefault(); said.blur(); }
      if (said && event.key === "Escape") { said.textContent = said.was; said.blur(); }
    });
  }

  line(event) { return this.article.classList.contains("editing") && event.target.closest?.(".line[data-start] .said"); }

  toggle(button) {
    const on = this.article.classList.toggle("editing");
    button.setAttribute("aria-pressed", on);
    for (const said of this.article.querySelectorAll(".line[data-start] .said")) {
      said.contentEditable = on ? "plaintext-only" : "inherit";
      on ? said.setAttribute("role", "textbox") : said.removeAttribute("role");
    }
  }

  async save(said) {
    const text = said.textContent.trim(), was = said.was;
    said.was = undefined;
    if (was === undefined || text === was) return;
    const body = new FormData(this.form);
    body.set("start_ms", said.closest(".line").dataset.start);
    body.set("text", text);
    body.set("was", was);
    said.dataset.state = "saving";
    const answer = await fetch(this.form.action, { method: "POST", body, headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    const told = answer?.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    said.dataset.state = answer?.ok ? "saved" : "refused";
    if (answer?.ok) { said.dataset.edited = ""; said.title = ""; return; }
    // What was typed stays where it is; what it collides with is told.
    said.title = told.error ?? _("It could not be saved. Try again.");
    if (told.text !== undefined) said.was = told.text;
    else said.was = was;
  }
}

// Follows the sound only while it is in sight: whoever scrolled away reads something else.
function follow(line) {
  const { top, bottom } = line.getBoundingClientRect();
  const isNear = top > -innerHeight / 2 && bottom < 1.5 * innerHeight;
  if (isNear && (top < 90 || bottom > innerHeight - 40)) line.scrollIntoView({ block: "center", behavior: "smooth" });
}
