"""``/preferences/purifier`` and ``/api/v1/preferences/purifier``: what one person prefers."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.permissions import owner_of
from orchard.api.requests import PurifierForm
from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.services import preferences, run


class Purifier(View):
    """Whether the sender's recordings are cleaned."""

    scopes = ("submit",)

    @described(PurifierForm, operation_id="get_purifier")
    def get(self, request: Request) -> Response:
        """What the sender prefers; the setting's default until said otherwise."""
        return Response({"usePurifier": run(preferences.get_use_purifier(owner_of(request)))})

    @described(PurifierForm, form=PurifierForm, operation_id="set_purifier")
    def post(self, request: Request) -> Response:
        """Remember for a day what the sender prefers."""
        wanted = parse(PurifierForm, request.data)["usePurifier"]
        run(preferences.set_use_purifier(owner_of(request), wanted))
        return Response({"usePurifier": wanted})
