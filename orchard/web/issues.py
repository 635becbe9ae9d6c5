"""The board of issues, the list of some of them, and the page of one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from orchard.services import queries
from orchard.web import issue_words
from orchard.web.access import may_act, page
from orchard.web.issue_shown import ShownIssue, find_title, show_history, show_issues
from orchard.web.labels import show_request
from statecore.domain.issues import Issue, check_number
from statecore.domain.lifecycle import RESTING, IssueStatus
from statecore.domain.orphans import Orphan
from statecore.services import checkouts, issue_lists, labels, orphans, run
from statecore.services.engine import get_limits

COLUMN = 8
"""Cards of one state on the board."""
PAGE = 50
SEARCHED = 1000
"""How many issues one search looks through before it asks whether to go on."""
ORPHANED = "orphaned"


@page
def issues(request: HttpRequest) -> HttpResponse:
    """The board; or a list, when something is asked for."""
    if any(request.GET.get(name) for name in ("status", "q", "cursor")):
        return _list(request)
    context = _common(request, "issues") | _standing()
    gone = context["orphans"]
    context["columns"] = [_column(name, gone) for name in issue_words.ISSUE_STATES]
    return render(request, "orchard/issues.html", context)


@page
def find(request: HttpRequest) -> HttpResponse:
    """Go to the issue of a number; anything else is searched for."""
    wanted = request.GET.get("q", "").strip().removeprefix("#")
    if wanted.isascii() and wanted.isdigit():
        return HttpResponseRedirect(reverse("issue-page", args=[check_number(wanted)]))
    query = request.GET.copy()
    query["q"] = wanted[:200]
    return HttpResponseRedirect(f"{reverse('issues-page')}?{query.urlencode()}")


@page
def issue(request: HttpRequest, number: int) -> HttpResponse:
    """One issue: its record, who holds it, what has happened, and what can be done."""
    context = _common(request, "issue") | {"topic": f"issue:{number}"}
    found = run(checkouts.get(number))
    gone = [one for one in run(orphans.detect()) if one.issue.number == number]
    context |= {
        "one": _shown([found], gone)[0],
        "history": show_history(run(issue_lists.whole_history(number))),
        "requests": [show_request(one) for one in run(labels.of_issue(number))],
        "states": [(name, issue_words.ISSUE_STATES[name]) for name in sorted(RESTING)],
        "refresh": True,
    }
    return render(request, "orchard/issue.html", context)


def _list(request: HttpRequest) -> HttpResponse:
    """Issues of one state, or those that a text is found in, page by page."""
    status, text = request.GET.get("status", ""), request.GET.get("q", "").strip()
    status = status if status in (*issue_words.ISSUE_STATES, ORPHANED) else ""
    order = "oldest" if request.GET.get("order") == "oldest" else "newest"
    context = _common(request, "issues") | _standing()
    if status == ORPHANED:
        found, next_page = [one.issue for one in context["orphans"] if _has(one.issue, text)], None
    else:
        found, next_page = _look(status, text, order, request.GET.get("cursor", ""))
    context |= {
        "rows": _shown(found, context["orphans"]), "next": next_page, "status": status,
        "q": text, "order": order, "orders": issue_words.ORDERS.items(),
        "is_first": not request.GET.get("cursor"), "searched": SEARCHED,
        "filters": _filters(context["stats"]),
    }  # fmt: skip
    return render(request, "orchard/issue_list.html", context)


def _look(status: str, text: str, order: str, cursor: str) -> tuple[list[Issue], str | None]:
    """A page of issues; of a search as many pages as hold ``SEARCHED`` issues, or one's fill."""
    wanted = IssueStatus(status) if status else None
    limit, found, looked, after = (issue_lists.MAX_PAGE if text else PAGE), [], 0, cursor
    while True:
        one = run(
            issue_lists.list_issues(
                status=wanted, limit=limit, cursor=after, oldest_first=order == "oldest"
            )
        )
        found += [issue for issue in one.issues if _has(issue, text)]
        looked, after = looked + limit, one.next or ""
        if not after or not text or looked >= SEARCHED or len(found) >= PAGE:
            return found, after or None


def _has(issue: Issue, text: str) -> bool:
    """Whether a text is in what people look for: number, title, holder, kind of task."""
    parts = (str(issue.number), find_title(issue), issue.checked_out_by or "",
             issue.process_id or "", issue.task_type or "")  # fmt: skip
    return text.casefold() in "\n".join(parts).casefold()


def _common(request: HttpRequest, name: str) -> dict[str, Any]:
    """What all pages here have; the cursor is older than everything else on them."""
    return {
        "page": name, "topic": "issues", "cursor": run(queries.events_end()),
        "clock": run(queries.clock()), "may_act": may_act(request.user),
    }  # fmt: skip


def _standing() -> dict[str, Any]:
    """How the issues stand as a whole."""
    found = run(issue_lists.standing())
    return {"stats": found.statistics, "orphans": found.orphans, "holders": found.holders}


def _column(name: str, gone: list[Orphan]) -> dict[str, Any]:
    found = run(issue_lists.list_issues(status=IssueStatus(name), limit=COLUMN))
    return {
        "name": name, "label": issue_words.ISSUE_STATES[name], "count": found.count,
        "cards": _shown(found.issues, gone), "damaged": found.damaged,
        "more": max(0, found.count - COLUMN), "nothing": issue_words.NOTHING_IN[name],
    }  # fmt: skip


def _shown(found: list[Issue], gone: list[Orphan]) -> list[ShownIssue]:
    limits = get_limits()
    return show_issues(found, gone, limits.issue_lease_ms, limits.heartbeat_limit_ms)


def _filters(stats: issue_lists.Statistics) -> list[tuple[str, Any, int]]:
    counts = {name: getattr(stats, name.replace("-", "_")) for name in issue_words.ISSUE_STATES}
    return [(name, issue_words.ISSUE_STATES[name], count) for name, count in counts.items()]
