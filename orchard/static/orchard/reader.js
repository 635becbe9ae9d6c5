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

// Follows the sound only while it is in sight: whoever scrolled away reads something else.
function follow(line) {
  const { top, bottom } = line.getBoundingClientRect();
  const isNear = top > -innerHeight / 2 && bottom < 1.5 * innerHeight;
  if (isNear && (top < 90 || bottom > innerHeight - 40)) line.scrollIntoView({ block: "center", behavior: "smooth" });
}
