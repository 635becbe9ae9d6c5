"""Signing in by a one-time link; passwords go through Django's own page, guessed ones wait."""

from __future__ import annotations

import math
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from orchard import sign_in
from orchard.roles import Role
from orchard.web.access import check_role


@never_cache
@require_http_methods(["GET", "POST"])
def use_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Show a button, and sign in when it is pressed.

    A mere GET uses nothing up: mail programs and chats open links to preview them.
    """
    if request.method == "POST" and (user := sign_in.use_link(secret)):
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("overview")
    usable = request.method == "GET" and sign_in.is_usable(secret)
    return render(
        request, "orchard/sign_in.html", {"usable": usable}, status=200 if usable else 410
    )


@never_cache
@require_safe
def open_admin(request: HttpRequest) -> HttpResponse:
    """Django's admin has no door of its own: people sign in where they always do.

    Raises:
        PermissionDenied: they have, and are no admin.
    """
    wanted = request.GET.get("next", "")
    is_safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
    wanted = wanted if is_safe else reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(wanted)
    check_role(request, Role.ADMIN)
    return redirect(wanted)


def say_locked_out(request: HttpRequest, *_answers: Any) -> HttpResponse:
    """There were too many wrong passwords: how long to wait, and which way in is still open."""
    wait_s = math.ceil(settings.AXES_COOLOFF_TIME.total_seconds())
    context = {"minutes": max(1, math.ceil(wait_s / 60))}
    answer = render(request, "orchard/locked_out.html", context, status=429)
    answer["Retry-After"] = str(wait_s)
    return answer
