"""The API document: what an operation takes, answers and refuses."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

Shape = type[serializers.Serializer]

REF = "#/components/schemas/{name}"
"""Where the shape of a body stands in the document."""

_USUAL = {
    401: "No token and no session",
    403: "A scope is missing",
    429: "Too many requests",
    503: "The state engine is away",
}


def example(name: str, value: object) -> OpenApiExample:
    """An example of an answer."""
    return OpenApiExample(name, value=value, response_only=True)


@extend_schema_serializer(
    examples=[
        example("a wrong field", {
            "error": "progress: Expected `float` <= 1.0", "code": "invalid",
            "detail": {"progress": ["Expected `float` <= 1.0"]},
        }),
        example("too late", {
            "error": "Somebody else holds this work now; the report came too late.",
            "code": "stale_token", "holder": "kitchen-pc", "status": "running",
        }),
    ]
)  # fmt: skip
class ErrorAnswer(serializers.Serializer):
    """What every refusal looks like; some carry facts besides, such as ``holder``."""

    error = serializers.CharField(help_text="The reason, for people.")
    code = serializers.CharField(help_text="The reason, for programs.")
    detail = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="The reasons by field.",
    )


def described(
    answer: Any, *, body: Any = None, form: Shape | None = None, query: Shape | None = None,
    refusals: dict[int, str] | None = None, error: Shape = ErrorAnswer,
    headers: list[OpenApiParameter] | None = None, **more: Any,
) -> Any:  # fmt: skip
    """Describe an operation in the API document.

    ``body`` is the struct that a JSON body is read into, ``form`` and ``query``
    are serializers, and ``error`` is what refusals look like.
    """
    texts = _USUAL | ({400: "A field is wrong"} if body or form or query else {})
    responses = {
        code: OpenApiResponse(error, description=text)
        for code, text in (texts | (refusals or {})).items()
    }
    more.setdefault("request", {"application/json": _reference(body)} if body else form)
    parameters = [*([query] if query else []), *(headers or [])]
    answers = answer if isinstance(answer, dict) else {200: answer}
    return extend_schema(responses=answers | responses, parameters=parameters, **more)


def _reference(body: Any) -> dict[str, str]:
    return {"$ref": REF.format(name=body.__name__)}
