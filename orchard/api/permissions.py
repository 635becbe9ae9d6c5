"""Who may do what: scopes of tokens, and rights of people."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from orchard.api.authentication import Program
from orchard.api.errors import NotOwner
from orchard.tokens import Bearer


class HasScope(BasePermission):
    """A token needs a scope that the view names; people may read, and staff may do everything.

    A view names what suffices to read in ``read_scopes``, and to act in ``scopes``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the request may go on; the message names what is missing."""
        reading = request.method in SAFE_METHODS
        scopes = view.read_scopes if reading else view.scopes
        if isinstance(request.auth, Bearer):
            self.message = f"The token lacks the scope {' or '.join(scopes)}"
            return any(request.auth.may(scope) for scope in scopes)
        self.message = "Only staff may do this"
        user = request.user
        if not user or not user.is_authenticated:
            return False
        return bool(user.is_staff or (reading and "read" in scopes))


def owner_of(request: Request) -> str:
    """In whose name a request is made: a person's, or ``token:<name>`` of a program."""
    user: User | Program = request.user
    return f"token:{user.username}" if isinstance(user, Program) else user.get_username()


def check_owner(request: Request, owner: str) -> None:
    """Let people act on their own jobs, and administrators on all.

    Raises:
        NotOwner: it is somebody else's.
    """
    if isinstance(request.auth, Bearer):
        rules = request.auth.may("admin")
    else:
        rules = bool(request.user.is_staff)
    if not rules and owner != owner_of(request):
        raise NotOwner
