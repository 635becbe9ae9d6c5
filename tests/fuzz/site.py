"""A site with something of everything in it, and the names by which that can be asked for."""

from __future__ import annotations

from typing import Any

from orchard.services import engine
from statecore.store.redis import RedisStore
from tests.api.server import Server
from tests.services import orchards

MANY = 10
"""Of what requests may delete there is more than one."""
TRANSCRIPTS = ["txt", "srt", "vtt", "json"]


def fill(server: Server, engine_url: str) -> dict[str, list[Any]]:
    """Put jobs, workers, issues and state into a site; what parameters can be, by their place."""
    store = RedisStore(engine_url)
    before = engine.use(store)
    try:
        return _jobs() | _state(server)
    finally:
        engine.use(before)
        store.close()


def _jobs() -> dict[str, list[Any]]:
    workers = [orchards.worker(f"w{i}") for i in range(MANY)]
    jobs = [orchards.processing(chunks=2).job_id for _ in range(MANY)]
    held = [claimed for one in workers[:3] for claimed in orchards.claim(one, 2)]
    orchards.complete(held[0])
    return {
        "path.job_id": jobs, "path.worker_id": workers, "body.worker_id": workers[:3],
        "path.form": TRANSCRIPTS, "path.model": ["orchard", "whisper-1"],
        "body.token": [one.chunk.token for one in held],
        "query.token": [one.chunk.token for one in held],
        "path.name": [*map(orchards.name_of, held), "deploy", "other"],
    }  # fmt: skip


def _state(server: Server) -> dict[str, list[Any]]:
    numbers, http = list(range(1, MANY + 1)), server.client
    for number in numbers:
        http.post(f"/api/v1/issues/{number}/checkout", json={"process_id": f"p{number % 3}"})
    http.put("/api/v1/locks/deploy", json={"owner": "ann"})
    http.put("/api/v1/state/notes/a", json={"text": "あ", "n": [1, 2.5, None]})
    asked = http.get("/api/v1/labels").json()["labels"]
    return {
        "path.number": numbers, "path.process_id": ["p0", "p1", "p2"],
        "body.process_id": ["p0", "p1", "p2"], "body.owner": ["ann", "bob"],
        "path.namespace": ["notes", "issues", "other"], "path.key": ["a", "entry", "x/y"],
        "path.request_id": [one["request_id"] for one in asked],
    }  # fmt: skip
