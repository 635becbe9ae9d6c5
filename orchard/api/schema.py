"""The API document: what every operation takes, answers and refuses."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import JsonResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation

from orchard.api.answers import ErrorAnswer, PlainErrorAnswer
from orchard.api.bodies import BODIES
from orchard.api.views import View

Shape = type[serializers.Serializer]

_REF = "#/components/schemas/{name}"
_USUAL = {
    401: "No token and no session",
    403: "A scope is missing",
    429: "Too many requests",
    503: "The state engine is away",
}


def described(
    answer: Any, *, body: Any = None, form: Shape | None = None, query: Shape | None = None,
    refusals: dict[int, str] | None = None, plain: bool = False,
    headers: list[OpenApiParameter] | None = None, **more: Any,
) -> Any:  # fmt: skip
    """Describe an operation in the API document.

    ``body`` is one of :mod:`orchard.api.bodies`, ``form`` and ``query`` are
    serializers; ``plain`` says that errors are ``{"error"}`` alone.
    """
    texts = _USUAL | ({400: "A field is wrong"} if body or form or query else {})
    shape = PlainErrorAnswer if plain else ErrorAnswer
    responses = {
        code: OpenApiResponse(shape, description=text)
        for code, text in (texts | (refusals or {})).items()
    }
    more.setdefault("request", {"application/json": _reference(body)} if body else form)
    parameters = [*([query] if query else []), *(headers or [])]
    answers = answer if isinstance(answer, dict) else {200: answer}
    return extend_schema(responses=answers | responses, parameters=parameters, **more)


def add_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Put the shapes of the agents' bodies into the document (a hook of drf-spectacular)."""
    shapes = msgspec.json.schema_components(BODIES, ref_template=_REF)[1]
    result["components"].setdefault("schemas", {}).update(shapes)
    return result


def _reference(body: Any) -> dict[str, str]:
    return {"$ref": _REF.format(name=body.__name__)}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How programs say who they are."""

    target_class = "orchard.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The scheme in the words of OpenAPI."""
        text = "A token with scopes; that of the administrator is in the data directory's `token`."
        return {"type": "http", "scheme": "bearer", "description": text}


class _Document(View):
    """A page about the API; its errors are JSON like all others."""

    content_negotiation_class = DefaultContentNegotiation

    def handle_exception(self, exc: Exception) -> Any:
        answer = super().handle_exception(exc)
        headers = {name: value for name, value in answer.items() if name != "Content-Type"}
        return JsonResponse(answer.data, status=answer.status_code, headers=headers)


class Schema(_Document, SpectacularAPIView):
    """The document, as YAML or with ``?format=json``."""

    renderer_classes: Any = SpectacularAPIView.renderer_classes


class Docs(_Document, SpectacularSwaggerSplitView):
    """The document to read and to try out; its script comes by itself, as the CSP wants it."""

    renderer_classes: Any = SpectacularSwaggerSplitView.renderer_classes
    template_name = "orchard/api_docs.html"
    url_name = "api:schema"
