"""What a chunk costs each role, over HTTP and on a real site; for docs/scaling.md.

    python -m benchmarks.costs [chunks]

A program in place of the agents claims and reports through one web process on its
embedded engine. Processor time is the kernel's count for each process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import django
import httpx
import redis

from benchmarks.footprint import family, name_of, running, worked_s

BATCHES = (1, 10, 50)
HTTP_TIMEOUT_S = 60.0
WORDS = {
    "text": "The late owner of this estate was a single man, who lived to an advanced age",
    "time_ms": 900,
}
"""What somebody might say: a loop would be done twice (docs/quality.md)."""


class Cost(NamedTuple):
    """What one chunk costs from claim to completion, in batches of a size."""

    batch: int
    web_us: float
    engine_us: float
    engine_commands: float
    to_engine_bytes: float
    from_engine_bytes: float
    http_bytes: float


class Site:
    """A running site, seen from outside: its processes, its engine, its API."""

    def __init__(self, launcher: int, data_dir: Path, url: str) -> None:
        self._pids = {name_of(Path(f"/proc/{pid}")).split()[0]: pid for pid in family(launcher)}
        socket = data_dir / "engine" / "valkey.sock"
        self.engine = redis.Redis(unix_socket_path=str(socket), protocol=2)
        token = (data_dir / "worker_token").read_text().strip()
        self.api = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"},
            timeout=HTTP_TIMEOUT_S, trust_env=False,
        )  # fmt: skip
        self.http_bytes = 0

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the API; what went over the wire is counted."""
        answer = self.api.post(path, json=body)
        answer.raise_for_status()
        self.http_bytes += len(answer.request.content) + len(answer.content)
        told: dict[str, Any] = answer.json()
        return told

    def count(self) -> list[float]:
        """Counters so far: µs of web and engine, commands, bytes in and out, bytes of HTTP."""
        facts: dict[str, Any] = self.engine.info("everything")
        web_us = worked_s(self._pids["serve"]) * 1e6
        engine_us = (facts["used_cpu_user"] + facts["used_cpu_sys"]) * 1e6
        return [
            web_us, engine_us, facts["total_commands_processed"], facts["total_net_input_bytes"],
            facts["total_net_output_bytes"], self.http_bytes,
        ]  # fmt: skip


def measure(site: Site, chunks: int, batch: int) -> Cost:
    """Claim and complete so many chunks, and see what it took."""
    from benchmarks import fleets

    worker = f"bench-{batch}"
    fleets.new_work(chunks)
    site.post("/workers", {"name": worker, "mode": "pull", "capabilities": {}})
    held = site.post(f"/workers/{worker}/claim", {"max": batch, "wait_s": 0})["chunks"]
    before, done = site.count(), 0
    while held:
        results = [
            {"chunk_id": one["chunk_id"], "token": one["token"]} | WORDS for one in held
        ]  # fmt: skip
        body = {"results": results, "max": batch}
        held = site.post(f"/workers/{worker}/exchange", body)["chunks"]
        done += len(results)
    spent = [after - then for then, after in zip(before, site.count(), strict=True)]
    return Cost(batch, *(each / done for each in spent))


def main() -> None:
    """Print a table of costs by size of batch."""
    chunks = int(sys.argv[1]) if sys.argv[1:] else 2_000
    django.setup()
    from orchard.services import engine
    from statecore.store import open_store

    settings = {"ORCHARD_AGENTS": "0", "ORCHARD_WITHOUT": "pipeline,ambassador,dispatch"}
    settings |= {"ORCHARD_THROTTLE_KNOWN": "100000000"}
    with running(settings) as launcher:
        environ = Path(f"/proc/{launcher.pid}/environ").read_text().split("\0")
        env = dict(one.split("=", 1) for one in environ if "=" in one)
        data_dir = Path(env["ORCHARD_DATA"])
        site = Site(launcher.pid, data_dir, f"http://127.0.0.1:{env['PORT']}")
        engine.use(open_store(f"unix://{data_dir}/engine/valkey.sock"))
        time.sleep(1.0)
        print("| batch | web process | engine | commands | to engine | from engine | HTTP |")
        print("|---:|---:|---:|---:|---:|---:|---:|")
        for batch in BATCHES:
            one = measure(site, chunks, batch)
            print(
                f"| {batch} | {one.web_us:,.0f} µs | {one.engine_us:,.0f} µs "
                f"| {one.engine_commands:.2f} | {one.to_engine_bytes:,.0f} B "
                f"| {one.from_engine_bytes:,.0f} B | {one.http_bytes:,.0f} B |"
            )


if __name__ == "__main__":
    main()
