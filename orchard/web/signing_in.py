"""Pages to sign in by a one-time link; passwords go through Django's own page."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orchard import sign_in


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
