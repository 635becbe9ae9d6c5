"""``/api/v1/workers``: joining, signs of life, claiming, directing, leaving."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from orchard import codec
from orchard.api.bodies import ClaimBody, HeartbeatBody, RegisterBody, check_free, parse_body
from orchard.api.schema import described
from orchard.api.views import AsyncView, View
from orchard.api.work_answers import ClaimAnswer, HeartbeatAnswer, WorkerAnswer, WorkersAnswer
from orchard.conf import get_conf
from orchard.domain import doubts
from orchard.domain.chunks import chunk_id
from orchard.domain.errors import InvalidInput
from orchard.domain.orders import AUDIO, parse_labels
from orchard.live.feed import get_feed, wait_for_work, work_heard
from orchard.services import arun, claims, fleet, lookups, nodes, queries, run, traces
from orchard.services.claims import Claimed
from orchard.services.nodes import Added

LOOK_AGAIN_S = 2.0
"""Leases and rests that run out make no event, so a waiting claim looks this often anyway."""

_UNKNOWN = {404: "The worker is not in the fleet; an agent registers again then"}


class Workers(View):
    """All workers, and the door by which they come in."""

    scopes = ("worker",)

    @described(WorkersAnswer, operation_id="list_workers")
    def get(self, request: Request) -> Response:
        """List the fleet, each worker with its state as of now."""
        found = run(queries.list_workers())
        return Response({"workers": [codec.contract_worker(w) for w in found], "count": len(found)})

    @described(
        {200: WorkerAnswer, 201: WorkerAnswer}, body=RegisterBody, operation_id="register_worker"
    )
    def post(self, request: Request) -> Response:
        """Take a worker into the fleet (201); saying it again is the same worker (200)."""
        added = _register(parse_body(RegisterBody, request.data))
        shape = codec.contract_worker(added.worker) | _timing()
        return Response(shape, 201 if added.is_new else 200)


class OneWorker(View):
    """One worker."""

    scopes = ("worker",)

    @described(WorkerAnswer, refusals=_UNKNOWN, operation_id="get_worker")
    def get(self, request: Request, worker_id: str) -> Response:
        """What the master knows of a worker."""
        return Response(codec.contract_worker(run(lookups.get_worker(worker_id))))

    @described(WorkerAnswer, refusals=_UNKNOWN, operation_id="remove_worker")
    def delete(self, request: Request, worker_id: str) -> Response:
        """Take a worker out of the fleet; what it holds returns to the queue at once."""
        return Response(codec.contract_worker(run(fleet.remove(worker_id, "left"))))


class Heartbeat(AsyncView):
    """Signs of life."""

    scopes = ("worker",)

    @described(
        HeartbeatAnswer, body=HeartbeatBody, refusals=_UNKNOWN, operation_id="send_heartbeat"
    )
    async def post(self, request: Request, worker_id: str) -> Response:
        """Note a sign of life, and extend the leases that the worker still holds."""
        leases = parse_body(HeartbeatBody, request.data).leases
        held = [(lease.chunk_id, lease.token) for lease in leases]
        beat = await arun(fleet.heartbeat(worker_id, held))
        worker = directed(codec.contract_worker(beat.worker))
        return Response({"worker": worker, "extended": beat.extended, "lost": beat.lost})


class Claim(AsyncView):
    """The way chunks go out."""

    scopes = ("worker",)

    @described(
        ClaimAnswer, body=ClaimBody, operation_id="claim_chunks",
        refusals=_UNKNOWN | {409: "The worker is `draining` or `paused`"},
    )  # fmt: skip
    async def post(self, request: Request, worker_id: str) -> Response:
        """Claim chunks; with ``wait_s`` the answer waits for the first.

        Whoever hangs up ends the wait. Chunks whose answer gets lost on the way
        return to the queue when their lease runs out.
        """
        asked = parse_body(ClaimBody, request.data)
        claimed = await claim_waiting(worker_id, asked.max, asked.wait_s)
        return Response({"chunks": [shape_of_claimed(one) for one in claimed], "draining": False})


class Drain(View):
    """Letting a worker finish what it has."""

    scopes = ("worker",)

    @described(WorkerAnswer, refusals=_UNKNOWN, operation_id="drain_worker", request=None)
    def post(self, request: Request, worker_id: str) -> Response:
        """Let a worker finish what it has, and give it no more."""
        return Response(directed(codec.contract_worker(run(fleet.drain(worker_id)))))


class Pause(View):
    """Letting a worker rest."""

    scopes = ("worker",)

    @described(WorkerAnswer, refusals=_UNKNOWN, operation_id="pause_worker", request=None)
    def post(self, request: Request, worker_id: str) -> Response:
        """Give a worker no more work until it is resumed."""
        return Response(directed(codec.contract_worker(run(fleet.pause(worker_id)))))


class Resume(View):
    """Giving a worker work again."""

    scopes = ("worker",)

    @described(WorkerAnswer, refusals=_UNKNOWN, operation_id="resume_worker", request=None)
    def post(self, request: Request, worker_id: str) -> Response:
        """Give a drained or paused worker work again."""
        return Response(directed(codec.contract_worker(run(fleet.resume(worker_id)))))


def _register(given: RegisterBody) -> Added:
    if bool(given.name) == bool(given.url):
        raise InvalidInput("name", "give either a name or a url")
    mode = "push" if given.url else "pull"
    if given.mode not in (None, mode):
        raise InvalidInput("mode", f"a worker with a {'url' if given.url else 'name'} is {mode}")
    check_free("capabilities", given.capabilities)
    labels = parse_labels("labels", given.labels, most=32)
    if given.url:
        # One request at a time is all that a node takes (CONTRACTS section 5).
        return nodes.add(given.url, metadata=given.capabilities)
    steps = fleet.register(
        name=given.name, mode=mode, concurrency=given.concurrency, metadata=given.capabilities,
        types=given.types or [AUDIO], labels=labels,
    )  # fmt: skip
    worker = run(steps)
    return Added(worker, is_new=worker.registered_at == worker.last_updated)


def _timing() -> dict[str, float]:
    """How often an agent shows that it is alive, and how long its leases last, in seconds."""
    conf = get_conf()
    often = min(10.0, conf.worker_online_s / 3, conf.chunk_lease_s / 3)
    return {"heartbeat_s": often, "lease_s": conf.chunk_lease_s}


def directed(shape: dict[str, Any]) -> dict[str, Any]:
    """A worker's shape that always says whether it is drained or paused."""
    return {"draining": False, "paused": False} | shape


async def claim_waiting(worker_id: str, count: int, wait_s: float) -> list[Claimed]:
    """Claim chunks, waiting up to ``wait_s`` for the first; raises as :func:`claims.claim`."""
    stop = time.monotonic() + wait_s
    while True:
        heard = work_heard()
        claimed = await arun(claims.claim(worker_id, count))
        left_s = stop - time.monotonic()
        if claimed or left_s <= 0 or get_feed().is_ending:
            return claimed
        await wait_for_work(min(left_s, LOOK_AGAIN_S), since=heard)


def _of_type(one: Claimed) -> dict[str, Any]:
    """What only those are told who do other work than recordings."""
    if one.job.is_audio:
        return {}
    return {"job_type": one.job.job_type, "facts": one.chunk.facts or {}}


def _of_trace(one: Claimed) -> dict[str, str]:
    traceparent = traces.of_claim(one.job, one.chunk)
    return {"traceparent": traceparent} if traceparent else {}


def _again(one: Claimed) -> dict[str, Any]:
    """Why a chunk is done a second time, and how; for those that can do it otherwise."""
    if not doubts.is_open(one.chunk) or one.chunk.doubt is None:
        return {}
    return {"again": {"reason": one.chunk.doubt.reasons[0], "settings": "careful"}}


def shape_of_claimed(one: Claimed) -> dict[str, Any]:
    """A claimed chunk with all that its worker needs."""
    name = chunk_id(one.job.job_id, one.chunk.index)
    # What nobody wishes is not there at all: older agents were never told of it.
    wishes = {"wishes": msgspec.to_builtins(one.job.wishes)} if one.job.wishes else {}
    beside = wishes | _of_type(one) | _of_trace(one) | _again(one)
    return beside | {
        "chunk_id": name,
        "job_id": one.job.job_id,
        "index": one.chunk.index,
        "token": one.chunk.token,
        "attempts": one.chunk.attempts,
        "is_duplicate": one.is_duplicate,
        "start_ms": one.chunk.start_ms,
        "end_ms": one.chunk.end_ms,
        "duration_ms": one.chunk.duration_ms,
        "language": one.job.language or None,
        "audio_url": reverse("api:chunk-audio", args=[name]),
        "lease_s": get_conf().chunk_lease_s,
        "deadline": msgspec.to_builtins(one.deadline),
    }
