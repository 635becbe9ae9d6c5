"""The page of processes: who is alive, who is silent, and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orchard.services import queries
from orchard.web.access import Done, Line, Preview, action, may_act, page
from statecore.domain.errors import UnknownProcess
from statecore.domain.processes import Process
from statecore.services import processes as service
from statecore.services import run
from statecore.services.engine import get_limits

PAGE = 50


@dataclass(frozen=True)
class ShownProcess:
    """A process, the issues it holds, and when it counts as dead."""

    process: Process
    held: list[int]
    is_zombie: bool = False

    @property
    def falls_at(self) -> datetime | None:
        """When it counts as dead, if nothing is heard of it."""
        seen = self.process.last_seen
        return seen + timedelta(milliseconds=self.whole_ms) if seen else None

    @property
    def whole_ms(self) -> int:
        return get_limits().process_ttl_ms


@page
def processes(request: HttpRequest) -> HttpResponse:
    """The dead ones first, then those that are alive, page by page."""
    order = "silent" if request.GET.get("order") == "silent" else "heard"
    context: dict[str, Any] = {
        "page": "processes",
        "topic": "processes",
        "cursor": run(queries.events_end()),
    }
    dead = run(service.list_zombies())
    found = run(
        service.list_page(
            limit=PAGE, cursor=request.GET.get("cursor", ""), silent_first=order == "silent"
        )
    )
    names = {process.process_id for process, _ in dead}
    alive = [ShownProcess(*one) for one in found.processes if one[0].process_id not in names]
    zombies = [ShownProcess(*one, is_zombie=True) for one in dead]
    context |= {
        "zombies": zombies, "alive": alive, "next": found.next, "order": order,
        "order_query": "order=silent" if order == "silent" else "",
        "count": max(0, found.count - sum(1 for one in dead if one[0].status == "active")),
        "held": sum(len(one.held) for one in [*zombies, *alive]),
        "is_first": not request.GET.get("cursor"), "refresh": True,
        "clock": run(queries.clock()), "may_act": may_act(request.user),
    }  # fmt: skip
    return render(request, "orchard/processes.html", context)


def _preview(request: HttpRequest, process_id: str) -> Preview:
    """What a process holds, before it is ended."""
    held = run(service.held_by(process_id))
    if not held:
        run(service.get(process_id))
    note = _("is given back as “error”")
    question = _("This process is ended, and what it holds is given back:")
    if not held:
        question = _("This process is ended. It holds no issue.")
    return Preview(question, [Line(f"#{number}", note) for number in held])


@action("process.clean_up", "process_id", preview=_preview)
def clean_up(request: HttpRequest, process_id: str) -> Done:
    """End a process and give back what it holds."""
    given_back = run(service.clean_up(process_id, reason="by hand"))
    words = ngettext(
        "The process was ended; %(n)d issue was given back.",
        "The process was ended; %(n)d issues were given back.",
        len(given_back),
    ) % {"n": len(given_back)}
    return Done(words, {"given_back": given_back})


def _preview_zombies(request: HttpRequest) -> Preview:
    """The dead processes, and what each of them holds."""
    lines = [
        Line(one.process_id, _held_words(held), ("process", one.process_id))
        for one, held in run(service.list_zombies())
    ]
    question = _("These processes are ended, and what they hold is given back as “error”.")
    return Preview(question, lines, _("All processes are alive."))


@action("process.clean_zombies", preview=_preview_zombies)
def clean_zombies(request: HttpRequest) -> Done:
    """End the dead processes that were shown; one that shows life again is left alone."""
    dead = {one.process_id for one, _ in run(service.list_zombies())}
    given_back: dict[str, list[int]] = {}
    wanted = request.POST.getlist("process")
    for name in wanted:
        try:
            if name in dead:
                given_back[name] = run(service.clean_up(name, final_status="zombie"))
        except UnknownProcess:
            continue  # somebody else has ended it meanwhile
    count, issues = len(given_back), sum(map(len, given_back.values()))
    words = _("Ended: %(count)d. Issues given back: %(issues)d.") % {
        "count": count, "issues": issues,
    }  # fmt: skip
    if left := len(wanted) - count:
        words += " " + _("Alive again or gone: %(left)d.") % {"left": left}
    return Done(words, {"given_back": given_back})


def _held_words(held: list[int]) -> str:
    return " ".join(f"#{number}" for number in held) or _("holds no issue")
