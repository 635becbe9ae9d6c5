"""``/api/v1/workers/{id}/exchange``: all that an agent has to say, and its next chunks, at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from orchard import codec
from orchard.api.bodies import parse_body
from orchard.api.exchange_bodies import ExchangeBody
from orchard.api.schema import described
from orchard.api.views import AsyncView
from orchard.api.work_answers import ExchangeAnswer
from orchard.api.workers import claim_waiting, directed, shape_of_claimed
from orchard.domain.errors import OrchardError, WorkerUnavailable
from orchard.services import arun, exchanges
from orchard.services.claims import Claimed
from orchard.services.exchanges import Exchanged
from orchard.services.said import Outcome


class Exchange(AsyncView):
    """The short way: one request where there were many."""

    scopes = ("worker",)

    @described(
        ExchangeAnswer, body=ExchangeBody, operation_id="exchange_chunks",
        refusals={404: "The worker is not in the fleet, and nothing was changed"},
    )  # fmt: skip
    async def post(self, request: Request, worker_id: str) -> Response:
        """Take results, failures and progress, extend leases, and give the next chunks.

        It is a sign of life, too. Each report is answered by itself: `accepted`,
        `repeated` (it was accepted before; sending an exchange again is safe), or
        `refused` with the reason, such as a fencing token that is no longer the
        chunk's. Reports count before chunks are looked for; with `wait_s` the
        answer waits for the first. A drained or paused worker gets none.
        """
        told = parse_body(ExchangeBody, request.data)
        # Whoever waits has been heard before: what was said counts from now on.
        count = 0 if told.wait_s else told.max
        steps = exchanges.exchange(worker_id, told.said(worker_id), max_chunks=count)
        done = await arun(steps)
        claimed = done.claimed
        if told.wait_s and told.max:
            claimed = await _wait(worker_id, told.max, told.wait_s)
        return Response(_answer(told, done, claimed))


async def _wait(worker_id: str, count: int, wait_s: float) -> list[Claimed]:
    try:
        return await claim_waiting(worker_id, count, wait_s)
    except WorkerUnavailable:
        return []


def _answer(told: ExchangeBody, done: Exchanged, claimed: Sequence[Claimed]) -> dict[str, Any]:
    outcomes = iter(done.outcomes)
    worker = directed(codec.contract_worker(done.worker))
    answered = {
        "results": _shapes(told.results, outcomes),
        "failures": _shapes(told.failures, outcomes),
        "progress": _shapes(told.progress, outcomes),
    }
    held = {lease.chunk_id: not isinstance(next(outcomes), OrchardError) for lease in told.leases}
    return answered | {
        "worker": worker,
        "extended": [name for name, is_held in held.items() if is_held],
        "lost": [name for name, is_held in held.items() if not is_held],
        "chunks": [shape_of_claimed(one) for one in claimed],
        "draining": worker["draining"],
    }


def _shapes(said: Sequence[Any], outcomes: Iterator[Outcome]) -> list[dict[str, Any]]:
    return [{"chunk_id": one.chunk_id} | _shape(next(outcomes)) for one in said]


def _shape(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, OrchardError):
        return {"outcome": "refused", "code": outcome.code, "error": str(outcome)} | outcome.facts
    word = "repeated" if outcome.repeated else "accepted"
    doubted = {"doubted": outcome.doubts} if outcome.doubts else {}
    return {"outcome": word, "status": str(outcome.chunk.status)} | doubted
