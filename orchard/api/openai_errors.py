"""Errors in the shape of OpenAI's API: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response

from orchard.domain.jobs import Job
from statecore.api.documents import example

PREFIX = "/v1/"
"""Where the addresses of this API begin."""
JOB_HEADER = "X-Orchard-Job"
"""Names the job in every answer that has to do with one."""
RETRY_HEADER = "X-Should-Retry"
"""Tells OpenAI's own clients whether to send a refused request again."""


class UnknownModel(exceptions.NotFound):
    """There is no model of this name."""

    default_code = "model_not_found"
    param = "model"

    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} does not exist here; GET /v1/models lists those")


class _OfJob(exceptions.APIException):
    """What became of a job instead of a transcript."""

    def __init__(self, job: Job, text: str, *, repeatable: bool = False) -> None:
        super().__init__(text)
        self.headers = {JOB_HEADER: job.job_id, RETRY_HEADER: str(repeatable).lower()}


class NotReady(_OfJob):
    """The job goes on, but the answer waits no longer."""

    status_code = status.HTTP_504_GATEWAY_TIMEOUT
    default_code = "not_ready"


class UnreadableRecording(_OfJob):
    """The job failed before the recording was cut: it cannot be read as sound."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "unreadable_recording"
    param = "file"


class JobFailed(_OfJob):
    """The job failed while it was worked on."""

    status_code = status.HTTP_500_INTERNAL_SERVER_ERROR
    default_code = "job_failed"


class JobCancelled(_OfJob):
    """Somebody ended the job by hand."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "job_cancelled"


class ErrorFacts(serializers.Serializer):
    """What was wrong."""

    message = serializers.CharField(help_text="The reason, for people.")
    type = serializers.ChoiceField(
        ["invalid_request_error", "rate_limit_error", "server_error"], help_text="Whose it is."
    )
    param = serializers.CharField(allow_null=True, help_text="The field that was wrong, if one.")
    code = serializers.CharField(allow_null=True, help_text="The reason, for programs.")


@extend_schema_serializer(
    examples=[
        example("an unknown model", {"error": {
            "message": "The model 'gpt-9' does not exist here; GET /v1/models lists those",
            "type": "invalid_request_error", "param": "model", "code": "model_not_found",
        }}),
    ]
)  # fmt: skip
class OpenAiErrorAnswer(serializers.Serializer):
    """What every refusal looks like under ``/v1/``."""

    error = ErrorFacts()


class Reshaping:
    """A view whose refusals have OpenAI's shape."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer what went wrong, as all views do, in the other shape."""
        response: Response = super().handle_exception(exc)  # type: ignore[misc]
        response.data = reshaped(response.data, response.status_code, getattr(exc, "param", None))
        for name, value in getattr(exc, "headers", {}).items():
            response[name] = value
        return response


def reshaped(body: Mapping[str, Any], number: int, param: str | None = None) -> dict[str, Any]:
    """A refusal of ours, ``{"error", "code", "detail"?}``, in OpenAI's shape."""
    fields = body.get("detail") or {}
    field = next(iter(fields), None)
    message, code = str(body["error"]), str(body.get("code", "refused"))
    if field is not None:
        message = message.removeprefix(f"{field}: ")
        code = _code_of(fields[field], code)
    if number == status.HTTP_401_UNAUTHORIZED:
        code = "invalid_api_key"
    facts = {"message": message, "type": _type(number), "param": param or field, "code": code}
    return {"error": facts}


@csrf_exempt
def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """The answer to an address under ``/v1/`` that nothing stands behind."""
    text = f"There is no {request.method} {request.path} here; audio/transcriptions and models are"
    return JsonResponse(reshaped({"error": text, "code": "unknown_url"}, 404), status=404)


def _code_of(reasons: Any, otherwise: str) -> str:
    """The code of a field's first reason; those of the domain have none of their own."""
    first = reasons[0] if isinstance(reasons, list) and reasons else reasons
    if isinstance(first, list | dict):  # an element of a list is wrong
        inner = first if isinstance(first, list) else next(iter(first.values()), [])
        return _code_of(inner, otherwise)
    return str(getattr(first, "code", otherwise))


def _type(number: int) -> str:
    if number == status.HTTP_429_TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "server_error" if number >= status.HTTP_500_INTERNAL_SERVER_ERROR else _OWN_FAULT


_OWN_FAULT = "invalid_request_error"
