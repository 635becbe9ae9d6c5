"""The old paths at the root, exactly as programs know them (CONTRACTS section 5)."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api import jobs, preferences
from orchard.api.answers import (
    JobAnswer,
    NodeAnswer,
    NodesAnswer,
    OldJobsAnswer,
    StatsAnswer,
    SubmitAnswer,
)
from orchard.api.requests import LimitQuery, PurifierForm, SubmitForm, UrlForm
from orchard.api.schema import described
from orchard.api.views import AsyncView, View, parse
from orchard.api.wire import JsonParser
from orchard.domain import workers
from orchard.domain.workers import Worker
from orchard.services import counts, fleet, nodes, queries, run

TAG = ["contract"]


class _Old:
    plain_errors = True
    parser_classes: tuple[Any, ...] = (JsonParser, FormParser, MultiPartParser)


class Submit(_Old, View):
    """Handing in a recording."""

    scopes = ("submit",)

    @described(
        SubmitAnswer, operation_id="submit", tags=TAG, plain=True,
        refusals={400: "No file", 413: "The recording is too large"},
        request={"multipart/form-data": SubmitForm},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Hand in a recording."""
        job, _ = jobs.submit(request)
        return Response({"status": "accepted", "job_id": job.job_id})


class Jobs(_Old, View):
    """All jobs."""

    @described(OldJobsAnswer, query=LimitQuery, operation_id="old_jobs", tags=TAG, plain=True)
    def get(self, request: Request) -> Response:
        """The newest jobs, 50 unless ``limit`` says otherwise."""
        page = run(queries.list_jobs(**parse(LimitQuery, request.query_params)))
        shown = [jobs.job_shape(view) for view in page.jobs]
        return Response({"jobs": shown, "count": len(shown)})


class Job(_Old, View):
    """One job."""

    @described(
        JobAnswer, refusals={404: "Job not found"}, operation_id="old_job", tags=TAG, plain=True
    )
    def get(self, request: Request, job_id: str) -> Response:
        """A job with its chunks, and with its result when it has one."""
        return Response(jobs.job_shape(run(queries.get_job(job_id))))


class Workers(_Old, AsyncView):
    """All workers."""

    @described(NodesAnswer, operation_id="old_workers", tags=TAG, plain=True)
    async def get(self, request: Request) -> Response:
        """The fleet; push nodes are asked how they are while this is answered."""
        found = await nodes.list_checked()
        return Response({"workers": [_node(worker) for worker in found], "count": len(found)})


class AddWorker(_Old, View):
    """Taking a push node into the fleet."""

    scopes = ("worker",)

    @described(NodeAnswer, form=UrlForm, operation_id="old_add_worker", tags=TAG, plain=True)
    def post(self, request: Request) -> Response:
        """Add a push node by its URL, and ask it how it is.

        One that is known already, or is where no node may be, is refused.
        """
        return Response(_node(nodes.add(_url(request), must_be_new=True).worker))


class RemoveWorker(_Old, View):
    """Taking a worker out of the fleet."""

    scopes = ("worker",)

    @described(
        NodeAnswer, form=UrlForm, operation_id="old_remove_worker", tags=TAG, plain=True,
        refusals={404: "Worker not found"},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Remove a worker by its URL; what it holds returns to the queue."""
        url = _url(request)
        if not url.startswith("agent://"):
            url = workers.check_url(url)
        return Response(_node(run(fleet.remove(workers.worker_id(url)))))


class Stats(_Old, View):
    """Counts."""

    @described(StatsAnswer, operation_id="stats", tags=TAG, plain=True)
    def get(self, request: Request) -> Response:
        """How many workers and jobs there are."""
        return Response(msgspec.to_builtins(run(counts.get_stats())))


class Purifier(_Old, preferences.Purifier):
    """Whether the sender's recordings are cleaned."""

    @described(PurifierForm, operation_id="old_get_purifier", tags=TAG, plain=True)
    def get(self, request: Request) -> Response:
        """What the sender prefers."""
        return super().get(request)

    @described(
        PurifierForm, form=PurifierForm, operation_id="old_set_purifier", tags=TAG, plain=True
    )
    def post(self, request: Request) -> Response:
        """Remember what the sender prefers."""
        return super().post(request)


def _url(request: Request) -> str:
    return (parse(UrlForm, request.data)["url"] or "").strip()


def _node(worker: Worker) -> dict[str, str]:
    return {"id": worker.worker_id, "url": worker.url, "status": str(worker.status)}
