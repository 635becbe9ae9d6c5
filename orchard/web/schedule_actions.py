"""The buttons of schedules: make, pause, resume, hand in now, delete."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from orchard.conf import get_conf
from orchard.domain.errors import InvalidInput
from orchard.domain.languages import parse_language
from orchard.domain.orders import AUDIO, Order, parse_labels, parse_priority
from orchard.domain.schedules import NAME_MAX, Schedule, facts_of
from orchard.domain.wishes import make_wishes, split_hot_words
from orchard.services import occurrences, run
from orchard.services import schedules as service
from orchard.web.access import FAULTS, Done, NotDone, action
from orchard.web.schedules import FORM
from orchard.web.words import explain_error

_KEPT = ("name", "cron", "time_zone", "type", "priority", "requires", "language", "hot_words",
         "prompt", "words", "purifier")  # fmt: skip
_KEPT_MAX = 2000
"""So many characters of a field come back when the form was refused."""
_PURIFIER = {"true": True, "false": False}


@action("schedule.create")
def add(request: HttpRequest) -> Done:
    """Keep a file that is handed in, in the name of who asks, at the times of an expression."""
    try:
        made = service.create(_asked(request), _file(request))
    except FAULTS as fault:
        kept = {name: request.POST.get(name, "")[:_KEPT_MAX] for name in _KEPT}
        request.session[FORM] = kept
        if isinstance(fault, InvalidInput):
            raise NotDone(_explain(fault, kept)) from None
        raise
    return Done(_("The schedule was made."), facts_of(made), made.schedule_id)


@action("schedule.pause", "schedule_id")
def pause(request: HttpRequest, schedule_id: str) -> str:
    """Hand its file in no more until it is resumed."""
    run(service.change(schedule_id, {"is_enabled": False}))
    return _("The schedule is paused.")


@action("schedule.resume", "schedule_id")
def resume(request: HttpRequest, schedule_id: str) -> str:
    """Let it wait for its next time from now on."""
    run(service.change(schedule_id, {"is_enabled": True}))
    return _("The schedule waits for its next time.")


@action("schedule.run", "schedule_id")
def hand_in(request: HttpRequest, schedule_id: str) -> Done:
    """Hand its file in at once, in its owner's name."""
    job = occurrences.run_now(schedule_id)
    return Done(_("The file was handed in."), {"job": job.job_id})


@action("schedule.delete", "schedule_id", then="/ui/schedules/", ask="delete_schedule")
def delete(request: HttpRequest, schedule_id: str) -> Done:
    """Hand its file in no more, and delete it; the jobs that it led to stay."""
    return Done(_("The schedule was deleted."), facts_of(service.remove(schedule_id)))


def _asked(request: HttpRequest) -> Schedule:
    """What the form asks for; the rest is settled when it is made.

    Raises:
        InvalidInput: a field is wrong.
    """
    given = request.POST
    labels = given.get("requires", "").split(",")
    order = Order(
        job_type=given.get("type", AUDIO), priority=parse_priority(given.get("priority", "normal")),
        requires=parse_labels("requires", labels),
    )  # fmt: skip
    hot_words = split_hot_words(given.get("hot_words", ""))
    wishes = make_wishes(given.get("prompt", ""), hot_words, words=given.get("words") == "true")
    return Schedule(
        schedule_id="", name=given.get("name", ""), owner=request.user.get_username(),
        cron=given.get("cron", ""), filename="", source="", size=0, created_at=timezone.now(),
        time_zone=given.get("time_zone", "").strip() or timezone.get_default_timezone_name(),
        use_purifier=_PURIFIER.get(given.get("purifier", "")),
        language=parse_language(given.get("language", "")), wishes=wishes, order=order,
    )  # fmt: skip


def _file(request: HttpRequest) -> UploadedFile:
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        raise NotDone(_("Choose a file first."))
    if (upload.size or 0) > get_conf().upload_max_bytes:
        raise NotDone(_("This file is larger than allowed."))
    return upload


def _explain(wrong: InvalidInput, kept: dict[str, str]) -> str:
    """What is wrong with a field, in the viewer's language."""
    known = {
        "name": _("A name has 1 to %(most)s printable characters.") % {"most": NAME_MAX},
        "cron": _("“%(cron)s” is no time: it needs five fields, and must come one day.")
        % {"cron": kept["cron"][:60]},
        "time_zone": _("“%(zone)s” is no time zone, such as Europe/Berlin.")
        % {"zone": kept["time_zone"][:60]},
    }
    reason = explain_error(str(wrong).partition(": ")[2])
    return known.get(wrong.field) or _("Nothing was made: %(reason)s.") % {"reason": reason}
