"""What all views of the API share."""

from __future__ import annotations

from typing import Any

from adrf.views import APIView as AsyncAPIView
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from orchard.api.permissions import HasScope
from orchard.api.throttles import Throttle
from orchard.api.wire import AlwaysJson, JsonParser, JsonRenderer

Shape = type[serializers.Serializer]


class _Shared:
    permission_classes = (HasScope,)
    throttle_classes: tuple[Any, ...] = (Throttle,)
    parser_classes: tuple[Any, ...] = (JsonParser,)
    renderer_classes: Any = (JsonRenderer,)
    content_negotiation_class: Any = AlwaysJson
    scopes: tuple[str, ...] = ("admin",)
    """Any of these lets a token act."""
    read_scopes: tuple[str, ...] = ("read",)
    """Any of these lets a token read."""
    plain_errors = False
    """Whether an error is ``{"error"}`` alone, as the contract's paths have it."""

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, and count it even when the answer is nobody."""
        try:
            super().perform_authentication(request)  # type: ignore[misc]
        finally:
            super().check_throttles(request)  # type: ignore[misc]

    def check_throttles(self, request: Request) -> None:
        """Do nothing: the request was counted before it could be refused."""


class View(_Shared, APIView):
    """A view that needs one of the scopes it names."""


class AsyncView(_Shared, AsyncAPIView):
    """The same for hot and waiting paths, on the event loop. Agents ask often: no throttle."""

    throttle_classes = ()


def parse(shape: Shape, given: Any) -> dict[str, Any]:
    """The checked content of a form or a query.

    Raises:
        ValidationError: it has another shape; names the fields and the reasons.
    """
    if not hasattr(given, "keys"):
        raise serializers.ValidationError({"body": ["must be an object"]})
    serializer = shape(data=given)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
