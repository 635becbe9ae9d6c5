"""The page on users: who may come in, as what, and who has to wait after wrong passwords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from orchard import roles, sign_in
from orchard.roles import LastAdmin, Role, role_of
from orchard.web.access import Done, NotDone, Secret, action, page
from orchard.web.words import ROLE_NOTES, ROLES, Word


class NewUser(forms.Form):
    """Who is to come in, and as what."""

    username = forms.CharField(max_length=150, validators=[UnicodeUsernameValidator()])
    role = forms.ChoiceField(choices=[(role.word, role.word) for role in Role])


@dataclass(frozen=True)
class Person:
    """A user as the page shows them."""

    user: User
    role: Role
    is_me: bool
    tokens: int

    @property
    def word(self) -> Word:
        """What the role is called."""
        return ROLES[self.role]


@dataclass(frozen=True)
class Waiting:
    """Wrong passwords for one name from one address."""

    username: str
    address: str
    failures: int
    last_at: datetime
    is_locked: bool


@page(needs=Role.ADMIN)
def people(request: HttpRequest) -> HttpResponse:
    """All users with their roles, and the wrong passwords of the last minutes."""
    users = User.objects.annotate(tokens=Count("token")).prefetch_related("groups")
    context = {
        "page": "people", "people": [_shown(one, request) for one in users.order_by("username")],
        "roles": [(role.word, ROLES[role], ROLE_NOTES[role]) for role in Role],
        "waiting": find_waiting(),
    }  # fmt: skip
    return render(request, "orchard/people.html", context)


@action("user.add", needs=Role.ADMIN)
def add(request: HttpRequest) -> Done:
    """Make a user, without a password, and a link that signs them in once."""
    form = NewUser(request.POST)
    if not form.is_valid():
        raise NotDone(_("A name has letters, digits and @ . + - _ only, and at most 150 of them."))
    name, role = form.cleaned_data["username"], roles.role_named(form.cleaned_data["role"])
    if User.objects.filter(username__iexact=name).exists():
        raise NotDone(_("There is somebody of this name already."))
    user = User.objects.create_user(name)
    roles.give_role(user, role)
    words = _("“%(name)s” may come in now.") % {"name": name}
    return Done(words, {"after": {"role": role.word}}, name, _link(request, user))


@action("user.role", "name", needs=Role.ADMIN)
def change_role(request: HttpRequest, name: str) -> Done:
    """Give somebody another role; an admin is always left."""
    user, before = _user(name), _word(name)
    try:
        role = roles.role_named(request.POST.get("role", ""))
    except ValueError:
        raise NotDone(_("There is no such role.")) from None
    _unless_last(lambda: roles.give_role(user, role))
    words = _("“%(name)s” is now %(role)s.") % {"name": name, "role": ROLES[role]}
    return Done(words, {"before": {"role": before}, "after": {"role": role.word}})


@action("user.shut_out", "name", ask="shut_out", needs=Role.ADMIN)
def shut_out(request: HttpRequest, name: str) -> Done:
    """Let somebody in no more."""
    user = _user(name)
    _unless_last(lambda: roles.shut_out(user))
    return Done(_("“%(name)s” was shut out.") % {"name": name}, _active(True, False))


@action("user.let_in", "name", needs=Role.ADMIN)
def let_in(request: HttpRequest, name: str) -> Done:
    """Let somebody in again."""
    roles.let_in(_user(name))
    return Done(_("“%(name)s” may come in now.") % {"name": name}, _active(False, True))


@action("user.link", "name", needs=Role.ADMIN)
def make_link(request: HttpRequest, name: str) -> Done:
    """Make a link that signs somebody in once, in case they cannot come in otherwise."""
    user = _user(name)
    if not user.is_active:
        raise NotDone(_("Let this person in first."))
    return Done(_("The link is for “%(name)s”.") % {"name": name}, secret=_link(request, user))


@action("user.lift_wait", needs=Role.ADMIN)
def lift_wait(request: HttpRequest) -> Done:
    """Forget wrong passwords for a name and from an address: both may try again."""
    name, address = request.POST.get("username", ""), request.POST.get("address", "")
    counted = Q(username=name) if name else Q(pk=None)
    if address:
        counted |= Q(ip_address=address)
    found = _counted().filter(counted)
    failures = found.aggregate(n=Sum("failures_since_start"))["n"] or 0
    if not failures:
        raise NotDone(_("Nobody waits there any more."))
    found.delete()
    facts = {"address": address, "failures": failures}
    return Done(_("They may try again now."), facts, name or address)


def find_waiting() -> list[Waiting]:
    """Wrong passwords that still count, those that led to a wait first."""
    rows = (
        _counted().values("username", "ip_address").order_by()
        .annotate(failures=Sum("failures_since_start"), last_at=Max("attempt_time"))
    )  # fmt: skip
    found = list(rows)
    sums: dict[tuple[str, Any], int] = {}
    for row in found:
        for key in (("name", row["username"]), ("from", row["ip_address"])):
            sums[key] = sums.get(key, 0) + row["failures"]
    shown = [_waiting(row, sums) for row in found]
    return sorted(shown, key=lambda one: (not one.is_locked, -one.last_at.timestamp()))[:100]


def _waiting(row: dict[str, Any], sums: dict[tuple[str, Any], int]) -> Waiting:
    most = max(sums["name", row["username"]], sums["from", row["ip_address"]])
    is_locked = most >= settings.AXES_FAILURE_LIMIT
    address = row["ip_address"] or ""
    return Waiting(row["username"] or "", address, row["failures"], row["last_at"], is_locked)


def _counted() -> QuerySet[Any]:
    begin = timezone.now() - settings.AXES_COOLOFF_TIME
    found: QuerySet[Any] = AccessAttempt.objects.filter(attempt_time__gt=begin)
    return found


def _shown(user: Any, request: HttpRequest) -> Person:
    was_active, user.is_active = user.is_active, True  # the role stays while somebody is out
    role = role_of(user) or Role.VIEWER
    user.is_active = was_active
    return Person(user, role, user.pk == request.user.pk, user.tokens)


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotDone(_("There is nobody of this name."))
    return user


def _word(name: str) -> str:
    role = role_of(_user(name))
    return role.word if role else ""


def _unless_last(change: Any) -> None:
    try:
        change()
    except LastAdmin:
        raise NotDone(
            _("This is the only admin. Make somebody else one first; nothing was changed.")
        ) from None


def _active(before: bool, after: bool) -> dict[str, Any]:
    return {"before": {"active": before}, "after": {"active": after}}


def _link(request: HttpRequest, user: User) -> Secret:
    path = sign_in.create_link(user)
    note = _("It signs in once, within an hour. Hand it over as you would a password.")
    return Secret(_("A link to sign in"), request.build_absolute_uri(path), note)
