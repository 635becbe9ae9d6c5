// Uploads: several files one after the other, each with its progress; they can be cancelled.
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
    else this.send(this.current);
  }

  send(item) {
    const body = new FormData(), request = new XMLHttpRequest();
    body.append("purifier", this.form.querySelector("#purifier").checked);
    for (const name of ["language", "hot_words", "type", "priority", "requires"]) body.append(name, this.form.elements[name]?.value ?? "");
    const at = this.form.elements.run_at?.value;
    if (at) body.append("run_at", new Date(at).toISOString());
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
      return this.fail(item, answer.error || fill(_("The server refused it (%(status)s)."), { status: request.status }));
    }
    const link = Object.assign(document.createElement("a"), { href: `/ui/jobs/${answer.job_id}/`, textContent: item.file.name, className: "name" });
    this.done(item, () => {
      item.row.dataset.state = "done";
      item.row.querySelector(".name").replaceWith(link);
      item.amount.textContent = _("accepted");
      item.button.remove();
      setTimeout(() => item.row.remove(), 8000);
    });
  }

  fail(item, reason) {
    this.done(item, () => {
      item.row.dataset.state = "failed";
      item.bar.remove();
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
    if (this.current === item) return item.request.abort();
    this.queue = this.queue.filter((other) => other !== item);
    item.row.remove();
  }

  show(file) {
    const make = (tag, facts) => Object.assign(document.createElement(tag), facts);
    const item = {
      file, row: make("li", { className: "uploading" }), bar: make("progress", { value: 0, max: 1, className: "thin" }),
      amount: make("span", { className: "amount", textContent: _("waiting") }), button: make("button", { type: "button", textContent: _("Cancel") }),
    };
    item.bar.setAttribute("aria-label", file.name);
    item.button.addEventListener("click", () => this.cancel(item));
    item.row.append(make("span", { className: "name", textContent: file.name }), item.amount, item.button, item.bar);
    this.list.append(item.row);
    return item;
  }
}
