"""``/api/v1/issues``: who works on what, and what became of it."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import HistoryAnswer, IssueAnswer, IssuesAnswer, StatisticsAnswer
from statecore.api.bodies import ClaimantBody, UpdateBody
from statecore.api.documents import NUMBER, described
from statecore.api.parsing import ExactJson, parse_body
from statecore.api.requests import HistoryQuery, IssueQuery
from statecore.api.shapes import event_shape, issue_shape
from statecore.api.signals import note
from statecore.api.views import View, parse
from statecore.domain.issues import Claimant, check_number, check_status
from statecore.domain.lifecycle import IssueStatus
from statecore.services import checkouts, issue_lists, run

_WRONG = {400: "The number is none"}
_UNKNOWN = _WRONG | {404: "Nothing is known of the issue"}


class OfIssues:
    """Who may see and change issues, processes, locks and label requests."""

    scopes: tuple[str, ...] = ("issues",)
    read_scopes: tuple[str, ...] = ("issues", "read")
    parser_classes: tuple[Any, ...] = (ExactJson,)


class Issues(OfIssues, View):
    """All issues."""

    @described(IssuesAnswer, query=IssueQuery, operation_id="list_issues")
    def get(self, request: Request) -> Response:
        """List issues, those first whose state changed last."""
        asked = parse(IssueQuery, request.query_params)
        status = IssueStatus(asked["status"]) if asked["status"] else None
        page = run(issue_lists.list_issues(**asked | {"status": status}))
        shown = [issue_shape(issue) for issue in page.issues]
        more = {"next": page.next, "count": page.count, "damaged": page.damaged}
        return Response({"issues": shown, **more})


class Statistics(OfIssues, View):
    """How many issues there are."""

    @described(StatisticsAnswer, operation_id="get_issue_statistics")
    def get(self, request: Request) -> Response:
        """How many issues are in which state, and how many are orphans."""
        return Response(msgspec.structs.asdict(run(issue_lists.statistics())))


class OneIssue(OfIssues, View):
    """One issue."""

    @described(IssueAnswer, parameters=[NUMBER], refusals=_UNKNOWN, operation_id="get_issue")
    def get(self, request: Request, number: str) -> Response:
        """The record of an issue."""
        return Response(issue_shape(run(checkouts.get(check_number(number)))))

    @described(
        IssueAnswer, body=UpdateBody, parameters=[NUMBER], operation_id="update_issue",
        refusals={409: "A process holds it (`holder`), or the state needs a check-out"},
    )  # fmt: skip
    def patch(self, request: Request, number: str) -> Response:
        """Set the state of an issue that nobody holds, or that the caller does."""
        told = parse_body(UpdateBody, request.data)
        status, claimant = check_status(told.status), claimant_of(told)
        issue = run(checkouts.update(check_number(number), status, told.metadata, claimant))
        note(request, "issue.update", issue.number, status=str(issue.status))
        return Response(issue_shape(issue))

    @described(IssueAnswer, parameters=[NUMBER], refusals=_UNKNOWN, operation_id="reset_issue")
    def delete(self, request: Request, number: str) -> Response:
        """Forget an issue, whoever holds it; the answer is what it was."""
        issue = run(checkouts.reset(check_number(number)))
        facts = {"status": str(issue.status), "holder": issue.process_id}
        note(request, "issue.reset", issue.number, **facts)
        return Response(issue_shape(issue))


class History(OfIssues, View):
    """What has happened to an issue."""

    @described(
        HistoryAnswer, query=HistoryQuery, parameters=[NUMBER], refusals=_WRONG,
        operation_id="get_issue_history",
    )  # fmt: skip
    def get(self, request: Request, number: str) -> Response:
        """The events of an issue, oldest first; none for one that nothing is known of."""
        asked = parse(HistoryQuery, request.query_params)
        tailed = run(issue_lists.history(check_number(number), **asked))
        events = [event_shape(*entry) for entry in tailed.entries]
        return Response({"events": events, "cursor": tailed.cursor, "reset": tailed.reset})


def claimant_of(told: ClaimantBody) -> Claimant:
    """Who a body says that it comes from."""
    return Claimant(process_id=told.process_id, token=told.token)
