"""What is done by hand through the API stands in the audit log."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from rest_framework.request import Request

from orchard.api.permissions import owner_of
from orchard.models import AuditEntry
from statecore.api.signals import acted


@receiver(acted)
def write_entry(
    *, request: Request, action: str, subject: str, facts: dict[str, Any], **_: Any
) -> None:
    """Write down who did what through the state side's API."""
    note(request, action, subject, facts)


def note(request: Request, action: str, subject: str, facts: dict[str, Any]) -> None:
    """Write down who did what; programs are named ``token:<name>``."""
    AuditEntry.objects.create(
        who=owner_of(request)[:150], action=action, subject=subject[:200], facts=facts
    )
