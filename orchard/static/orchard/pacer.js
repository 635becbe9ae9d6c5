// Calls that must not come too often, nor at the same time.
export function pacer(work, restMs) {
  let timer = 0, running = false, again = false, last = -Infinity;
  async function run() {
    timer = 0;
    running = true;
    last = performance.now();
    try { await work(); } catch (fault) { console.warn(fault); }
    running = false;
    if (again) { again = false; call(); }
  }
  function call() {
    if (running) again = true;
    else if (!timer) timer = setTimeout(run, Math.max(60, last + restMs - performance.now()));
  }
  return call;
}
