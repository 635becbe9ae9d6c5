"""What the cleanup pages call filters, and which choices they have."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from orchard.web.words import CHUNK_STATES, JOB_STATES, WORKER_STATES, Word

FILTERS: Mapping[str, Word] = {
    "status": _("State"),
    "older_h": _("Unchanged for hours"),
    "q": _("Name contains"),
    "chunk_status": _("State"),
    "worker": _("Worker"),
    "worker_status": _("State"),
    "issue_status": _("State"),
    "zombies": _("Only those found dead"),
    "namespace": _("Namespace"),
}

_ISSUES = ("pending", "processing", "completed", "awaiting-response", "error")

CHOICES: Mapping[str, Mapping[str, Word]] = {
    "status": JOB_STATES,
    "chunk_status": {name: CHUNK_STATES[name] for name in ("waiting", "running", "failed")},
    "worker_status": {name: WORKER_STATES[name] for name in ("online", "busy", "offline")},
    "issue_status": {name: name for name in _ISSUES},
    "zombies": {"1": _("yes")},
}


def describe_filters(filters: Mapping[str, str]) -> list[tuple[Word, Word]]:
    """A selection in words."""
    return [
        (FILTERS.get(name, name), CHOICES.get(name, {}).get(value, value))
        for name, value in filters.items()
    ]
