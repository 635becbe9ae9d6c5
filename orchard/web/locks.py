"""The page of locks: who holds which, for how long, and how to free one by hand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from orchard.services import queries
from orchard.web.access import Done, action, may_act, page
from statecore.domain.errors import InvalidInput
from statecore.services import locks as service
from statecore.services import run

PAGE = 50


@page
def locks(request: HttpRequest) -> HttpResponse:
    """The locks that are held, page by page."""
    order = "last" if request.GET.get("order") == "last" else "first"
    cursor = run(queries.events_end())
    found = run(
        service.list_page(
            limit=PAGE, cursor=request.GET.get("cursor", ""), last_first=order == "last"
        )
    )
    context = {
        "page": "locks", "topic": "locks", "cursor": cursor, "refresh": True,
        "locks": found.locks, "next": found.next, "count": found.count, "order": order,
        "order_query": "order=last" if order == "last" else "",
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
