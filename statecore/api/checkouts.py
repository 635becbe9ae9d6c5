"""``/api/v1/issues/<number>/…``: check-out, signs of life, and check-in. On the event loop."""

from __future__ import annotations

import math

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import IssueAnswer, IssueBeatAnswer
from statecore.api.bodies import CheckinBody, CheckoutBody, ClaimantBody
from statecore.api.documents import NUMBER, described
from statecore.api.issues import OfIssues, claimant_of
from statecore.api.parsing import parse_body
from statecore.api.shapes import issue_shape
from statecore.api.signals import aannounce, rules
from statecore.api.views import AsyncView
from statecore.domain.errors import InvalidInput
from statecore.domain.issues import ANYBODY, DEFAULT_TASK, Holder, check_number, check_status
from statecore.services import arun, checkouts

_HELD = {409: "Another process holds it, or the token is stale; `holder` says who has it"}


class Checkout(OfIssues, AsyncView):
    """Taking an issue."""

    @described(
        IssueAnswer, body=CheckoutBody, parameters=[NUMBER], refusals=_HELD,
        operation_id="check_out_issue",
    )  # fmt: skip
    async def post(self, request: Request, number: str) -> Response:
        """Check an issue out: nobody else gets it until it is checked in or its lease is over.

        The ``token`` goes with every report on it. Asking again is the same check-out.
        """
        told = parse_body(CheckoutBody, request.data)
        holder = Holder(
            process_id=told.process_id, task_type=told.task_type or DEFAULT_TASK, pid=told.pid,
            host=told.host, ttl_ms=milliseconds(told.ttl_s),
        )  # fmt: skip
        issue = await arun(checkouts.check_out(check_number(number), holder))
        return Response(issue_shape(issue))


class Heartbeat(OfIssues, AsyncView):
    """Signs of life."""

    @described(
        IssueBeatAnswer, body=ClaimantBody, parameters=[NUMBER], refusals=_HELD,
        operation_id="send_issue_heartbeat",
    )  # fmt: skip
    async def post(self, request: Request, number: str) -> Response:
        """Keep a check-out alive; ``alive`` is false, and alone, when nobody holds the issue."""
        claimant = claimant_of(parse_body(ClaimantBody, request.data))
        issue = await arun(checkouts.heartbeat(check_number(number), claimant))
        return Response({"alive": issue is not None} | (issue_shape(issue) if issue else {}))


class Checkin(OfIssues, AsyncView):
    """Giving an issue back."""

    @described(
        IssueAnswer, body=CheckinBody, parameters=[NUMBER], operation_id="check_in_issue",
        refusals={409: "Not checked out, or not by this process: `holder` says by whom"},
    )  # fmt: skip
    async def post(self, request: Request, number: str) -> Response:
        """Check an issue in, with what came of it; saying it again is answered as the first time.

        The caller says who it is by ``process_id`` or ``token``; an administrator need not.
        """
        told = parse_body(CheckinBody, request.data)
        status, claimant = check_status(told.status), claimant_of(told)
        overrules = claimant == ANYBODY
        if overrules and not rules(request):
            raise InvalidInput("process_id", "say who checks it in, by process_id or token")
        issue = await arun(checkouts.check_in(check_number(number), status, told.result, claimant))
        if overrules:
            facts = {"status": told.status, "holder": issue.checked_out_by}
            await aannounce(request, "issue.checkin", issue.number, **facts)
        return Response(issue_shape(issue))


def milliseconds(seconds: float | None) -> int | None:
    """A duration as the services want it; never rounded down to nothing."""
    return None if seconds is None else math.ceil(seconds * 1000)
