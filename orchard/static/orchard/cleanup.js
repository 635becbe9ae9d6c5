// A run of cleaning goes on as long as its page is open; whoever closes it can come back.
const AGAIN_MS = 2000;
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

export async function startRun(card) {
  if (card.dataset.state !== "running") return;
  const form = card.querySelector("[data-run-step]");
  if (!form) return;
  for (;;) {
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer?.ok) { await rest(AGAIN_MS); continue; } // the engine or the network is away: it goes on by itself
    const run = await answer.json();
    card.querySelector("[data-run-bar]").value = run.position;
    card.querySelector("[data-run-done]").textContent = run.done;
    card.querySelector("[data-run-skipped]").textContent = run.skipped;
    if (run.state !== "running") return location.reload();
  }
}

// Ticking one thing means that not all are meant.
export function startSelection(form) {
  const all = form.querySelector('[name="all"]');
  form.addEventListener("change", (event) => {
    if (event.target === all) form.querySelectorAll('[name="name"]').forEach((one) => { one.checked = all.checked; });
    else if (event.target.name === "name" && !event.target.checked) all.checked = false;
  });
}
