"""The addresses of the site, and a bare view that runs one script: what HTTP is measured by."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from orchard import urls
from orchard.services.engine import get_engine
from statecore.store import ops

BARE = "bench/script"
_RECORD = b"x" * 300


@csrf_exempt
async def script(request: HttpRequest) -> HttpResponse:
    """Read a body in JSON, write a record by one script, and answer in JSON."""
    told = msgspec.json.decode(request.body)
    await get_engine().acommit({}, [ops.Set("bench:bare", _RECORD)])
    return HttpResponse(msgspec.json.encode({"taken": len(told)}), content_type="application/json")


urlpatterns = [path(BARE, script), *urls.urlpatterns]
