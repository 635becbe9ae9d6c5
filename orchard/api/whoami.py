"""``/api/v1/whoami``: in whose name a request is made, and what it may do."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.permissions import owner_of
from orchard.api.schema import described
from orchard.api.views import View
from orchard.roles import SCOPES_OF, role_of
from orchard.tokens import SCOPES, Bearer


class WhoamiAnswer(serializers.Serializer):
    """Who asks, and the scopes that this is allowed by."""

    name = serializers.CharField(help_text="A person's, or `token:<name>` of a program.")
    scopes = serializers.ListField(child=serializers.CharField())


class Whoami(View):
    """The sender."""

    read_scopes = SCOPES

    @described(WhoamiAnswer, operation_id="whoami")
    def get(self, request: Request) -> Response:
        """In whose name this token or session speaks, and what it may do."""
        return Response({"name": owner_of(request), "scopes": _scopes_of(request)})


def _scopes_of(request: Request) -> list[str]:
    """In their usual order; ``admin`` includes all others."""
    if isinstance(request.auth, Bearer):
        found = {scope for scope in SCOPES if request.auth.may(scope)}
    else:
        role = role_of(request.user)
        found = set(SCOPES_OF[role]) if role else set()
    return [scope for scope in SCOPES if scope in found]
