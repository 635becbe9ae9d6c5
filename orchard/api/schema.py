"""The API document: what every operation takes, answers and refuses."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import JsonResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation

from orchard.api.answers import PlainErrorAnswer
from orchard.api.bodies import BODIES
from orchard.api.exchange_bodies import ExchangeBody
from orchard.api.log_bodies import LogsBody
from orchard.api.permissions import HasScope
from orchard.api.schedule_shapes import BODIES as SCHEDULE_BODIES
from orchard.api.views import View
from orchard.api.webhook_shapes import BODIES as WEBHOOK_BODIES
from statecore.api import documents
from statecore.api.bodies import BODIES as STATE_BODIES
from statecore.api.documents import ErrorAnswer


def described(answer: Any, *, plain: bool = False, **more: Any) -> Any:
    """Describe an operation in the API document; ``plain`` if its errors are ``{"error"}`` alone.

    ``body`` is one of :mod:`orchard.api.bodies`, ``form`` and ``query`` are serializers.
    """
    error = PlainErrorAnswer if plain else ErrorAnswer
    return documents.described(answer, error=error, **more)


def add_bodies(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Put the shapes of the agents' bodies into the document (a hook of drf-spectacular)."""
    bodies = (
        *BODIES, ExchangeBody, *STATE_BODIES, LogsBody, *SCHEDULE_BODIES, *WEBHOOK_BODIES,
    )  # fmt: skip
    shapes = msgspec.json.schema_components(bodies, ref_template=documents.REF)[1]
    result["components"].setdefault("schemas", {}).update(shapes)
    return result


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

    permission_classes = (HasScope,)
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
