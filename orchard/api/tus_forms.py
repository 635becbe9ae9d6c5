"""What the headers of a resumable upload say, and what is answered about it (tus 1.0)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers
from rest_framework.request import Request

from orchard.api.answers import JobAnswer
from orchard.api.errors import TooLarge
from orchard.api.jobs import idempotency_key, order_of
from orchard.api.openai_errors import JOB_HEADER
from orchard.api.permissions import owner_of
from orchard.api.requests import SubmitForm
from orchard.api.views import parse
from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput
from orchard.domain.languages import parse_language
from orchard.domain.part_uploads import PartUpload, Standing
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.services import part_uploads

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
OCTETS = "application/offset+octet-stream"
METADATA_MAX = 16_000
"""Longest ``Upload-Metadata``, in characters."""
_SIZE_DIGITS = 18


def _header(name: str, text: str, kind: type = str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(
        name, kind, OpenApiParameter.HEADER, description=text, required=required
    )


RESUMABLE = OpenApiParameter(
    "Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION],
    description="The version of the protocol.",
)  # fmt: skip
LENGTH = _header("Upload-Length", "Size of the whole recording, in bytes.", int, required=True)
METADATA = _header(
    "Upload-Metadata", "`filename`, and any of the fields of `POST /api/v1/jobs`: each a name, a "
    "space and its value in base64, with commas between.", required=True,
)  # fmt: skip
OFFSET = _header("Upload-Offset", "How many bytes are there already.", int, required=True)


class UploadForm(SubmitForm):
    """The same as of a recording that is handed in at once, without its file."""

    file: Any = None  # it comes afterwards
    filename = serializers.CharField(max_length=1000, trim_whitespace=False)


class UploadAnswer(serializers.Serializer):
    """A resumable upload."""

    upload_id = serializers.CharField()
    location = serializers.CharField(help_text="Where its parts go.")
    offset = serializers.IntegerField(help_text="Bytes that are here.")
    size = serializers.IntegerField(help_text="Bytes that there will be.")
    expires_at = serializers.DateTimeField(help_text="It is given up then unless it goes on.")
    job_id = serializers.CharField(allow_null=True, help_text="The job, once it is handed in.")
    job = JobAnswer(required=False, help_text="The same as a whole, while it is kept.")


class WrongVersion(exceptions.APIException):
    """Another version of the protocol."""

    status_code = 412
    default_detail = f"Tus-Resumable: only {VERSION} is spoken here"
    default_code = "wrong_tus_version"


class WrongKind(exceptions.APIException):
    """A body that is no part of an upload."""

    status_code = 415
    default_detail = f"Content-Type: a part of an upload is {OCTETS}"
    default_code = "unsupported_media_type"


def check_version(request: Request) -> None:
    """Refuse other versions of the protocol.

    Raises:
        WrongVersion: it is another one, or none.
    """
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion


def check_kind(request: Request) -> None:
    """Refuse bodies that are no part of an upload.

    Raises:
        WrongKind: it says that it is something else, or nothing.
    """
    if not has_part(request):
        raise WrongKind


def has_part(request: Request) -> bool:
    """Whether the body is a part of an upload."""
    kind: str = request.headers.get("Content-Type", "")
    return kind.partition(";")[0].strip() == OCTETS


def read_number(request: Request, name: str) -> int:
    """A number of bytes in a header.

    Raises:
        InvalidInput: there is none.
    """
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _SIZE_DIGITS):
        raise InvalidInput(name, "a whole number of bytes")
    return int(text)


def read_metadata(text: str) -> dict[str, str]:
    """The fields in ``Upload-Metadata``.

    Raises:
        InvalidInput: it is too long, or not spelled as it should be.
    """
    fields: dict[str, str] = {}
    if len(text) > METADATA_MAX:
        raise InvalidInput("Upload-Metadata", f"at most {METADATA_MAX:,} characters")
    for pair in filter(None, map(str.strip, text.split(","))):
        name, _, value = pair.partition(" ")
        if name in fields:
            raise InvalidInput("Upload-Metadata", f"{name[:60]!r} is there twice")
        try:
            fields[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            reason = f"the value of {name[:60]!r} is no text in base64"
            raise InvalidInput("Upload-Metadata", reason) from None
    return fields


def upload_of(request: Request) -> PartUpload:
    """The upload that a request begins.

    Raises:
        InvalidInput, ValidationError: a header or a field is wrong.
        TooLarge: it is going to be larger than the settings allow.
    """
    size = read_number(request, "Upload-Length")
    if size > get_conf().upload_max_bytes:
        raise TooLarge
    form = _form_of(read_metadata(request.headers.get("Upload-Metadata", "")))
    hot_words = [one for given in form["hot_words"] for one in split_hot_words(given)]
    return PartUpload(
        upload_id=part_uploads.new_id(), owner=owner_of(request), filename=form["filename"],
        size=size, use_purifier=form["purifier"], language=parse_language(form["language"]),
        wishes=make_wishes(form["prompt"], hot_words, words=form["words"]),
        order=order_of(form), idempotency_key=idempotency_key(request),
    )  # fmt: skip


def _form_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The fields as a form of the ordinary upload would have them."""
    if not fields.get("filename"):
        raise InvalidInput("Upload-Metadata", "needs the field filename")
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query[_ALSO.get(name, name)] = value
    return parse(UploadForm, query)


_ALSO = {"use_purifier": "purifier"}


def headers_of(standing: Standing) -> dict[str, str]:
    """What is said of an upload in the headers of every answer about it."""
    upload = standing.upload
    told = {"Upload-Offset": str(standing.offset)}
    if upload.job_id:
        where = reverse("api:job", args=[upload.job_id])
        return told | {JOB_HEADER: upload.job_id, "Content-Location": where}
    return told | {"Upload-Expires": formatdate(standing.expires_at, usegmt=True)}
