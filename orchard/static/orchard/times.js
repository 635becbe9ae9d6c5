// Times: how long ago, and on pointing the exact moment in the viewer's own zone.
import { tellCountdowns } from "./countdown.js";

const language = document.documentElement.lang || undefined;
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function tellTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const seconds = Math.min(0, Math.round((at - Date.now()) / 1000));
    const [unit, size] = UNITS.find(([, length]) => -seconds >= length) ?? ["second", 1];
    const text = ago.format(Math.ceil(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
    if (!time.title) time.title = exact.format(at);
  }
  tellCountdowns(root);
}

export function startTimes() {
  tellTimes();
  setInterval(() => tellTimes(), 5000);
}
