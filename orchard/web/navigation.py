"""Where one can go: the pages in the header, and those beside the one that is shown."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from orchard.roles import Role, has_role
from orchard.web.words import Word


class Place(NamedTuple):
    """A page by the name of its address, with what it is called."""

    url_name: str
    label: Word
    pages: tuple[str, ...]
    """Names of the pages (``page`` in their context) that belong to it."""
    icon: str = ""
    needs: Role = Role.VIEWER


class Group(NamedTuple):
    """Pages that belong together: the first is the one in the header."""

    label: Word
    icon: str
    places: tuple[Place, ...]


GROUPS = (
    Group(_("Overview"), "overview", (Place("overview", _("Overview"), ("overview",)),)),
    Group(
        _("Jobs"), "jobs",
        (
            Place("jobs-page", _("Jobs"), ("jobs", "job")),
            Place("transcripts-page", _("Search transcripts"), ("transcripts",)),
            Place("schedules-page", _("Schedules"), ("schedules",)),
        ),
    ),
    Group(_("Workers"), "workers", (Place("workers-page", _("Workers"), ("workers", "worker")),)),
    Group(
        _("Issues"), "issues",
        (
            Place("issues-page", _("Board"), ("issues", "issue")),
            Place("processes-page", _("Processes"), ("processes",)),
            Place("locks-page", _("Locks"), ("locks",)),
            Place("labels-page", _("Label requests"), ("labels",)),
        ),
    ),
    Group(_("State"), "state", (Place("state-page", _("State"), ("state", "namespace", "entry")),)),
    Group(_("Logs"), "logs", (Place("logs-page", _("Logs"), ("logs",)),)),
    Group(
        _("System"), "system",
        (
            Place("events-page", _("Events"), ("events",)),
            Place("engine-page", _("Engine"), ("engine",)),
            Place("cleanup-page", _("Cleanup"), ("cleanup",)),
            Place("webhooks-page", _("Webhooks"), ("webhooks", "webhook"), needs=Role.ADMIN),
            Place("people-page", _("Users"), ("people",), needs=Role.ADMIN),
            Place("tokens-page", _("Tokens"), ("tokens",), needs=Role.ADMIN),
            Place("audit-page", _("Audit log"), ("audit",), needs=Role.ADMIN),
        ),
    ),
)  # fmt: skip


class Link(NamedTuple):
    """A place as it is drawn."""

    url: str
    label: Word
    icon: str
    is_current: bool


def header_links(page: str) -> list[Link]:
    """The links of the header."""
    found = []
    for group in GROUPS:
        url = next(filter(None, (_url(place) for place in group.places)), "")
        is_current = any(page in place.pages for place in group.places)
        if url:
            found.append(Link(url, group.label, group.icon, is_current))
    return found


def neighbours(page: str, user: Any) -> list[Link]:
    """The links to the pages beside this one that somebody may open; none when it stands alone."""
    for group in GROUPS:
        if any(page in place.pages for place in group.places) and len(group.places) > 1:
            return [
                Link(url, place.label, place.icon, page in place.pages)
                for place in group.places
                if has_role(user, place.needs) and (url := _url(place))
            ]
    return []


def _url(place: Place) -> str:
    try:
        return reverse(place.url_name)
    except NoReverseMatch:
        return ""
