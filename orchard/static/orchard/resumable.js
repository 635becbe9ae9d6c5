// Large files in parts, by the tus protocol: they go on after lost connections and reloads.
import { _ } from "./words.js";

export const FROM_BYTES = 2_000_000;
const PART_BYTES = 5_000_000, RESTS_MS = [0, 1000, 2000, 4000, 8000, 15000, 30000];

export class Resumable {
  constructor(file, fields, token, told) {
    this.told = told;
    this.options = {
      endpoint: "/api/v1/uploads/tus", chunkSize: PART_BYTES, retryDelays: RESTS_MS, removeFingerprintOnSuccess: true,
      metadata: { filename: file.name, ...fields }, headers: { "X-CSRFToken": token, Accept: "application/json" },
      onShouldRetry: (fault) => isPassing(fault),
      onProgress: (sent, size) => told.progress(sent / (size || 1)),
      onSuccess: ({ lastResponse }) => told.done(lastResponse.getHeader("X-Orchard-Job")),
      onError: (fault) => this.broke(fault),
    };
    this.file = file;
    this.goOn = () => this.resume();
    addEventListener("online", this.goOn);
  }

  // The library is loaded by those who need it; it is there once for all files.
  async start() {
    await import("./vendor/tus-js-client-4.3.1.min.js");
    if (this.isOver) return;
    this.upload = new window.tus.Upload(this.file, this.options);
    const [before] = await this.upload.findPreviousUploads();
    if (before) this.upload.resumeFromPreviousUpload(before);
    if (!this.isOver && !this.isPaused) this.upload.start();
  }

  pause() {
    this.isPaused = true;
    this.upload?.abort();
    this.told.waiting(_("paused"));
  }

  resume() {
    if (!this.isPaused || this.isOver) return;
    this.isPaused = false;
    this.told.moving();
    this.upload?.start();
  }

  async cancel() {
    this.end();
    await this.upload?.abort(true).catch((fault) => console.warn("The upload expires by itself", fault));
  }

  end() {
    this.isOver = true;
    removeEventListener("online", this.goOn);
  }

  broke(fault) {
    if (isPassing(fault)) {
      this.isPaused = true;
      return this.told.waiting(_("The connection broke. It goes on when there is one."));
    }
    this.end();
    let answer = {};
    try { answer = JSON.parse(fault.originalResponse?.getBody()); } catch { /* a proxy's own page */ }
    this.told.failed(answer?.error ?? "", fault.originalResponse?.getStatus() ?? 0);
  }
}

// What may be better in a moment: no answer, a server away, another request at the same upload.
function isPassing(fault) {
  const status = fault.originalResponse?.getStatus() ?? 0;
  return Boolean(fault.originalRequest) && (status === 0 || status >= 500 || status === 409 || status === 423);
}
