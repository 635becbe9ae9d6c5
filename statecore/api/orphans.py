"""``/api/v1/issues/orphans``: issues whose process is gone."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from statecore.api.answers import OrphansAnswer
from statecore.api.bodies import MAX_REPAIRS, RepairBody
from statecore.api.documents import described
from statecore.api.issues import OfIssues
from statecore.api.parsing import parse_body
from statecore.api.shapes import orphan_shape
from statecore.api.signals import note
from statecore.api.views import View
from statecore.domain.issues import check_number
from statecore.domain.orphans import Orphan
from statecore.services import orphans, run
from statecore.wording import comment_on


class Orphans(OfIssues, View):
    """All orphans."""

    @described(OrphansAnswer, operation_id="list_orphans")
    def get(self, request: Request) -> Response:
        """Issues that are held by nobody who is alive; processes of this host are looked at."""
        return Response(_answer(run(orphans.detect())))

    @described(OrphansAnswer, body=RepairBody, operation_id="repair_orphans")
    def post(self, request: Request) -> Response:
        """Check orphans in as ``error``, with a comment; the answer has those that were.

        Of more than 200 the first are repaired: ask again. What is no orphan is left alone.
        """
        numbers = parse_body(RepairBody, request.data).numbers
        wanted = None if numbers is None else set(map(check_number, numbers))
        found = run(orphans.detect())
        chosen = [one for one in found if wanted is None or one.issue.number in wanted]
        repaired = [one for one in chosen[:MAX_REPAIRS] if run(orphans.repair(one, comment_on))]
        for one in repaired:
            note(request, "issue.repair", one.issue.number, reason=one.reason)
        return Response(_answer(repaired))


def _answer(found: list[Orphan]) -> dict[str, object]:
    return {"orphans": [orphan_shape(one) for one in found], "count": len(found)}
