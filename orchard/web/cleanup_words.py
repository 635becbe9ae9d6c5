"""What the cleanup pages call filters, states and refusals, and where things are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orchard.cleaning.expired import PILES
from orchard.cleaning.things import Thing
from orchard.domain.chunks import parse_chunk_id
from orchard.web.issue_words import ISSUE_STATES, LABEL_STATES
from orchard.web.state import entry_url
from orchard.web.words import ANY_JOB_STATES, CHUNK_STATES, WORKER_STATES, Word, explain_code

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
    "pile": _("What"),
}

_PILES = {name: pile.label for name, pile in PILES.items()}

CHOICES: Mapping[str, Mapping[str, Word]] = {
    "status": ANY_JOB_STATES,
    "chunk_status": {name: CHUNK_STATES[name] for name in ("waiting", "running", "failed")},
    "worker_status": {name: WORKER_STATES[name] for name in ("online", "busy", "offline")},
    "issue_status": ISSUE_STATES,
    "zombies": {"1": _("yes")},
    "pile": _PILES,
}

_STATES: Mapping[str, Mapping[str, Word]] = {
    "jobs": ANY_JOB_STATES,
    "letters": ANY_JOB_STATES,
    "chunks": CHUNK_STATES,
    "workers": WORKER_STATES,
    "issues": ISSUE_STATES,
    "orphans": {"orphaned": _("orphaned")},
    "processes": {"zombie": _("found dead"), "active": _("alive")},
    "locks": {"held": _("held")},
    "labels": LABEL_STATES,
    "migration": {"set": _("set")},
    "expired": _PILES,
}


class Shown(NamedTuple):
    """A thing as the pages show it."""

    name: str
    state: str
    word: Word
    """What its state is called."""
    words: str
    url: str
    """Where it is looked at, or edited; empty when there is no such page."""


def show(kind: str, thing: Thing) -> Shown:
    """A thing in words."""
    word = _STATES.get(kind, {}).get(thing.state, thing.state)
    return Shown(thing.name, thing.state, word, thing.shown, _url(kind, thing.name))


def describe_filters(filters: Mapping[str, str]) -> list[tuple[Word, Word]]:
    """A selection in words."""
    return [
        (FILTERS.get(name, name), CHOICES.get(name, {}).get(value, value))
        for name, value in filters.items()
    ]


def explain_problem(why: str) -> str:
    """Why a thing was skipped, as a run has noted it."""
    code, _mark, reason = why.partition(": ")
    return explain_code(code, reason)


def _url(kind: str, name: str) -> str:
    match kind:
        case "jobs" | "letters":
            return reverse("job-page", args=[name])
        case "chunks" if place := parse_chunk_id(name):
            return reverse("job-page", args=[place[0]])
        case "workers" if "/" not in name:
            return reverse("worker-page", args=[name])
        case "issues" | "orphans":
            return reverse("issue-page", args=[int(name)])
        case "entries" | "migration":
            namespace, _mark, key = name.partition("/")
            return entry_url(namespace, key)
    return {"processes": "/ui/processes/", "locks": "/ui/locks/"}.get(kind, "")
