"""The page of locks: who holds which, for how long, and how to free one by hand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from orchard.services import queries
from orchard.web.access import Done, action, may_act, page
from orchard.web.looking import look_through, query_of, read_search
from statecore.domain.errors import InvalidInput
from statecore.domain.locks import Lock
from statecore.services import locks as service
from statecore.services import run


@page
def locks(request: HttpRequest) -> HttpResponse:
    """The locks that are held, page by page."""
    order = "last" if request.GET.get("order") == "last" else "first"
    cursor = run(queries.events_end())
    search = read_search(request)

    def read(limit: int, after: str) -> tuple[list[Lock], str | None]:
        one = run(service.list_page(limit=limit, cursor=after, last_first=order == "last"))
        return one.locks, one.next

    found, following = look_through(
        read, lambda lock: (lock.name, lock.owner), search, request.GET.get("cursor", "")
    )
    kept = {"order": "last" if order == "last" else ""}
    context = {
        "page": "locks", "topic": "locks", "cursor": cursor, "refresh": True,
        "locks": found, "next": following, "order": order, "q": search, "kept": kept,
        "count": run(service.list_page(limit=1)).count, "order_query": query_of(**kept, q=search),
        "cleared": query_of(**kept),
        "is_first": not request.GET.get("cursor"), "clock": run(queries.clock()),
        "may_act": may_act(request.user),
    }  # fmt: skip
    return render(request, "orchard/locks.html", context)


@action("lock.release", "name", ask="release_lock")
def release(request: HttpRequest, name: str) -> Done:
    """Free a lock, if the owner that was shown still holds it."""
    token = request.POST.get("token", "")
    if not (token.isascii() and token.isdigit() and len(token) <= 20):
        raise InvalidInput("token", "must be the token of the owner")
    lock = run(service.force_release(name, int(token)))
    facts = {"owner": lock.owner, "token": lock.token, "until": lock.lease_until.isoformat()}
    return Done(_("The lock is free."), {"before": facts})
