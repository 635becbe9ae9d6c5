"""Who may see pages and press buttons, and what is answered when that fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orchard.domain.errors import InvalidInput, NotFound, OrchardError
from orchard.models import AuditEntry
from orchard.services import EngineAway
from orchard.web.words import explain_refusal

View = Callable[..., HttpResponse]


def may_act(user: Any) -> bool:
    """Whether a person may change things; everybody who is signed in may look."""
    return bool(user.is_active and user.is_staff)


def page(view: View) -> View:
    """A page for people who are signed in; it says so when the engine is away."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except EngineAway:
            return _say_away(request)
        except NotFound as fault:
            return _say_missing(request, fault)
        except InvalidInput:
            return HttpResponseRedirect(request.path)

    return require_safe(never_cache(login_required(answer)))


def action(
    name: str, subject: str, *, then: str = "", ask: str = ""
) -> Callable[[Callable[..., str]], View]:
    """A button: a POST that does one thing, writes it to the audit log and goes back.

    ``subject`` is the argument that it is done to, ``then`` where to go instead
    of back. With ``ask`` it happens only when it was confirmed.
    """

    def decorate(view: Callable[..., str]) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            if not may_act(request.user):
                raise PermissionDenied
            if ask and "confirmed" not in request.POST:
                return _ask(request, ask, kwargs[subject])
            _do(request, lambda: view(request, **kwargs), name, kwargs[subject])
            return HttpResponseRedirect(then or _back(request))

        return require_POST(login_required(answer))

    return decorate


def _do(request: HttpRequest, act: Callable[[], str], name: str, subject: str) -> None:
    try:
        done = act()
    except OrchardError as fault:
        messages.error(request, explain_refusal(fault))
    except EngineAway:
        messages.error(request, _("The state engine is away; nothing was changed. Try again."))
    else:
        who = request.user.get_username()
        AuditEntry.objects.create(who=who, action=name, subject=subject)
        messages.success(request, done)


def _ask(request: HttpRequest, question: str, subject: str) -> HttpResponse:
    context = {"question": question, "subject": subject, "back": _back(request)}
    return render(request, "orchard/confirm.html", context)


def _back(request: HttpRequest) -> str:
    """The page the button was on; anything else than an address of ours leads home."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


def _say_away(request: HttpRequest) -> HttpResponse:
    answer = render(request, "orchard/away.html", status=503)
    answer["Retry-After"] = "2"
    return answer


def _say_missing(request: HttpRequest, fault: NotFound) -> HttpResponse:
    return render(request, "orchard/missing.html", {"reason": explain_refusal(fault)}, status=404)
