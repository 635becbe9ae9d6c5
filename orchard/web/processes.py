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
from orchard.web.looking import is_found, look_through, query_of, read_search
from statecore.domain.errors import UnknownProcess
from statecore.domain.processes import Process
from statecore.services import processes as service
from statecore.services import run
from statecore.services.engine import get_limits

Held = tuple[Process, list[int]]
"""A process, and the numbers of the issues that it holds."""


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
    search = read_search(request)

    def read(limit: int, after: str) -> tuple[list[Held], str | None]:
        one = run(service.list_page(limit=limit, cursor=after, silent_first=order == "silent"))
        return one.processes, one.next

    found, following = look_through(read, _told, search, request.GET.get("cursor", ""))
    names = {process.process_id for process, _ in dead}
    alive = [ShownProcess(*one) for one in found if one[0].process_id not in names]
    zombies = [ShownProcess(*one, is_zombie=True) for one in dead if is_found(search, _told(one))]
    kept = {"order": "silent" if order == "silent" else ""}
    context |= {
        "zombies": zombies, "alive": alive, "next": following, "order": order, "q": search,
        "dead": dead, "kept": kept, "shown": [*zombies, *alive], "cleared": query_of(**kept),
        "order_query": query_of(**kept, q=search), "count": _count_alive(dead),
        "held": sum(len(one.held) for one in [*zombies, *alive]),
        "is_first": not request.GET.get("cursor"), "refresh": True,
        "clock": run(queries.clock()), "may_act": may_act(request.user),
    }  # fmt: skip
    return render(request, "orchard/processes.html", context)


def _told(one: Held) -> tuple[object, ...]:
    """What a process is found by."""
    process, held = one
    issues = (f"#{number}" for number in held)
    return (process.process_id, process.host, process.role, process.task_type, *issues)


def _count_alive(dead: list[Held]) -> int:
    active = run(service.list_page(limit=1)).count
    return max(0, active - sum(1 for one in dead if one[0].status == "active"))


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
