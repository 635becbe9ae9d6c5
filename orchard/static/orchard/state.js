// The editor of an entry: numbered and coloured lines, faults told while typing, nothing typed lost.
import { findFault, offsetOf, tidy, tokens } from "./json.js";
import { pacer } from "./pacer.js";
import { fetchPage } from "./regions.js";
import { _, fill } from "./words.js";

const COLOURED_CHARS = 60000;
const CLASSES = { string: "json-string", number: "json-number", literal: "json-literal", wrong: "json-wrong" };

class Editor {
  constructor(form) {
    this.form = form;
    const find = (name) => form.querySelector(`[data-${name}]`);
    this.area = form.querySelector("textarea");
    [this.gutter, this.ink, this.verdict, this.moved, this.jump, this.tidy] = ["gutter", "ink", "verdict", "moved", "jump", "tidy"].map(find);
    this.saved = form.querySelector('[aria-invalid="true"]') ? null : this.area.value;
    this.judgeSoon = pacer(() => this.judge(), 150);
    this.area.addEventListener("input", () => { this.draw(); this.judgeSoon(); });
    this.area.addEventListener("scroll", () => this.follow());
    this.jump.addEventListener("click", () => this.goTo(this.fault));
    this.tidy.addEventListener("click", () => this.put(tidy(this.area.value)));
    form.addEventListener("submit", () => { this.isSending = true; });
    addEventListener("beforeunload", (event) => this.isDirty && !this.isSending && event.preventDefault());
    addEventListener("pageshow", () => { this.isSending = false; });
    new MutationObserver(() => this.lookAround()).observe(document.getElementById("main"), { childList: true, subtree: true });
    this.fault = form.dataset.line && { line: Number(form.dataset.line), column: Number(form.dataset.column) };
    form.classList.add("lively");
    this.draw();
    if (this.fault) this.tell(); else this.judge();
    if (this.fault && document.getElementById("fault")) this.goTo(this.fault);
  }

  get isDirty() { return this.area.value !== this.saved && this.area.value !== ""; }

  draw() {
    const text = this.area.value, lines = text.split("\n").length;
    const parts = Array.from({ length: lines }, (_none, n) => {
      const number = document.createElement("span");
      number.textContent = `${n + 1}\n`;
      if (this.fault?.line === n + 1) number.className = "json-wrong";
      return number;
    });
    if (lines <= 5000) this.gutter.replaceChildren(...parts);
    this.form.classList.toggle("plain-ink", text.length > COLOURED_CHARS);
    this.ink.replaceChildren(...(text.length > COLOURED_CHARS ? [] : coloured(text)), "\n ");
    this.follow();
  }

  follow() {
    this.gutter.scrollTop = this.ink.scrollTop = this.area.scrollTop;
    this.ink.scrollLeft = this.area.scrollLeft;
  }

  judge() {
    const before = this.fault?.line;
    this.fault = this.area.value.trim() === "" ? null : findFault(this.area.value);
    if (this.fault?.line !== before) this.draw();
    this.tell();
  }

  tell() {
    const isEmpty = this.area.value.trim() === "";
    this.verdict.dataset.state = this.fault ? "wrong" : isEmpty ? "" : "right";
    this.verdict.textContent = this.fault ? fill(_("Not JSON from line %(line)s, column %(column)s on"), this.fault) : isEmpty ? "" : _("This is JSON");
    this.area.setAttribute("aria-invalid", String(Boolean(this.fault)));
    this.jump.hidden = !this.fault;
    this.tidy.hidden = Boolean(this.fault) || isEmpty;
  }

  goTo({ line, column }) {
    const at = offsetOf(this.area.value, line, column);
    this.area.focus();
    this.area.setSelectionRange(at, at + 1);
  }

  // As if it were typed, so that it can be undone.
  put(text) {
    this.area.focus();
    this.area.select();
    if (!document.execCommand("insertText", false, text)) this.area.value = text;
    this.draw();
    this.judge();
  }

  // Somebody else may change the entry while it is edited: who has typed is told, who has not sees it.
  async lookAround() {
    const now = document.querySelector("[data-mark-now]")?.dataset.markNow;
    if (now === undefined || now === this.form.dataset.mark) return;
    this.form.dataset.mark = now;
    if (this.isDirty) { this.moved.hidden = false; return; }
    const { page, status } = await fetchPage(this.form.action).catch(() => ({ status: 0 }));
    const fresh = status === 200 && page.querySelector("[data-editor]");
    if (!fresh || this.isDirty) { this.moved.hidden = false; return; }
    this.saved = this.area.value = fresh.querySelector("textarea").value;
    this.form.elements.mark.value = fresh.elements.mark.value;
    this.draw();
    this.judge();
  }
}

function coloured(text) {
  return [...tokens(text)].map(({ kind, text: word }) => {
    if (!CLASSES[kind]) return word;
    const span = document.createElement("span");
    span.className = CLASSES[kind];
    span.textContent = word;
    return span;
  });
}

const started = new WeakSet();
export function startState() {
  for (const form of document.querySelectorAll("[data-editor]")) {
    if (started.has(form)) continue;
    started.add(form);
    new Editor(form);
  }
}
