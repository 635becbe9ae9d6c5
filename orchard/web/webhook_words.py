"""What the pages call webhooks: their events, their states, and why one was not heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orchard.web.words import Word

EVENT_NOTES: Mapping[str, Word] = {
    "job.created": _("a recording was accepted"),
    "job.completed": _("a job has its transcript"),
    "job.failed": _("a job failed"),
    "job.cancelled": _("a job was ended by hand"),
    "job.removed": _("a job is gone: deleted, or expired"),
    "issue.checked_out": _("a process has taken an issue"),
    "issue.checked_in": _("a process has given an issue back"),
    "issue.orphaned": _("an issue was taken from a dead process"),
}
"""When each is told; for those of :data:`orchard.webhooks.messages.TYPES`."""

DELIVERY_STATES: Mapping[str, tuple[Word, str]] = {
    "pending": (pgettext_lazy("delivery", "waiting"), "waiting"),
    "delivered": (pgettext_lazy("delivery", "delivered"), "completed"),
    "failed": (pgettext_lazy("delivery", "given up"), "failed"),
}
"""Their words, and the looks of their badges."""

STOPPED_FOR: Mapping[str, Word] = {
    "gone": _("It answered 410 Gone, so it was disabled."),
    "failing": _("It failed for days, so it was disabled."),
}

REASONS: Sequence[Word] = (
    _("it redirects, which is not followed"),
    _("it did not answer in time"),
    _("it answered with an error"),
    _("it cannot be reached"),
    _("it cannot be asked"),
    _("it broke the connection off"),
    _("its name leads nowhere"),
    _("its signing key does not open"),
    _("no webhook goes to a metadata address"),
    _("no webhook goes to an address of one link only"),
    _("this is not the address of a machine"),
    _("this is private, and in none of the networks of ORCHARD_WEBHOOK_NETWORKS"),
    _("not an http or https address of a host, without a password"),
    _("there is no such address or port"),
    _("there is no such address"),
    _("it is disabled; enable it first"),
    _("there are 50 webhooks already"),
    _("not one line of at most 200 characters"),
)
"""Why something failed or was refused; named for translators."""
