"""What all views of the API share.

Who may come in, how much, and what errors look like is the site's matter: it
stands in ``REST_FRAMEWORK`` of the settings.
"""

from __future__ import annotations

from typing import Any

from adrf.views import APIView as AsyncAPIView
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

Shape = type[serializers.Serializer]


class _Shared:
    scopes: tuple[str, ...] = ("admin",)
    """Any of these lets a token act."""
    read_scopes: tuple[str, ...] = ("read",)
    """Any of these lets a token read."""
    is_hot = False
    """Whether programs ask it many times a second; such requests are counted by other rules."""
    plain_errors = False
    """Whether an error is ``{"error"}`` alone, as the contract's paths have it."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Take a request; JSON that comes in pieces counts, too, though nobody said how long."""
        in_pieces = "HTTP_TRANSFER_ENCODING" in request.META
        if in_pieces and request.content_type == "application/json":
            request.META["CONTENT_LENGTH"] = str(len(request.body))
        return super().initialize_request(request, *args, **kwargs)  # type: ignore[misc]

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
    """The same for hot and waiting paths, on the event loop."""

    is_hot = True


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
