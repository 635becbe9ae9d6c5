"""What the pages call the states of issues, processes, locks and label requests."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orchard.web.words import Word
from statecore.domain import events
from statecore.domain.lifecycle import IssueStatus
from statecore.domain.orphans import LEASE_OVER, PROCESS_GONE, SILENT

ISSUE_STATES: Mapping[str, Word] = {
    "pending": pgettext_lazy("issue", "pending"),
    "processing": pgettext_lazy("issue", "in work"),
    "awaiting-response": pgettext_lazy("issue", "awaiting response"),
    "error": pgettext_lazy("issue", "error"),
    "completed": pgettext_lazy("issue", "completed"),
}
"""The states of an issue, in the order of the board."""

NOTHING_IN: Mapping[str, Word] = {
    "pending": gettext_lazy("Nothing waits to be begun."),
    "processing": gettext_lazy("Nobody works on anything."),
    "awaiting-response": gettext_lazy("Nobody waits for an answer."),
    "error": gettext_lazy("Nothing has failed."),
    "completed": gettext_lazy("Nothing is done yet."),
}

ORPHAN_REASONS: Mapping[str, Word] = {
    PROCESS_GONE: gettext_lazy("its process no longer exists"),
    SILENT: gettext_lazy("its process has been silent for too long"),
    LEASE_OVER: gettext_lazy("its lease has run out"),
}
"""Why an issue counts as an orphan."""

LABEL_STATES: Mapping[str, Word] = {
    "queued": pgettext_lazy("label request", "waiting"),
    "failed": pgettext_lazy("label request", "given up"),
    "sent": pgettext_lazy("label request", "delivered"),
}

ORDERS: Mapping[str, Word] = {
    "newest": gettext_lazy("latest change first"),
    "oldest": gettext_lazy("longest unchanged first"),
}


def tell_event(event: events.Event) -> str:
    """What has happened to an issue, in a sentence."""
    match event:
        case events.IssueCheckedOut(process_id=who, taken_from=""):
            return _("%(who)s checked it out") % {"who": who}
        case events.IssueCheckedOut(process_id=who, taken_from=before):
            told = _("%(who)s took it over from %(before)s, whose lease had run out")
            return told % {"who": who, "before": before}
        case events.IssueCheckedIn(process_id=None, status=status):
            return _("checked in as “%(state)s”") % {"state": ISSUE_STATES[status]}
        case events.IssueCheckedIn(process_id=who, status=status):
            facts = {"who": who, "state": ISSUE_STATES[status]}
            return _("%(who)s: checked in as “%(state)s”") % facts
        case events.IssueOrphaned(process_id=who, reason=reason):
            told = _("taken from %(who)s: %(reason)s")
            return told % {"who": who or "—", "reason": ORPHAN_REASONS.get(reason, reason)}
        case events.IssueUpdated(status=status):
            return _("set to “%(state)s”") % {"state": ISSUE_STATES[status]}
        case events.IssueReset():
            return _("all that was known of it was forgotten")
    return str(event.__struct_config__.tag)


def state_after(event: events.Event) -> str:
    """The state that an event of an issue led to, or nothing."""
    match event:
        case events.IssueCheckedOut():
            return str(IssueStatus.PROCESSING)
        case events.IssueCheckedIn(status=status) | events.IssueUpdated(status=status):
            return str(status)
        case events.IssueOrphaned():
            return "orphaned"
    return ""
