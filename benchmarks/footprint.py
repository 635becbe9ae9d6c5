"""Which process takes what: everything that ``make run`` starts, ready and idle.

    python -m benchmarks.footprint [ORCHARD_AGENTS=0 ORCHARD_WITHOUT=dispatch …]

prints memory and threads of each process, and how long the start took, for the
settings that are given. Row 11 of the goals (``startup.py``) has the sums.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.scratch import free_port

ROOT = Path(__file__).parent.parent
SETTLE_S = 12.0
"""How long everything has to get to rest after it is ready, in seconds."""
KB_PER_MB = 1024


class Process(NamedTuple):
    """One process at rest."""

    name: str
    pss_mb: float
    """Its memory, where what several processes share is divided among them."""
    threads: int


class Footprint(NamedTuple):
    """What a start took, and what runs afterwards."""

    ready_s: float
    worked_s: float
    """Processor time up to then: what a start takes where nothing else runs, or a little less."""
    processes: list[Process]

    @property
    def memory_mb(self) -> float:
        """Memory of all processes together."""
        return sum(one.pss_mb for one in self.processes)


def take_footprint(environ: Mapping[str, str]) -> Footprint:
    """Start everything with these settings, let it settle, look, and stop it again."""
    start = time.perf_counter()
    with running(environ) as launcher:
        ready_s = time.perf_counter() - start
        worked = sum(map(worked_s, family(launcher.pid)))
        time.sleep(SETTLE_S)
        return Footprint(ready_s, worked, [_look_at(pid) for pid in family(launcher.pid)])


@contextmanager
def running(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Everything that ``make run`` starts with these settings, from ready to stopped."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    with tempfile.TemporaryDirectory(prefix="orchard-bench-") as folder:
        env = kept | {"ORCHARD_DATA": folder, "PORT": str(free_port())} | dict(environ)
        launcher = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=env, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            if not launcher.stdout or "ready" not in launcher.stdout.readline():
                raise RuntimeError("manage.py up ended before it was ready; it says why above")
            yield launcher
        finally:
            launcher.terminate()
            launcher.wait()


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def worked_s(pid: int) -> float:
    """Processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _look_at(pid: int) -> Process:
    folder = Path(f"/proc/{pid}")
    facts = dict(
        line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:]
    )
    pss_mb = int(facts["Pss"].split()[0]) / KB_PER_MB
    return Process(name_of(folder), pss_mb, len(list((folder / "task").iterdir())))


def name_of(folder: Path) -> str:
    """What a process is called: its command of manage.py, its module, or its program."""
    words = (folder / "cmdline").read_text().split("\0")
    for mark in ("-m", "manage.py"):
        for word, following in itertools.pairwise(words):
            if word.endswith(mark):
                return following
    return Path(words[0]).name or (folder / "comm").read_text().strip()


def main() -> None:
    """Print what each process takes, with the settings of the command line."""
    settings = dict(one.split("=", 1) for one in sys.argv[1:])
    seen = take_footprint(settings)
    for one in seen.processes:
        print(f"{one.pss_mb:7.1f} MB {one.threads:3d} threads  {one.name}")
    print(f"{seen.memory_mb:7.1f} MB in all; ready after {seen.ready_s:.1f} s"
          f" ({seen.worked_s:.1f} s of processor time)")  # fmt: skip


if __name__ == "__main__":
    main()
