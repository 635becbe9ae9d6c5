// The board: signs of life move countdowns at once, everything else comes from the server.
import { tellCountdowns } from "./countdown.js";

export class Board {
  constructor(refreshSoon) { this.refreshSoon = refreshSoon; }

  apply(event) {
    if (event.name !== "issue.renewed" || !this.renew(event)) this.refreshSoon();
  }

  // False when this sign of life may change more than a countdown: an orphan that is none.
  renew(event) {
    const node = document.querySelector(`[data-issue="${event.issue}"]`);
    if (!node) return !document.querySelector(".orphans");
    const lease = node.querySelector("[data-until]");
    if (!lease || !node.dataset.falls) return false;
    const silentAt = Date.parse(event.at) + Number(node.dataset.silent);
    lease.dataset.until = event.lease_until;
    node.dataset.falls = new Date(Math.min(silentAt, Date.parse(event.lease_until))).toISOString();
    tellCountdowns(node);
    return true;
  }
}
