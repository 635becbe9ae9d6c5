"""Who may do what: scopes of tokens, and roles of people."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from orchard.api.authentication import Program
from orchard.api.errors import NotOwner
from orchard.roles import SCOPES_OF, Role, has_role, role_of
from orchard.tokens import Bearer


class HasScope(BasePermission):
    """A token needs a scope that the view names, and people a role that has one.

    A view names what suffices to read in ``read_scopes``, and to act in ``scopes``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the request may go on; the message names what is missing."""
        reading = request.method in SAFE_METHODS
        scopes = view.read_scopes if reading else view.scopes
        if isinstance(request.auth, Bearer):
            self.message = f"The token lacks the scope {' or '.join(scopes)}"
            return any(request.auth.may(scope) for scope in scopes)
        role = role_of(request.user) if request.user else None
        if role is None:
            return False
        needed = min(one for one in Role if not SCOPES_OF[one].isdisjoint(scopes))
        self.message = f"This needs the role {needed.word}; yours is {role.word}"
        return role >= needed


def owner_of(request: Request) -> str:
    """In whose name a request is made: a person's, or ``token:<name>`` of a program."""
    user: User | Program = request.user
    return f"token:{user.username}" if isinstance(user, Program) else user.get_username()


def check_owner(request: Request, owner: str) -> None:
    """Let programs act on their own jobs, and operators and administrators on all.

    Raises:
        NotOwner: it is somebody else's.
    """
    if isinstance(request.auth, Bearer):
        rules = request.auth.may("admin")
    else:
        rules = has_role(request.user, Role.OPERATOR)
    if not rules and owner != owner_of(request):
        raise NotOwner
