"""Roles of people: a viewer looks, an operator runs things, an admin rules.

They are kept by Django's own means: admins are its staff, operators a group,
and everybody else who may sign in is a viewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q, QuerySet

OPERATORS = "operator"
"""The group of operators."""


class Role(IntEnum):
    """What somebody may do; each may also do what the ones before may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """Its name in addresses, forms and the audit log."""
        return self.name.lower()


SCOPES_OF: Mapping[Role, frozenset[str]] = {
    Role.VIEWER: frozenset({"read"}),
    Role.OPERATOR: frozenset({"read", "submit", "worker", "issues"}),
    Role.ADMIN: frozenset({"read", "submit", "worker", "issues", "state", "admin"}),
}
"""The scopes that a role has, and that its tokens can have at most."""

_ADMINS = Q(is_active=True) & (Q(is_staff=True) | Q(is_superuser=True))


class LastAdmin(Exception):
    """Nobody would be left who may change roles."""


def role_named(word: str) -> Role:
    """The role of this name.

    Raises:
        ValueError: there is none.
    """
    for role in Role:
        if role.word == word:
            return role
    raise ValueError(f"no role {word!r}; allowed: {', '.join(role.word for role in Role)}")


def role_of(user: Any) -> Role | None:
    """A person's role; ``None`` of strangers, and of people who were shut out."""
    if not (user.is_authenticated and user.is_active):
        return None
    if user.is_staff or user.is_superuser:
        return Role.ADMIN
    # Asked for by every page and every button of it, so known for as long as the request.
    known: Role | None = getattr(user, "_orchard_role", None)
    if known is None:
        known = Role.OPERATOR if user.groups.filter(name=OPERATORS).exists() else Role.VIEWER
        user._orchard_role = known
    return known


def has_role(user: Any, needed: Role) -> bool:
    """Whether a person has a role, or one above it."""
    role = role_of(user)
    return role is not None and role >= needed


@transaction.atomic
def give_role(user: User, role: Role) -> None:
    """Give a person a role instead of the one they had.

    Raises:
        LastAdmin: they are the only admin there is.
    """
    if role is not Role.ADMIN:
        _check_others(user)
    user.is_staff = user.is_superuser = role is Role.ADMIN
    user.save(update_fields=["is_staff", "is_superuser"])
    operators, _ = Group.objects.get_or_create(name=OPERATORS)
    change = user.groups.add if role is Role.OPERATOR else user.groups.remove
    change(operators)
    user.__dict__.pop("_orchard_role", None)


@transaction.atomic
def shut_out(user: User) -> None:
    """Let a person in no more: not by session, password, link or token.

    Raises:
        LastAdmin: they are the only admin there is.
    """
    _check_others(user)
    user.is_active = False
    user.save(update_fields=["is_active"])


def let_in(user: User) -> None:
    """Let a person in again who was shut out."""
    user.is_active = True
    user.save(update_fields=["is_active"])


def admins() -> QuerySet[User]:
    """Who may change roles now."""
    return User.objects.filter(_ADMINS)


def _check_others(user: User) -> None:
    """See that an admin is left without this one; of two who leave at once, one must stay."""
    left = set(admins().select_for_update().order_by("pk").values_list("pk", flat=True))
    if left == {user.pk}:
        raise LastAdmin
