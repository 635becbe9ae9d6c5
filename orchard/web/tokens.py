"""The page on tokens: keys for programs, made here, shown once, and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from orchard.models import Token
from orchard.roles import SCOPES_OF, Role, role_of
from orchard.tokens import SCOPES, create_token
from orchard.web.access import Done, Line, NotDone, Preview, Secret, action, page
from orchard.web.words import SCOPE_NOTES

DAYS = ("30", "90", "365", "")
"""For how many days a token may be made; for good at the end."""


class NewToken(forms.Form):
    """What a token is for, what it may do, and how long it counts."""

    name = forms.CharField(max_length=100)
    scopes = forms.MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES])
    days = forms.ChoiceField(choices=[(days, days) for days in DAYS], required=False)


@page(needs=Role.ADMIN)
def tokens(request: HttpRequest) -> HttpResponse:
    """All tokens: what they may do, until when, and when they were last used."""
    context = {
        "page": "tokens", "tokens": Token.objects.select_related("owner"), "now": timezone.now(),
        "owners": User.objects.filter(is_active=True).order_by("username"),
        **form_context(Role.ADMIN),
    }  # fmt: skip
    return render(request, "orchard/tokens.html", context)


def form_context(role: Role) -> dict[str, Any]:
    """What the form of a new token offers somebody of this role."""
    scopes = [(name, SCOPE_NOTES[name]) for name in SCOPES if name in SCOPES_OF[role]]
    return {"scopes": scopes, "days": DAYS}


@action("token.create", needs=Role.ADMIN)
def add(request: HttpRequest) -> Done:
    """Make a token for anybody, or for a program of its own."""
    name = request.POST.get("owner", "")
    owner = User.objects.filter(username=name, is_active=True).first() if name else None
    if name and owner is None:
        raise NotDone(_("There is nobody of this name."))
    return make(request, owner)


def _preview(request: HttpRequest, pk: int) -> Preview:
    return preview_of(Token.objects.all(), pk)


@action("token.revoke", preview=_preview, needs=Role.ADMIN)
def revoke(request: HttpRequest, pk: int) -> Done:
    """End a token."""
    return end(Token.objects.all(), pk)


def make(request: HttpRequest, owner: User | None) -> Done:
    """Make the token that the form asks for.

    Raises:
        NotDone: the form is not whole, or asks for more than its owner may do.
    """
    form = NewToken(request.POST)
    if not form.is_valid():
        raise NotDone(_("A token needs a name, and at least one thing that it may do."))
    name, scopes, days = (form.cleaned_data[field] for field in ("name", "scopes", "days"))
    role = role_of(owner) if owner else Role.ADMIN
    if role is None or not set(scopes) <= SCOPES_OF[role]:
        raise NotDone(_("A token may not do more than the person it belongs to."))
    ends = timezone.now() + timedelta(days=int(days)) if days else None
    _token, text = create_token(name, scopes, owner=owner, expires_at=ends)
    facts = {"scopes": sorted(scopes), "owner": owner.get_username() if owner else "",
             "days": int(days) if days else None}  # fmt: skip
    note = _("Programs send it with every request: Authorization: Bearer …")
    words = _("The token “%(name)s” was made.") % {"name": name}
    return Done(words, {"after": facts}, name, Secret(_("A new token"), text, note))


def preview_of(among: QuerySet[Token], pk: int) -> Preview:
    """What revoking a token will do."""
    token = _find(among, pk)
    question = _("Revoke this token? Programs that use it are refused within seconds.")
    return Preview(question, [Line(token.name, ", ".join(token.scopes))])


def end(among: QuerySet[Token], pk: int) -> Done:
    """Revoke one of these tokens.

    Raises:
        NotDone: it is not among them.
    """
    token = _find(among, pk)
    owner = token.owner.get_username() if token.owner else ""
    token.delete()
    words = _("The token “%(name)s” was revoked.") % {"name": token.name}
    return Done(words, {"before": {"scopes": token.scopes, "owner": owner}}, token.name)


def _find(among: QuerySet[Token], pk: int) -> Token:
    token = among.filter(pk=pk).first()
    if token is None:
        raise NotDone(_("This token is no longer there."))
    return token
