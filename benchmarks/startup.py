"""Row 11: how soon everything on one machine is ready, and the memory that it takes up idle."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, make_row
from benchmarks.scratch import free_port
from benchmarks.site import ROOT, own_settings

READY_GOAL_S, ALL_GOAL_MB, WEB_GOAL_MB = 4.0, 350.0, 120.0
WEB, _REST = "manage.py serve", "the rest"
WAIT_S, STOP_S, SETTLE_S = 120.0, 30.0, 5.0


def measure(runs: int = 3) -> Iterator[Row]:
    """Seconds from the command to *ready* in a new folder, and MB of all processes, idle."""
    ready, everything, web = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
            seconds, sizes = _run_once(Path(folder))
        ready.append(seconds)
        everything.append(sum(sizes.values()))
        web.append(sizes[WEB])
    yield make_row("11", "prepared environment to ready", ready, "s", READY_GOAL_S)
    name = "idle memory of everything, models not loaded"
    yield make_row("11", name, everything, "MB", ALL_GOAL_MB)
    yield make_row("11", "idle memory of one web process", web, "MB", WEB_GOAL_MB)


def _run_once(folder: Path) -> tuple[float, dict[str, float]]:
    env = os.environ | own_settings(folder / "data", free_port())
    start = time.monotonic()
    launcher = subprocess.Popen(
        [sys.executable, "manage.py", "up"], cwd=ROOT, env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        _await_ready(launcher)
        seconds = time.monotonic() - start
        time.sleep(SETTLE_S)  # the first signs of life and looks around are over
        return seconds, _sizes(launcher.pid)
    finally:
        launcher.terminate()
        launcher.wait(STOP_S)


def _await_ready(launcher: subprocess.Popen[str]) -> None:
    assert launcher.stdout
    deadline = time.monotonic() + WAIT_S
    said = ""
    while "ready at" not in said:
        readable, _, _ = select.select([launcher.stdout], [], [], deadline - time.monotonic())
        line = launcher.stdout.readline() if readable else ""
        if not line:
            raise RuntimeError(f"it did not become ready: {said[-500:]}")
        said += line


def _sizes(launcher: int) -> dict[str, float]:
    """MB of each process: its own pages, and its share of those that several have."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").glob("[0-9]*")}
    family = {launcher}
    found = {WEB: 0.0, _REST: 0.0}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    for pid in family:
        name = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        found[WEB if WEB in name else _REST] += _proportional_mb(
            Path(f"/proc/{pid}/smaps_rollup").read_text()
        )
    return found


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return 0


def _proportional_mb(rollup: str) -> float:
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
