"""Who may see pages and press buttons, and what is answered when that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, NamedTuple, overload

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orchard.domain.errors import (
    DamagedRecord,
    InvalidInput,
    NotFound,
    OrchardError,
    StorageAway,
)
from orchard.models import AuditEntry
from orchard.roles import Role, has_role
from orchard.services import EngineAway, EngineBusy
from orchard.web.words import ROLES, Word, explain_refusal
from statecore.domain import errors as state

View = Callable[..., HttpResponse]
Refused = OrchardError | state.StateError

OWN_FIELDS = frozenset({"csrfmiddlewaretoken", "next", "confirmed"})
"""Fields of a form that are the site's; the others go on to the confirmation."""
_HOMES = {
    "unknown_job": "jobs-page", "unknown_worker": "workers-page",
    "unknown_webhook": "webhooks-page", "unknown_schedule": "schedules-page",
}  # fmt: skip


class Secret(NamedTuple):
    """Something that is shown once, on the answer to the button, and is then known to nobody."""

    title: Word
    text: str
    note: Word


class NotDone(Exception):
    """An action cannot be done; says why, for people."""


class Done(NamedTuple):
    """What an action has done: the words for the person, and the facts for the audit log."""

    words: str
    facts: dict[str, Any] = {}
    subject: str = ""
    """What it was done to, where the address does not say it."""
    secret: Secret | None = None


class Line(NamedTuple):
    """One thing of a preview: what, and what will become of it."""

    what: Word
    note: Word = ""
    field: tuple[str, str] = ("", "")
    """What goes on to the confirmation, so that exactly this is done then."""


class Preview(NamedTuple):
    """What an action is about to do."""

    question: Word
    lines: Sequence[Line]
    nothing: Word = ""
    """What is said when there is nothing to do."""


Act = Callable[..., "str | Done"]
FAULTS = (OrchardError, state.StateError, EngineAway, EngineBusy, NotDone)
"""Why an action may not be done."""


def may_act(user: Any, needs: Role = Role.OPERATOR) -> bool:
    """Whether a person may change things; everybody who is signed in may look."""
    return has_role(user, needs)


def check_role(request: HttpRequest, needs: Role = Role.OPERATOR) -> None:
    """Let only people of this role go on.

    Raises:
        PermissionDenied: with what the page of the refusal says.
    """
    if not has_role(request.user, needs):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": ROLES[needs]})


@overload
def page(view: View, /) -> View: ...
@overload
def page(*, needs: Role) -> Callable[[View], View]: ...
def page(view: View | None = None, /, *, needs: Role = Role.VIEWER) -> Any:
    """A page for people of a role (``needs``); it says so when the engine is away."""
    return _page(view, needs) if view else lambda view: _page(view, needs)


def _page(view: View, needs: Role) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_role(request, needs)
        try:
            return view(request, *args, **kwargs)
        except EngineAway:
            return _say_away(request)
        except StorageAway:
            return _say_away(request, storage=True)
        except (NotFound, DamagedRecord, state.NotFound, state.DamagedRecord) as fault:
            return _say_missing(request, fault)
        except (InvalidInput, state.InvalidInput) as fault:
            if request.GET:
                return HttpResponseRedirect(request.path)
            return _say_missing(request, fault)

    return require_safe(never_cache(login_required(answer)))


def action(
    name: str, subject: str = "", *, then: str = "", ask: str = "",
    preview: Callable[..., Preview] | None = None, needs: Role = Role.OPERATOR,
) -> Callable[[Act], View]:  # fmt: skip
    """A button for people of a role: a POST that does one thing, writes it down and goes back.

    ``subject`` is the argument that it is done to, ``then`` where to go instead
    of back. With ``ask`` or ``preview`` it happens only when it was confirmed.
    """

    def decorate(view: Act) -> View:
        @wraps(view)
        def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            check_role(request, needs)
            about = str(kwargs.get(subject, ""))
            if "confirmed" not in request.POST:
                if preview:
                    return _show(request, lambda: preview(request, **kwargs), about)
                if ask:
                    return _ask(request, {"question": ask, "subject": about})
            done = _do(request, lambda: view(request, **kwargs), name, about)
            if done and done.secret:
                context = {"secret": done.secret, "words": done.words, "back": _back(request)}
                return render(request, "orchard/secret.html", context)
            return HttpResponseRedirect(then or _back(request))

        return require_POST(never_cache(login_required(answer)))

    return decorate


def _do(
    request: HttpRequest, act: Callable[[], str | Done], name: str, subject: str
) -> Done | None:
    try:
        told = act()
    except FAULTS as fault:
        _tell_fault(request, fault)
        return None
    done = told if isinstance(told, Done) else Done(told)
    about = (done.subject or subject)[:200]
    who = request.user.get_username()
    AuditEntry.objects.create(who=who, action=name, subject=about, facts=done.facts)
    if not done.secret:
        messages.success(request, done.words)
    return done


def _show(request: HttpRequest, make: Callable[[], Preview], subject: str) -> HttpResponse:
    """What is about to happen, to be confirmed; back with a word when there is nothing."""
    try:
        found = make()
    except FAULTS as fault:
        _tell_fault(request, fault)
        return HttpResponseRedirect(_back(request))
    if not found.lines and found.nothing:
        messages.info(request, str(found.nothing))
        return HttpResponseRedirect(_back(request))
    return _ask(request, {"preview": found, "subject": subject})


def _tell_fault(request: HttpRequest, fault: Refused | EngineAway | EngineBusy | NotDone) -> None:
    if isinstance(fault, NotDone):
        messages.error(request, str(fault))
    elif isinstance(fault, EngineAway | EngineBusy):
        away = _("The state engine is away; nothing was changed. Try again.")
        messages.error(request, away)
    else:
        messages.error(request, explain_refusal(fault))


def _ask(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in OWN_FIELDS
    ]
    context |= {"back": _back(request), "fields": fields}
    return render(request, "orchard/confirm.html", context)


def _back(request: HttpRequest) -> str:
    """The page the button was on; anything else than an address of ours leads home."""
    wanted = request.POST.get("next") or request.headers.get("Referer", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


def _say_away(request: HttpRequest, *, storage: bool = False) -> HttpResponse:
    answer = render(request, "orchard/away.html", {"storage": storage}, status=503)
    answer["Retry-After"] = "2"
    return answer


def _say_missing(request: HttpRequest, fault: Refused) -> HttpResponse:
    orchards = isinstance(fault, OrchardError)
    home = _HOMES.get(fault.code, "jobs-page" if orchards else "issues-page")
    context = {"reason": explain_refusal(fault), "home": home}
    return render(request, "orchard/missing.html", context, status=404)
