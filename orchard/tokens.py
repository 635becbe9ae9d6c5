"""Tokens: keys for programs, hashed at rest, each with scopes and perhaps an end."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from orchard.models import Token
from orchard.private_files import write_private
from orchard.roles import SCOPES_OF, role_of

SCOPES = ("read", "submit", "worker", "issues", "state", "admin")
"""What a token may be allowed to do; ``admin`` includes all others.

The token of a person may never do more than the person (:data:`orchard.roles.SCOPES_OF`).
"""

KNOWN_S = 5.0
"""How long a process trusts what it knows of a token, so also how long a revoked one lives."""

NOTED_EVERY = timedelta(minutes=1)
"""How exactly *last used* is kept."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token speaks for, and what it may do."""

    token_id: int
    name: str
    scopes: frozenset[str]
    user: User | None

    def may(self, scope: str) -> bool:
        """Whether the token's scopes allow this."""
        return scope in self.scopes or "admin" in self.scopes


_known: dict[str, tuple[float, Bearer | None]] = {}
_lock = threading.Lock()


def digest(secret: str) -> str:
    """What is kept of a secret. It is long and random, so a plain hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """A secret that nobody can guess, and that scanners for leaked keys can recognise."""
    return f"orchard_{secrets.token_urlsafe(32)}"


def create_token(
    name: str,
    scopes: Iterable[str],
    *,
    owner: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[Token, str]:
    """Make a token; its secret is shown here and never again.

    Raises:
        ValueError: there is no such scope.
    """
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - set(SCOPES):
        raise ValueError(f"unknown scopes {sorted(unknown)}; allowed: {', '.join(SCOPES)}")
    secret = new_secret()
    token = Token.objects.create(
        name=name, digest=digest(secret), scopes=wanted, owner=owner, expires_at=expires_at
    )
    return token, secret


def find_bearer(secret: str) -> Bearer | None:
    """Who a secret speaks for, or ``None`` when it is unknown or has expired."""
    key = digest(secret)
    with _lock:
        known = _known.get(key)
    if known and time.monotonic() - known[0] < KNOWN_S:
        return known[1]
    bearer = _look_up(key)
    with _lock:
        if len(_known) > 1000:  # somebody is guessing; what they guessed is not worth keeping
            _known.clear()
        _known[key] = (time.monotonic(), bearer)
    return bearer


@receiver([post_save, post_delete], sender=Token)
@receiver(post_save, sender=User)
@receiver(m2m_changed, sender=User.groups.through)
def forget_bearers(**_: Any) -> None:
    """Look every token up again: one was changed or revoked, or its owner's role was.

    Other processes know within seconds.
    """
    with _lock:
        _known.clear()


def ensure_token_file(path: Path, name: str, scopes: Iterable[str], owner: User | None) -> None:
    """Keep a valid token in a file of its owner's alone; made anew when it no longer counts."""
    if path.exists() and find_bearer(path.read_text().strip()):
        path.chmod(0o600)
        return
    Token.objects.filter(name=name).delete()
    _, secret = create_token(name, scopes, owner=owner)
    write_private(path, secret)


def _look_up(key: str) -> Bearer | None:
    now = timezone.now()
    token = Token.objects.select_related("owner").filter(digest=key).first()
    if token is None or (token.expires_at and token.expires_at <= now):
        return None
    if token.owner and not token.owner.is_active:
        return None
    if not token.last_used_at or now - token.last_used_at > NOTED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return Bearer(token.pk, token.name, _allowed(token), token.owner)


def _allowed(token: Token) -> frozenset[str]:
    """What a token may do now: of its scopes, those that its owner's role has."""
    role = role_of(token.owner) if token.owner else None
    scopes = frozenset(token.scopes)
    if role is None or SCOPES_OF[role] >= set(SCOPES):
        return scopes
    wished = scopes | set(SCOPES) if "admin" in scopes else scopes
    return wished & SCOPES_OF[role]
