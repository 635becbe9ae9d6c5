"""Everybody's own page: who one is here, one's password, and one's tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from orchard.models import AuditEntry, Token
from orchard.roles import Role, role_of
from orchard.web.access import Done, NotDone, Preview, action, page
from orchard.web.tokens import end, form_context, make, preview_of
from orchard.web.words import ROLE_NOTES, ROLES


@page
def own(request: HttpRequest) -> HttpResponse:
    """Who I am here, my password and my tokens."""
    return render(request, "orchard/own.html", _context(request, _form(request)))


@sensitive_post_parameters()
@require_POST
@never_cache
@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Set another password, or a first one; all other sessions end."""
    form = _form(request, request.POST)
    if not form.is_valid():
        return render(request, "orchard/own.html", _context(request, form), status=400)
    update_session_auth_hash(request, form.save())
    who = request.user.get_username()
    AuditEntry.objects.create(who=who, action="user.password", subject=who)
    messages.success(request, _("Your password was changed. Other sessions have ended."))
    return HttpResponseRedirect(reverse("own-page"))


@action("user.sign_out_elsewhere", needs=Role.VIEWER)
def sign_out_elsewhere(request: HttpRequest) -> str:
    """End all sessions but this one; with a password, another one does that."""
    user = _me(request)
    if user.has_usable_password():
        raise NotDone(_("Change your password: that ends all other sessions."))
    user.set_unusable_password()  # sessions are bound to it, and it is random
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    return _("Other sessions have ended.")


@action("token.create", needs=Role.VIEWER)
def add_token(request: HttpRequest) -> Done:
    """Make a token that acts in my name."""
    return make(request, _me(request))


def _preview(request: HttpRequest, pk: int) -> Preview:
    return preview_of(_mine(request), pk)


@action("token.revoke", preview=_preview, needs=Role.VIEWER)
def revoke_token(request: HttpRequest, pk: int) -> Done:
    """End a token of mine."""
    return end(_mine(request), pk)


def _me(request: HttpRequest) -> User:
    """Who asks, as a record to change: the one of the session would lose what it caches."""
    return User.objects.get(username=request.user.get_username())


def _mine(request: HttpRequest) -> QuerySet[Token]:
    return Token.objects.filter(owner=_me(request)).select_related("owner")


def _form(request: HttpRequest, given: Any = None) -> SetPasswordForm[User]:
    user = _me(request)
    kind = PasswordChangeForm if user.has_usable_password() else SetPasswordForm
    return kind(user, given)


def _context(request: HttpRequest, form: SetPasswordForm[User]) -> dict[str, Any]:
    role = role_of(request.user) or Role.VIEWER
    return {
        "page": "own", "form": form, "role": ROLES[role], "role_note": ROLE_NOTES[role],
        "tokens": _mine(request), "now": timezone.now(),
        "has_password": "old_password" in form.fields,
        **form_context(role),
    }  # fmt: skip
