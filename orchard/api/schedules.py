"""``/api/v1/schedules``: files that are handed in again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils import timezone
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from orchard.api.answers import JobAnswer
from orchard.api.audit import note
from orchard.api.bodies import parse_body
from orchard.api.errors import TooLarge
from orchard.api.jobs import IDEMPOTENCY_KEY, idempotency_key, job_shape, order_of, view_of
from orchard.api.permissions import check_owner, owner_of
from orchard.api.schedule_shapes import (
    ScheduleAnswer,
    ScheduleForm,
    SchedulesAnswer,
    UpdateScheduleBody,
    schedule_shape,
)
from orchard.api.schema import described
from orchard.api.views import View, parse
from orchard.conf import get_conf
from orchard.domain.languages import parse_language
from orchard.domain.schedules import Schedule, facts_of
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.services import occurrences, run, schedules

_UNKNOWN = {404: "There is no such schedule"}


class Schedules(View):
    """All schedules."""

    scopes = ("submit",)
    parser_classes = (MultiPartParser,)

    @described(SchedulesAnswer, operation_id="list_schedules")
    def get(self, request: Request) -> Response:
        """List all schedules, those first that are due soonest."""
        found = [schedule_shape(one) for one in run(schedules.list_all())]
        return Response({"schedules": found, "count": len(found)})

    @described(
        {201: ScheduleAnswer}, operation_id="create_schedule",
        refusals={
            400: "No file, or a field is wrong", 409: "There are as many as may be",
            413: "The file is too large",
        },
        request={"multipart/form-data": ScheduleForm},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Keep a file that is handed in, in the sender's name, at the times of an expression."""
        form = parse(ScheduleForm, request.data)
        upload: UploadedFile = form["file"]
        if (upload.size or 0) > get_conf().upload_max_bytes:
            raise TooLarge
        made = schedules.create(_asked(form, owner_of(request)), upload)
        note(request, "schedule.create", made.schedule_id, facts_of(made))
        where = reverse("api:schedule", args=[made.schedule_id])
        return Response(schedule_shape(made), 201, headers={"Location": where})


class OneSchedule(View):
    """One schedule."""

    scopes = ("submit",)

    @described(ScheduleAnswer, refusals=_UNKNOWN, operation_id="get_schedule")
    def get(self, request: Request, schedule_id: str) -> Response:
        """A schedule, with its next time and what came of the last."""
        return Response(schedule_shape(run(schedules.get(schedule_id))))

    @described(
        ScheduleAnswer, body=UpdateScheduleBody, refusals=_UNKNOWN, operation_id="update_schedule"
    )
    def patch(self, request: Request, schedule_id: str) -> Response:
        """Change a schedule, disable it, or enable it again: for its next time from now on."""
        before = _own(request, schedule_id)
        facts = parse_body(UpdateScheduleBody, request.data).facts(before.order)
        after = run(schedules.change(schedule_id, facts))
        changed = {"before": facts_of(before), "after": facts_of(after)}
        note(request, _kind_of(before, after), schedule_id, changed)
        return Response(schedule_shape(after))

    @described(ScheduleAnswer, refusals=_UNKNOWN, operation_id="delete_schedule")
    def delete(self, request: Request, schedule_id: str) -> Response:
        """Hand the file in no more, and delete it; the jobs that it led to stay."""
        _own(request, schedule_id)
        gone = schedules.remove(schedule_id)
        note(request, "schedule.delete", schedule_id, facts_of(gone))
        return Response(schedule_shape(gone))


class RunNow(View):
    """Handing a file in beside its times."""

    scopes = ("submit",)

    @described(
        {201: JobAnswer}, operation_id="run_schedule", request=None, parameters=[IDEMPOTENCY_KEY],
        refusals=_UNKNOWN | {429: "Its owner has as much as the quota allows"},
    )  # fmt: skip
    def post(self, request: Request, schedule_id: str) -> Response:
        """Hand the file in at once, in the name of the schedule's owner."""
        _own(request, schedule_id)
        job = occurrences.run_now(schedule_id, idempotency_key(request))
        note(request, "schedule.run", schedule_id, {"job": job.job_id})
        where = reverse("api:job", args=[job.job_id])
        return Response(job_shape(view_of(job)), 201, headers={"Location": where})


def _kind_of(before: Schedule, after: Schedule) -> str:
    """What a change is called in the audit log."""
    if before.is_enabled == after.is_enabled:
        return "schedule.change"
    return "schedule.resume" if after.is_enabled else "schedule.pause"


def _own(request: Request, schedule_id: str) -> Schedule:
    """A schedule that the sender may change.

    Raises:
        UnknownSchedule: there is none of this id.
        NotOwner: it is somebody else's, and the sender is no administrator.
    """
    found = run(schedules.get(schedule_id))
    check_owner(request, found.owner)
    return found


def _asked(form: Mapping[str, Any], owner: str) -> Schedule:
    """What a form asks for; the rest is settled when it is made."""
    hot_words = [one for given in form["hot_words"] for one in split_hot_words(given)]
    return Schedule(
        schedule_id="", name=form["name"], owner=owner, cron=form["cron"],
        time_zone=form["time_zone"] or timezone.get_default_timezone_name(), filename="",
        source="", size=0, created_at=timezone.now(), use_purifier=form["purifier"],
        language=parse_language(form["language"]),
        wishes=make_wishes(form["prompt"], hot_words, words=form["words"]),
        order=order_of({**form, "run_at": None}),
    )  # fmt: skip
