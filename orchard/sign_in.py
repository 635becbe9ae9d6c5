"""Signing in: links that work once, for an hour, and what a right password makes good."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models import QuerySet
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from orchard.guests import address_of
from orchard.models import SignInLink
from orchard.tokens import digest

LIFETIME = timedelta(hours=1)


def create_link(user: User) -> str:
    """The path of a new link for this person."""
    secret = secrets.token_urlsafe(24)
    SignInLink.objects.filter(expires_at__lt=timezone.now() - timedelta(days=7)).delete()
    SignInLink.objects.create(
        digest=digest(secret), user=user, expires_at=timezone.now() + LIFETIME
    )
    return f"/sign-in/{secret}"


def is_usable(secret: str) -> bool:
    """Whether a link would still sign somebody in."""
    return _usable(secret).exists()


def use_link(secret: str) -> User | None:
    """Use a link up; ``None`` when it was used, has expired, or never was."""
    link = _usable(secret).select_related("user").first()
    if link is None:
        return None
    # Of two who use it at the same moment, one changes the row.
    used = SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
    return link.user if used else None


@receiver(user_logged_in)
def forget_mistakes(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Forget the wrong passwords of somebody who is in now, and of nobody else.

    Guesses at other names from the same address still count: an account of
    one's own is no way to guess on.
    """
    AccessAttempt.objects.filter(
        username=user.get_username(), ip_address=address_of(request)
    ).delete()


def _usable(secret: str) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(
        digest=digest(secret), used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )
