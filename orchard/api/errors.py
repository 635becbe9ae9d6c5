"""Errors as answers: the one place where what was refused becomes a status and a body.

The body is always ``{"error", "code", "detail"?}`` and what a program can use
besides, such as ``holder``. The contract's own paths answer ``{"error"}`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.domain import errors
from orchard.ports import recordings
from orchard.services import EngineAway, EngineBusy, EngineFull
from statecore.domain import errors as state_errors

RETRY_AFTER_S = "2"
"""When to try again while the state engine is away, in seconds."""

_STATUSES: tuple[tuple[type[errors.OrchardError], int], ...] = (
    (errors.InvalidInput, 400),
    (errors.NotFound, 404),
    (errors.WorkerExists, 400),
    (errors.StorageAway, 503),
    (errors.QuotaExceeded, 429),
    (errors.OrchardError, 409),
)
_STATE: tuple[tuple[type[state_errors.StateError], int], ...] = (
    (state_errors.TooLarge, 413),
    (state_errors.InvalidInput, 400),
    (state_errors.NotFound, 404),
    (state_errors.StateError, 409),
)
_ENGINE: tuple[tuple[type[Exception], str, str], ...] = (
    (EngineFull, "engine_full", "The state engine has no memory left"),
    (EngineAway, "engine_away", "The state engine is away; try again in a moment"),
    (EngineBusy, "engine_busy", "Too many writers at once; try again in a moment"),
)


class TooLarge(exceptions.APIException):
    """The body is larger than it may be."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The recording is larger than it may be"
    default_code = "too_large"


class NotOwner(exceptions.PermissionDenied):
    """Somebody else's job."""

    default_detail = "This job belongs to somebody else"
    default_code = "not_owner"


def answer_error(fault: Exception, context: dict[str, Any]) -> Response | None:
    """Answer what went wrong in a view; ``None`` leaves a real fault to Django."""
    if isinstance(fault, OSError) and recordings.is_full(fault):
        fault = errors.StorageFull()
    found = (
        _engine_answer(fault)
        or _refusal(fault)
        or _state_refusal(fault, context.get("request"))
        or _request_answer(fault)
    )
    if found is None:
        return None
    body, code, headers = found
    if getattr(context.get("view"), "plain_errors", False):
        body = {"error": _reason(body)}
    return Response(body, code, headers=headers)


@csrf_exempt
def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """The answer to an address under ``/api/`` that nothing stands behind."""
    body = {"error": "There is nothing at this address", "code": "not_found"}
    return JsonResponse(body, status=404)


Answer = tuple[dict[str, Any], int, dict[str, str]]


def _engine_answer(fault: Exception) -> Answer | None:
    for kind, code, text in _ENGINE:
        if isinstance(fault, kind):
            return {"error": text, "code": code}, 503, {"Retry-After": RETRY_AFTER_S}
    return None


def _refusal(fault: Exception) -> Answer | None:
    if not isinstance(fault, errors.OrchardError):
        return None
    number = next(number for kind, number in _STATUSES if isinstance(fault, kind))
    code = fault.code
    if isinstance(fault, errors.WorkerUnavailable):
        code = str(fault.facts.get("state", code))
    headers = {"Retry-After": RETRY_AFTER_S} if number == 503 else {}
    return {"error": str(fault), "code": code} | fault.facts, number, headers


def _state_refusal(fault: Exception, request: Request | None) -> Answer | None:
    if not isinstance(fault, state_errors.StateError):
        return None
    number = next(number for kind, number in _STATE if isinstance(fault, kind))
    if isinstance(fault, state_errors.VersionConflict) and request is not None:
        conditional = {"If-Match", "If-None-Match"} & set(request.headers)
        number = 412 if conditional else number
    return {"error": str(fault), "code": fault.code} | fault.facts, number, {}


def _request_answer(fault: Exception) -> Answer | None:
    if isinstance(fault, Http404):
        fault = exceptions.NotFound()
    if isinstance(fault, PermissionDenied):
        fault = exceptions.PermissionDenied()
    if isinstance(fault, SuspiciousOperation | BadRequest):
        fault = exceptions.ParseError(str(fault) or None)
    if not isinstance(fault, exceptions.APIException):
        return None
    return _body(fault), fault.status_code, _headers(fault)


def _body(fault: exceptions.APIException) -> dict[str, Any]:
    if isinstance(fault, exceptions.ValidationError):
        given = fault.detail if isinstance(fault.detail, dict) else {"body": fault.detail}
        detail = {str(field): list(_reasons(reasons)) for field, reasons in given.items()}
        return {"error": _first(detail), "code": "invalid", "detail": detail}
    codes = fault.get_codes()
    return {"error": str(fault.detail), "code": codes if isinstance(codes, str) else "refused"}


def _reasons(found: Any) -> Iterator[str]:
    """Why a field is refused, in one list, also where it is one of a list or holds others.

    Each keeps its code, which OpenAI's programs are told.
    """
    if isinstance(found, dict):
        for place, reasons in found.items():
            for reason in _reasons(reasons):
                code = getattr(reason, "code", None)
                yield exceptions.ErrorDetail(f"{place}: {reason}", code)
    elif isinstance(found, list):
        for each in found:
            yield from _reasons(each)
    else:
        yield found if isinstance(found, str) else str(found)


def _first(detail: dict[str, list[str]]) -> str:
    """The first reason in words, with the field it is about."""
    field, reasons = next(iter(detail.items()))
    return f"{field}: {reasons[0]}" if reasons else field


def _reason(body: dict[str, Any]) -> str:
    """The reason without the field's name: the contract's clients show it to people."""
    text = str(body["error"])
    field = next(iter(body.get("detail") or {}), None)
    return text.removeprefix(f"{field}: ") if field else text


def _headers(fault: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(fault, "auth_header", None):
        headers["WWW-Authenticate"] = fault.auth_header
    if getattr(fault, "wait", None):
        headers["Retry-After"] = str(int(fault.wait) + 1)
    return headers
