"""``/api/v1/labels``: what was asked of whoever keeps the labels, and what became of it."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import LabelAnswer, LabelsAnswer, RetriedAnswer
from statecore.api.documents import described
from statecore.api.issues import OfIssues
from statecore.api.requests import LabelQuery
from statecore.api.shapes import label_shape
from statecore.api.signals import note
from statecore.api.views import View, parse
from statecore.domain.lifecycle import LabelStatus
from statecore.services import labels, run

MAX_RETRIES = 500
"""Most requests that are tried again at once."""

_UNKNOWN = {404: "There is no such request"}


class Labels(OfIssues, View):
    """All label requests."""

    @described(LabelsAnswer, query=LabelQuery, operation_id="list_label_requests")
    def get(self, request: Request) -> Response:
        """List the requests in a state (``queued`` unless given), the newest first."""
        asked = parse(LabelQuery, request.query_params)
        page = run(labels.list_requests(LabelStatus(asked.pop("status")), **asked))
        shown = [label_shape(one) for one in page.requests]
        counts = {str(status): count for status, count in run(labels.count_by_status()).items()}
        more = {"next": page.next, "count": page.count, "counts": counts}
        return Response({"labels": shown, **more})


class OneLabel(OfIssues, View):
    """One label request."""

    @described(LabelAnswer, refusals=_UNKNOWN, operation_id="get_label_request")
    def get(self, request: Request, request_id: str) -> Response:
        """A label request, with the errors of its deliveries."""
        return Response(label_shape(run(labels.get(request_id))))


class Retry(OfIssues, View):
    """Trying one again."""

    @described(
        LabelAnswer, request=None, refusals=_UNKNOWN | {409: "It was delivered"},
        operation_id="retry_label_request",
    )  # fmt: skip
    def post(self, request: Request, request_id: str) -> Response:
        """Try a request again, now."""
        retried = run(labels.retry(request_id))
        note(request, "label.retry", request_id)
        return Response(label_shape(retried))


class RetryAll(OfIssues, View):
    """Trying all of them again."""

    @described(RetriedAnswer, request=None, operation_id="retry_label_requests")
    def post(self, request: Request) -> Response:
        """Try all again that were given up, 500 at once: ask again while some are ``left``."""
        retried = run(labels.retry_failed(MAX_RETRIES))
        left = run(labels.count_by_status())[LabelStatus.FAILED]
        note(request, "label.retry", "all", count=retried)
        return Response({"retried": retried, "left": left})
