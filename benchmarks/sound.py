"""Row 8: purify and split against real time, on one core."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.rows import Row, make_row

SPEED_GOAL = 25.0
MEMORY_GOAL_MB = 150.0
GROWTH_GOAL = 1.1


def measure(clips: Path, minutes: int, runs: int = 3) -> Iterator[Row]:
    """Speed, peak memory, and how the peak grows when the recording is ten times as long."""
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        short = [_measure_once(clips, minutes, Path(folder)) for _ in range(runs)]
        long = _measure_once(clips, minutes * 10, Path(folder))
    speeds = [minutes * 60 / one["seconds"] for one in short]
    yield make_row("8", "purify and split", speeds, "x real time", SPEED_GOAL, at_most=False)
    yield make_row(
        "8", f"peak memory, {minutes * 10} minutes", [long["peak_mb"]], "MB", MEMORY_GOAL_MB
    )
    growth = [long["peak_mb"] / one["peak_mb"] for one in short]
    yield make_row(
        "8", f"peak memory, {minutes * 10} over {minutes} minutes", growth, "x short", GROWTH_GOAL
    )


def _measure_once(clips: Path, minutes: int, folder: Path) -> dict[str, float]:
    """Run one process of its own on one core, so that its peak memory is its own."""
    core = {min(os.sched_getaffinity(0))} if hasattr(os, "sched_getaffinity") else None
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sound_process", str(clips), str(minutes), str(folder)],
        check=True, capture_output=True,
        preexec_fn=(lambda: os.sched_setaffinity(0, core)) if core else None,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=dict[str, float])
