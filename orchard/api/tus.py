"""``/api/v1/uploads/tus``: recordings in parts, by the tus protocol, for bad networks."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.body_streams import blocks_of
from orchard.api.errors import TooLarge
from orchard.api.jobs import IDEMPOTENCY_KEY, job_shape, view_of
from orchard.api.openai_errors import JOB_HEADER
from orchard.api.permissions import owner_of
from orchard.api.schema import described
from orchard.api.tus_forms import (
    EXTENSIONS,
    LENGTH,
    METADATA,
    OCTETS,
    OFFSET,
    RESUMABLE,
    VERSION,
    UploadAnswer,
    check_kind,
    check_version,
    has_part,
    headers_of,
    read_number,
    upload_of,
)
from orchard.api.views import View
from orchard.conf import get_conf
from orchard.domain.errors import UnknownJob
from orchard.domain.part_uploads import Standing, UploadOverrun
from orchard.services import part_uploads, run, submissions

_GONE = {404: "There is no such upload of yours, or it has expired"}
_VERSION = {412: "It is another version of the protocol"}
_JOB = OpenApiParameter(
    JOB_HEADER, str, OpenApiParameter.HEADER, response=[201, 204],
    description="The job, once all of the recording is here and was handed in.",
)  # fmt: skip
_OFFSET = OpenApiParameter(
    "Upload-Offset", int, OpenApiParameter.HEADER, response=[201, 204],
    description="How many bytes are here.",
)  # fmt: skip
_PART = {OCTETS: OpenApiTypes.BINARY}


class TusView(View):
    """What all addresses of resumable uploads have in common."""

    scopes = read_scopes = ("submit",)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let requests pass that speak the protocol's version."""
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            check_version(request)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Name the version in every answer, be it a refusal."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = response["Tus-Version"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say what of the protocol is spoken here."""
        size = str(get_conf().upload_max_bytes)
        return Response(status=204, headers={"Tus-Extension": EXTENSIONS, "Tus-Max-Size": size})


class Uploads(TusView):
    """The door for recordings that come in parts."""

    @described(
        {201: UploadAnswer}, operation_id="create_upload",
        parameters=[RESUMABLE, LENGTH, METADATA, IDEMPOTENCY_KEY, _OFFSET, _JOB],
        refusals=_VERSION | {400: "A header or a field is wrong",
                             413: "The recording is too large"},
        request=_PART,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Begin a resumable upload (tus 1.0), perhaps with its first part.

        `Location` is where its parts go. There they lie until all of them are here; then it is
        a job as of `POST /api/v1/jobs`. `Upload-Metadata` has its file name and its fields.
        """
        standing = part_uploads.begin(upload_of(request))
        if has_part(request):
            standing = _append(request, standing.upload.upload_id, 0)
        headers = headers_of(standing) | {"Location": _where(standing)}
        return Response(_shape(standing), 201, headers=headers)


class OneUpload(TusView):
    """One recording that comes in parts."""

    @described(UploadAnswer, operation_id="get_upload", parameters=[RESUMABLE],
               refusals=_GONE | _VERSION)  # fmt: skip
    def get(self, request: Request, upload_id: str) -> Response:
        """How far an upload is, and the job that came of it: beside the protocol, as JSON."""
        return Response(_shape(part_uploads.look(upload_id, owner_of(request))))

    def head(self, request: Request, upload_id: str) -> Response:
        """How far an upload is; once it is whole, the job that came of it, too."""
        standing = part_uploads.look(upload_id, owner_of(request))
        size = {"Upload-Length": str(standing.upload.size)}
        return Response(status=200, headers=headers_of(standing) | size)

    @described(
        {204: None}, operation_id="send_upload_part",
        parameters=[RESUMABLE, OFFSET, _OFFSET, _JOB],
        refusals=_GONE | _VERSION | {
            400: "A header is wrong, or the recording is none for its type of jobs",
            409: "It goes on somewhere else, or another request is writing to it",
            413: "It is more than the upload was said to have",
            415: f"The body is no `{OCTETS}`",
        },
        request=_PART,
    )  # fmt: skip
    def patch(self, request: Request, upload_id: str) -> Response:
        """Send a part of an upload, from where it ends on; with the last one the job begins.

        What came of a part that was cut off is kept: `HEAD` says how far the upload is, and
        `X-Orchard-Job` there names its job, should the last answer be lost.
        """
        check_kind(request)
        offset = read_number(request, "Upload-Offset")
        return Response(status=204, headers=headers_of(_append(request, upload_id, offset)))

    @described(
        {204: None}, operation_id="delete_upload", parameters=[RESUMABLE],
        refusals=_GONE | _VERSION | {409: "A request is writing to it"}, request=None,
    )  # fmt: skip
    def delete(self, request: Request, upload_id: str) -> Response:
        """Give an upload up; a job that came of it stays."""
        part_uploads.give_up(upload_id, owner_of(request))
        return Response(status=204)


def _append(request: Request, upload_id: str, offset: int) -> Standing:
    raw: HttpRequest = request._request
    try:
        return part_uploads.append(upload_id, owner_of(request), offset, blocks_of(raw))
    except UploadOverrun as overrun:
        raise TooLarge(str(overrun)) from None


def _where(standing: Standing) -> str:
    return reverse("api:upload", args=[standing.upload.upload_id])


def _shape(standing: Standing) -> dict[str, Any]:
    upload = standing.upload
    shape = {
        "upload_id": upload.upload_id, "location": _where(standing), "offset": standing.offset,
        "size": upload.size, "expires_at": datetime.fromtimestamp(standing.expires_at, UTC),
        "job_id": upload.job_id or None,
    }  # fmt: skip
    with suppress(UnknownJob):  # it may have ended and expired since
        if upload.job_id:
            shape["job"] = job_shape(view_of(run(submissions.get_record(upload.job_id))))
    return shape
