// Uploads: several files one after the other, each with its progress; they can be cancelled.
import { FROM_BYTES, Resumable } from "./resumable.js";
import { _, fill } from "./words.js";

export class Uploads {
  constructor(form) {
    this.form = form;
    this.list = form.querySelector("#uploads");
    this.queue = [];
    const input = form.querySelector("input[type=file]"), purifier = form.querySelector("#purifier");
    purifier.addEventListener("change", () => this.remember(purifier.checked));
    form.addEventListener("submit", (event) => event.preventDefault());
    if (!input) return;
    const sound = input.accept, type = form.elements.type;
    type?.addEventListener("change", () => { input.accept = type.value === "audio" ? sound : ""; });
    input.addEventListener("change", () => { this.add(input.files); input.value = ""; });
    this.acceptDrops();
  }

  get token() { return this.form.elements.csrfmiddlewaretoken.value; }

  acceptDrops() {
    let depth = 0;
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const mark = (change) => document.body.classList.toggle("dragging", (depth = Math.max(0, depth + change)) > 0);
    addEventListener("dragenter", (event) => hasFiles(event) && mark(1));
    addEventListener("dragleave", (event) => hasFiles(event) && mark(-1));
    addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(-depth);
      this.add(event.dataTransfer.files);
    });
    addEventListener("beforeunload", (event) => this.current && event.preventDefault());
  }

  async remember(usePurifier) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.token };
    const answer = await fetch("/preferences/purifier", { method: "POST", headers, body: JSON.stringify({ usePurifier }) });
    if (!answer.ok) console.warn("The purifier switch was not remembered", answer.status);
  }

  add(files) {
    for (const file of files) this.queue.push(this.show(file));
    this.next();
  }

  next() {
    if (this.current || !this.queue.length) return;
    this.current = this.queue.shift();
    if (this.current.file.size > Number(this.form.dataset.max)) this.fail(this.current, _("This file is larger than allowed."));
    else if (this.current.file.size < FROM_BYTES) this.send(this.current);
    else this.sendInParts(this.current);
  }

  fields() {
    const fields = { purifier: String(this.form.querySelector("#purifier").checked) };
    for (const name of ["language", "hot_words", "type", "priority", "requires"]) fields[name] = this.form.elements[name]?.value ?? "";
    const at = this.form.elements.run_at?.value;
    return at ? { ...fields, run_at: new Date(at).toISOString() } : fields;
  }

  sendInParts(item) {
    item.parts = new Resumable(item.file, this.fields(), this.token, {
      progress: (share) => this.progress(item, share),
      waiting: (text) => { item.amount.textContent = text; item.pause.textContent = _("Resume"); },
      moving: () => { item.pause.textContent = _("Pause"); },
      done: (jobId) => { item.parts.end(); this.accepted(item, jobId); },
      failed: (reason, status) => this.fail(item, reason || refusal(status)),
    });
    item.pause.hidden = false;
    item.pause.addEventListener("click", () => item.parts.isPaused ? item.parts.resume() : item.parts.pause());
    item.parts.start().catch((fault) => { console.warn(fault); item.parts.end(); this.send(item); });
  }

  send(item) {
    const body = new FormData(), request = new XMLHttpRequest();
    item.pause.hidden = true;
    for (const [name, value] of Object.entries(this.fields())) body.append(name, value);
    body.append("file", item.file, item.file.name);
    item.request = request;
    request.upload.onprogress = (event) => this.progress(item, event.loaded / (event.total || 1));
    request.onload = () => this.answered(item, request);
    request.onerror = () => this.fail(item, _("The connection broke. Try again."));
    request.onabort = () => this.done(item, () => item.row.remove());
    request.open("POST", "/submit");
    request.setRequestHeader("X-CSRFToken", this.token);
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  }

  progress(item, share) {
    item.bar.value = share;
    item.amount.textContent = share < 1 ? `${Math.floor(100 * share)} %` : _("being checked …");
  }

  answered(item, request) {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* a proxy's own page */ }
    if (request.status >= 300 || !answer.job_id) {
      return this.fail(item, answer.error || refusal(request.status));
    }
    this.accepted(item, answer.job_id);
  }

  accepted(item, jobId) {
    const link = Object.assign(document.createElement("a"), { href: `/ui/jobs/${jobId}/`, textContent: item.file.name, className: "name" });
    this.done(item, () => {
      item.row.dataset.state = "done";
      item.row.querySelector(".name").replaceWith(link);
      item.amount.textContent = _("accepted");
      item.acts.remove();
      setTimeout(() => item.row.remove(), 8000);
    });
  }

  fail(item, reason) {
    this.done(item, () => {
      item.row.dataset.state = "failed";
      item.bar.remove();
      item.pause.remove();
      item.amount.textContent = reason;
      item.button.textContent = _("Dismiss");
    });
  }

  done(item, change) {
    change();
    item.isOver = true;
    if (this.current === item) this.current = null;
    this.next();
  }

  cancel(item) {
    if (item.isOver) return item.row.remove();
    if (this.current === item && item.parts && !item.parts.isOver) return item.parts.cancel().then(() => this.done(item, () => item.row.remove()));
    if (this.current === item) return item.request.abort();
    this.queue = this.queue.filter((other) => other !== item);
    item.row.remove();
  }

  show(file) {
    const make = (tag, facts) => Object.assign(document.createElement(tag), facts);
    const item = {
      file, row: make("li", { className: "uploading" }), bar: make("progress", { value: 0, max: 1, className: "thin" }),
      amount: make("span", { className: "amount", textContent: _("waiting") }), button: make("button", { type: "button", textContent: _("Cancel") }),
      pause: make("button", { type: "button", textContent: _("Pause"), hidden: true }), acts: make("span"),
    };
    item.bar.setAttribute("aria-label", file.name);
    item.button.addEventListener("click", () => this.cancel(item));
    item.acts.append(item.pause, item.button);
    item.row.append(make("span", { className: "name", textContent: file.name }), item.amount, item.acts, item.bar);
    this.list.append(item.row);
    return item;
  }
}

const refusal = (status) => fill(_("The server refused it (%(status)s)."), { status });
