"""The addresses of a master from the time before exchanges."""

from __future__ import annotations

from django.urls import re_path

from orchard import urls
from orchard.api.errors import not_found

urlpatterns = [re_path(r"^api/v1/workers/[^/]+/exchange$", not_found), *urls.urlpatterns]
