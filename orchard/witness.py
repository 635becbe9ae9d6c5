"""What is written to the audit log though no button of ours was pressed."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from orchard.models import AuditEntry

AT_THE_MACHINE = "command line"
"""Who acts by a command: somebody at the machine, whose name there says nothing here."""
_DEEDS = {ADDITION: "add", CHANGE: "change", DELETION: "delete"}


@receiver(user_locked_out)
def note_wait(
    *, request: HttpRequest, username: str | None = None, ip_address: str | None = None, **_: Any
) -> None:
    """Somebody guessed too often and has to wait; further guesses meanwhile are not news."""
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is not None:
        AuditEntry.objects.create(
            who=(username or "")[:150], action="sign_in.wait", subject=ip_address or "",
            facts={"failures": failures},
        )  # fmt: skip


@receiver(post_save, sender=LogEntry)
def note_admin(*, instance: LogEntry, created: bool, **_: Any) -> None:
    """An admin changed something in Django's admin."""
    if not created:
        return
    deed, kind = _DEEDS.get(instance.action_flag, "change"), instance.content_type
    AuditEntry.objects.create(
        who=instance.user.get_username()[:150], action=f"admin.{deed}",
        subject=f"{kind.model if kind else ''} {instance.object_repr}".strip()[:200],
        facts={"said": instance.get_change_message()},
    )  # fmt: skip


def note_command(action: str, subject: str, **facts: Any) -> None:
    """Somebody at the machine did by a command what leaves an entry when a button does it."""
    AuditEntry.objects.create(who=AT_THE_MACHINE, action=action, subject=subject[:200], facts=facts)
