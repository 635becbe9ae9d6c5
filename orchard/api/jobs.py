"""``/api/v1/jobs``: handing in recordings, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from orchard import codec
from orchard.api.answers import JobAnswer, JobsAnswer
from orchard.api.errors import TooLarge
from orchard.api.permissions import check_owner, owner_of
from orchard.api.requests import JobQuery, PinForm, SubmitForm
from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.catalogue import listing
from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput
from orchard.domain.jobs import Job
from orchard.domain.languages import parse_language
from orchard.domain.orders import Order, parse_labels, parse_priority
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.services import lacks, queries, run, submissions, uploads
from orchard.services.queries import JobView

_UNKNOWN = {404: "There is no such job, or it has expired"}
_REFUSALS = _UNKNOWN | {409: "The job's state does not allow this"}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="Sending the same key again within a day answers with the first job.",
)  # fmt: skip


class Jobs(View):
    """All jobs, and the door by which recordings come in."""

    scopes = ("submit",)
    parser_classes = (MultiPartParser,)

    @described(JobsAnswer, query=JobQuery, operation_id="list_jobs")
    def get(self, request: Request) -> Response:
        """List jobs, those that ``q`` finds in the order of ``sort``, page by page."""
        asked = parse(JobQuery, request.query_params)
        page = listing.list_jobs(**asked | {"status": asked["status"] or ""})
        shown = [job_shape(view) for view in page.views]
        return Response({"jobs": shown, "next": page.next, "count": page.count})

    @described(
        {200: JobAnswer, 201: JobAnswer}, operation_id="create_job", parameters=[IDEMPOTENCY_KEY],
        refusals={
            400: "No file, or a field is wrong", 413: "The recording is too large",
            429: "Its owner has as much as the quota allows",
        },
        request={"multipart/form-data": SubmitForm},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Hand in a recording (201); with an ``Idempotency-Key`` known already, 200."""
        job, is_new = submit(request)
        where = reverse("api:job", args=[job.job_id])
        return Response(
            job_shape(view_of(job)), 201 if is_new else 200, headers={"Location": where}
        )


class OneJob(View):
    """One job."""

    scopes = ("submit",)

    @described(JobAnswer, refusals=_UNKNOWN, operation_id="get_job")
    def get(self, request: Request, job_id: str) -> Response:
        """A job with its chunks, and with its transcript when it has one.

        When it waits for a worker that there is not, `waits_for` says what is lacking.
        """
        view = run(queries.get_job(job_id))
        return Response(job_shape(view) | lack_shape(run(lacks.look(view))))

    @described(JobAnswer, refusals=_UNKNOWN, operation_id="delete_job")
    def delete(self, request: Request, job_id: str) -> Response:
        """Delete a job, whatever its state, with its sound and transcript."""
        return Response(act(request, job_id, submissions.remove))


class Cancel(View):
    """Ending a job by hand."""

    scopes = ("submit",)

    @described(JobAnswer, refusals=_REFUSALS, operation_id="cancel_job", request=None)
    def post(self, request: Request, job_id: str) -> Response:
        """End a job that has not ended yet."""
        return Response(act(request, job_id, submissions.cancel))


class Retry(View):
    """Starting a failed job again."""

    scopes = ("submit",)

    @described(JobAnswer, refusals=_REFUSALS, operation_id="retry_job", request=None)
    def post(self, request: Request, job_id: str) -> Response:
        """Start a failed job again; only what is missing will be done."""
        return Response(act(request, job_id, submissions.retry))


class Pin(View):
    """Keeping a finished job."""

    scopes = ("submit",)

    @described(JobAnswer, form=PinForm, refusals=_REFUSALS, operation_id="pin_job")
    def post(self, request: Request, job_id: str) -> Response:
        """Keep a finished job beyond its hour, or let it expire again."""
        pinned = parse(PinForm, request.data)["pinned"]
        return Response(act(request, job_id, lambda known: submissions.pin(known, pinned)))


def submit(request: Request) -> tuple[Job, bool]:
    """Take the recording in a request; false beside its job when that was there already.

    Raises:
        ValidationError, InvalidInput: there is no file, or a field is wrong.
        TooLarge: the file is larger than the settings allow.
    """
    form = parse(SubmitForm, request.data)
    upload: UploadedFile = form["file"]
    if (upload.size or 0) > get_conf().upload_max_bytes:
        raise TooLarge
    hot_words = [one for given in form["hot_words"] for one in split_hot_words(given)]
    return uploads.submit(
        upload, owner=owner_of(request), use_purifier=form["purifier"],
        language=parse_language(form["language"]), idempotency_key=idempotency_key(request),
        wishes=make_wishes(form["prompt"], hot_words, words=form["words"]),
        order=order_of(form),
    )  # fmt: skip


def order_of(form: Mapping[str, Any]) -> Order:
    """What kind of work a form asks for, how urgent, when, and what its workers must have.

    Raises:
        InvalidInput: a priority or a label is none.
    """
    labels = [one for given in form["requires"] for one in given.split(",")]
    return Order(
        job_type=form["type"], priority=parse_priority(form["priority"]),
        requires=parse_labels("requires", labels), run_at=form["run_at"],
    )  # fmt: skip


def act(request: Request, job_id: str, order: Callable[[str], Any]) -> dict[str, Any]:
    """Do something to a job of the sender's own; its shape afterwards.

    Raises:
        NotOwner: it is somebody else's, and the sender is no administrator.
    """
    check_owner(request, run(submissions.get_record(job_id)).owner)
    return job_shape(view_of(run(order(job_id))))


def view_of(job: Job) -> JobView:
    """A job just changed, with the chunks it has in its own record."""
    return JobView(job=job, chunks=job.chunks or ())


def job_shape(view: JobView) -> dict[str, Any]:
    """A job as the API answers it."""
    return codec.contract_job(view.job, view.chunks)


def lack_shape(lack: lacks.Lack | None) -> dict[str, Any]:
    """What a job waits for that is not there, as a field of the job's answer; or no field."""
    if lack is None:
        return {}
    message, help_text = lacks.tell(lack)
    shape = {"reason": str(lack.reason), "message": message, "help": help_text}
    return {"waits_for": shape | ({"labels": list(lack.labels)} if lack.labels else {})}


def idempotency_key(request: Request) -> str:
    """The key by which a request may be repeated; empty when it has none.

    Raises:
        InvalidInput: it is too long, or cannot be printed.
    """
    key: str = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 200 or not key.isprintable():
        raise InvalidInput("Idempotency-Key", "at most 200 printable characters")
    return key
