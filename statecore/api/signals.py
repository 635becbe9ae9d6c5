"""What people do by hand through the API is announced, so that the site can write it down."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal
from rest_framework.request import Request

acted = Signal()
"""Sent with ``request``, ``action`` (such as ``issue.reset``), ``subject`` and ``facts``."""


def note(request: Request, action: str, subject: object, **facts: Any) -> None:
    """Announce what a person has done; what programs do is in the events."""
    if is_person(request):
        announce(request, action, subject, **facts)


async def anote(request: Request, action: str, subject: object, **facts: Any) -> None:
    """The same from the event loop."""
    if is_person(request):
        await aannounce(request, action, subject, **facts)


def announce(request: Request, action: str, subject: object, **facts: Any) -> None:
    """Announce what was done, whoever did it: by right of an administrator, for one."""
    acted.send(Request, request=request, action=action, subject=str(subject), facts=facts)


async def aannounce(request: Request, action: str, subject: object, **facts: Any) -> None:
    """The same from the event loop."""
    await acted.asend(Request, request=request, action=action, subject=str(subject), facts=facts)


def is_person(request: Request) -> bool:
    """Whether somebody who is signed in asks, and no program with a token."""
    return request.auth is None


def rules(request: Request) -> bool:
    """Whether the caller may act for others: people, and programs with the scope ``admin``.

    Whom the site lets act at all among people, it trusts with the work of programs.
    """
    return is_person(request) or bool(request.auth.may("admin"))
