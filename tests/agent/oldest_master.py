"""A master from the time before exchanges, that wants a cookie with whatever it does not know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from orchard import urls
from orchard.api.errors import not_found


def _guarded(request: HttpRequest, *args: Any) -> HttpResponse:
    return not_found(request, *args)


urlpatterns = [re_path(r"^api/v1/workers/[^/]+/exchange$", _guarded), *urls.urlpatterns]
