// Every page starts here: what it finds in the document decides what comes alive.
import { Selection, followRun } from "./cleanup.js";
import { startConfirm } from "./confirm.js";
import { startCopy } from "./copy.js";
import { startCountdowns } from "./countdown.js";
import { Board } from "./issues.js";
import { JobPage } from "./job.js";
import { JobList } from "./jobs.js";
import { Live } from "./live.js";
import { startLogs } from "./logs.js";
import { adoptMaps } from "./map.js";
import { startMoments } from "./moments.js";
import { pacer } from "./pacer.js";
import { Reader } from "./reader.js";
import { fetchPage, keepingPlace, swapRegions } from "./regions.js";
import { startState } from "./state.js";
import { EventList, startPolling } from "./system.js";
import { startTheme } from "./theme.js";
import { startTimes, tellTimes } from "./times.js";
import { Uploads } from "./upload.js";
import { WorkerList } from "./workers.js";
import { _ } from "./words.js";

const AGAIN_MS = 2000;
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

// Fetches the page again and puts what has changed in place; returns its cursor.
async function refresh() {
  for (;;) {
    try {
      const { page, status } = await fetchPage(location.href);
      if (status === 200 || status === 404) {
        if (status === 404 || !swapRegions(page)) replaceMain(page);
        return page.body.dataset.cursor ?? "";
      }
    } catch { /* still away; the indicator says so */ }
    await rest(AGAIN_MS);
  }
}

function replaceMain(page) {
  document.getElementById("main").replaceWith(document.importNode(page.getElementById("main"), true));
  tellTimes();
  startParts();
  startState();
}

let parts = [];
function startParts() {
  const regions = (name) => [...document.querySelectorAll(`[data-region="${name}"]`)];
  const article = document.querySelector("[data-changes]");
  const counts = regions("numbers").map(() => pacer(async () => swapNumbers(), 1000));
  const filters = regions("filters").map(() => pacer(async () => swapRegions((await fetchPage(location.href)).page, ["filters"]), 3000));
  parts = [
    ...regions("jobs").map((list) => new JobList(list)),
    ...regions("workers").map((list) => new WorkerList(list)),
    ...regions("events").filter((list) => "follows" in list.dataset).map((list) => new EventList(list)),
    ...("refresh" in document.body.dataset ? [{ apply: pacer(refresh, 400) }] : []),
    ...[...document.querySelectorAll("[data-selection]")].map((form) => new Selection(form)),
    ...(document.querySelector("[data-board]") ? [new Board(pacer(refresh, 400))] : []),
    ...(article ? [new JobPage(article, refresh)] : []),
    ...counts.map((renew) => ({ apply: (event) => event.name.endsWith("progressed") || renew() })),
    ...filters.map((renew) => ({ apply: (event) => event.name.startsWith("job.") && event.name !== "job.progressed" && renew() })),
  ];
  if (article) new Reader(article);
  adoptMaps(document);
}

async function swapNumbers(name = "numbers") {
  const region = document.querySelector(`[data-region="${name}"]`);
  const { page, status } = await fetchPage(region.dataset.url);
  if (status === 200) keepingPlace(() => region.replaceChildren(...page.body.childNodes));
}

const STATES = {
  live: () => _("live"), connecting: () => _("connecting"), reconnecting: () => _("reconnecting"),
  offline: () => _("offline"), away: () => _("engine away"),
};
const OUTAGES = {
  away: () => _("The state engine is away. What you see is the last that was known; it goes on by itself."),
  offline: () => _("You are offline. This page goes on by itself when the connection is back."),
};
function tellState(state) {
  const indicator = document.getElementById("connection"), outage = document.getElementById("outage");
  if (!indicator || indicator.dataset.state === state) return;
  indicator.dataset.state = state;
  indicator.querySelector("[data-words]").textContent = STATES[state]();
  keepingPlace(() => {
    outage.hidden = !OUTAGES[state];
    outage.textContent = OUTAGES[state]?.() ?? "";
  });
}

// Samples come every ten seconds, without an event.
const CHARTS_MS = 10_000;
setInterval(() => !document.hidden && document.querySelector('[data-region="charts"]') && swapNumbers("charts").catch(() => {}), CHARTS_MS);
// On a phone header and tabs scroll: the page that one is on is in sight.
for (const here of document.querySelectorAll(":is(.bar nav, .tabs) a[aria-current]")) {
  const bar = here.parentElement;
  bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.clientWidth) / 2;
}
startTheme();
startTimes();
startCountdowns(pacer(refresh, 3000));
startConfirm();
startCopy();
startState();
startPolling();
startMoments();
startLogs();
const form = document.getElementById("upload-form");
if (form) new Uploads(form);
followRun();
const waiting = document.querySelector("[data-retry]");
if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.retry));
const { topic, cursor } = document.body.dataset;
if (topic) {
  startParts();
  const onEvents = (events) => events.forEach((event) => parts.forEach((part) => part.apply(event)));
  new Live({ topic, cursor, onEvents, onReset: refresh, onState: tellState });
}
