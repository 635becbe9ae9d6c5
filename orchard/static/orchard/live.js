// The live socket: resumes from its cursor after a drop, and tells how the connection is.
const FIRST_MS = 400, LONGEST_MS = 8000;
const SILENT_MS = 40000; // the server says something every 15 seconds
const ANONYMOUS = 4401;

export class Live {
  constructor({ topic, cursor, onEvents, onReset, onState }) {
    Object.assign(this, { topic, cursor, onEvents, onReset, onState });
    this.waitMs = FIRST_MS;
    this.engineAway = false;
    addEventListener("offline", () => this.drop("offline"));
    addEventListener("online", () => this.connect());
    addEventListener("pagehide", () => this.drop("reconnecting"));
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    document.addEventListener("visibilitychange", () => !document.hidden && this.connect());
    setInterval(() => this.socket && performance.now() - this.heardAt > SILENT_MS && this.retry(), 5000);
    this.connect();
  }

  connect() {
    if (this.socket || this.resetting || !navigator.onLine) return;
    clearTimeout(this.timer);
    const query = new URLSearchParams({ topic: this.topic, cursor: this.cursor });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live/?${query}`);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onopen = () => this.socket === socket && this.onState("live");
    socket.onmessage = (message) => this.socket === socket && this.hear(JSON.parse(message.data));
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      if (event.code === ANONYMOUS) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
      else this.retry();
    };
  }

  hear(frame) {
    this.heardAt = performance.now();
    this.waitMs = FIRST_MS;
    if (frame.reset) return this.reset();
    if (frame.engine) {
      this.engineAway = frame.engine === "away";
      return this.onState(this.engineAway ? "away" : "live");
    }
    // The cursor moves only after the events are in the page: a fault here means asking again.
    this.onEvents(frame.events);
    this.cursor = frame.cursor;
  }

  async reset() {
    this.resetting = true;
    this.drop("reconnecting");
    this.cursor = await this.onReset();
    this.resetting = false;
    this.connect();
  }

  drop(state) {
    const socket = this.socket;
    this.socket = null;
    // One that is not open yet is closed when it is: browsers report the other as an error.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket?.close();
    this.onState(state);
  }

  retry() {
    this.drop(navigator.onLine ? "reconnecting" : "offline");
    clearTimeout(this.timer);
    // A page that nobody looks at waits until somebody does.
    if (!document.hidden) this.timer = setTimeout(() => this.connect(), this.waitMs * (0.7 + 0.6 * Math.random()));
    this.waitMs = Math.min(this.waitMs * 2, LONGEST_MS);
  }
}
