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

from statecore.domain.issues import NUMBER_MAX

Shape = type[serializers.Serializer]

REF = "#/components/schemas/{name}"
"""Where the shape of a body stands in the document."""

_USUAL = {
    401: "No token and no session",
    403: "A scope is missing",
    409: "A record in the engine is damaged",
    429: "Too many requests",
    503: "The state engine is away",
}


NUMBER = OpenApiParameter(
    "number", {"type": "integer", "minimum": 1, "maximum": NUMBER_MAX}, OpenApiParameter.PATH,
    description="The number of an issue.",
)  # fmt: skip


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
    parameters: list[OpenApiParameter] | None = None, **more: Any,
) -> Any:  # fmt: skip
    """Describe an operation in the API document.

    ``body`` is the struct that a JSON body is read into, ``form`` and ``query``
    are serializers, ``parameters`` are headers and parts of the address, and
    ``error`` is what refusals look like.
    """
    texts = _USUAL | ({400: "A field is wrong"} if body or form or query else {})
    texts |= {413: "The body is larger than it may be"} if body or form else {}
    responses = {
        code: OpenApiResponse(error, description=text)
        for code, text in (texts | (refusals or {})).items()
    }
    more.setdefault("request", {"application/json": _reference(body)} if body else form)
    asked = [*([query] if query else []), *(parameters or [])]
    answers = answer if isinstance(answer, dict) else {200: answer}
    return extend_schema(responses=answers | responses, parameters=asked, **more)


def _reference(body: Any) -> dict[str, str]:
    return {"$ref": REF.format(name=body.__name__)}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say which bodies must be there, and that an empty parameter is none (a hook)."""
    shapes = result["components"]["schemas"]
    for operations in result["paths"].values():
        for operation in operations.values():
            if body := operation.get("requestBody"):
                body["required"] = _is_needed(body, shapes)
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and not parameter.get("required"):
                    parameter["allowEmptyValue"] = True
    return result


def _is_needed(body: dict[str, Any], shapes: dict[str, Any]) -> bool:
    """Whether a body has a field that must be there, or is the value itself."""
    schema = next(iter(body["content"].values()))["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return bool(shapes[name].get("required")) if name else True
