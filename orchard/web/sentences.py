"""Events as sentences, with links to what they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orchard.codec import UNREADABLE
from orchard.web import words
from orchard.web.issue_words import ISSUE_STATES, ORPHAN_REASONS
from orchard.web.words import Word

KINDS: Mapping[str, Word] = {
    "job": pgettext_lazy("event", "jobs"),
    "chunk": pgettext_lazy("event", "chunks"),
    "worker": pgettext_lazy("event", "workers"),
    "schedule": pgettext_lazy("event", "schedules"),
    "issue": pgettext_lazy("event", "issues"),
    "process": pgettext_lazy("event", "processes"),
    "lock": pgettext_lazy("event", "locks"),
    "state": pgettext_lazy("event", "state"),
    "label": pgettext_lazy("event", "labels"),
}

ICONS = {"job": "jobs", "worker": "workers", "issue": "issues", "schedule": "retry"}
"""Where a kind's icon has another name than the kind."""

IDS = ("job_id", "chunk_id", "worker_id", "schedule_id", "issue", "process_id", "lock", "owner",
       "key", "namespace", "request_id", "filename")  # fmt: skip
"""Fields by whose value an event can be found."""

SENTENCES: Mapping[str, Word] = {
    "job.created": _("Job {job} was created for “{filename}”."),
    "job.advanced": _("Job {job} is now {status}."),
    "job.progressed": _("Job {job} is {progress} through its stage."),
    "job.purified": _("The sound of job {job} was cleaned."),
    "job.purifier_bypassed": _("Job {job} goes on with its sound as it came."),
    "job.pinned": _("Job {job} is kept."),
    "job.unpinned": _("Job {job} may expire again."),
    "job.removed": _("Job {job} is gone."),
    "chunk.started": _("{worker} took chunk {index} of job {job}."),
    "chunk.progressed": _("Chunk {index} of job {job} is {progress} done."),
    "chunk.completed": _("{worker} finished chunk {index} of job {job}."),
    "chunk.requeued": _("Chunk {index} of job {job} went back to the queue: {reason}."),
    "chunk.dropped": _("{worker} has chunk {index} of job {job} no longer: {reason}."),
    "chunk.doubted": _("What {worker} wrote of chunk {index} of job {job} is doubtful: {reasons}."),
    "chunk.failed": _("Chunk {index} of job {job} was given up: {error}"),
    "worker.registered": _("Worker {worker} joined the fleet."),
    "worker.changed": _("Worker {worker} is {status} and holds {count}."),
    "worker.removed": _("Worker {worker} left the fleet: {reason}."),
    "schedule.created": _("Schedule {schedule} was made by {owner}."),
    "schedule.changed": _("Schedule {schedule} was changed."),
    "schedule.paused": _("Schedule {schedule} is paused."),
    "schedule.handed_in": _("Schedule {schedule} led to job {job}."),
    "schedule.skipped": _("Schedule {schedule} led to no job: {error}"),
    "schedule.deleted": _("Schedule {schedule} was deleted."),
    "issue.checked_out": _("{process} checked out issue {issue}."),
    "issue.renewed": _("{process} still works on issue {issue}."),
    "issue.checked_in": _("Issue {issue} was checked in as {status}."),
    "issue.updated": _("Issue {issue} is now {status}."),
    "issue.orphaned": _("Issue {issue} was taken from {process}, which is gone: {reason}."),
    "issue.reset": _("All that was known of issue {issue} was forgotten."),
    "state.changed": _("{entry} was set."),
    "state.deleted": _("{entry} was deleted."),
    "process.registered": _("Process {process} announced itself as {role}."),
    "process.ended": _("Process {process} ended ({status}): {reason}."),
    "lock.acquired": _("{owner} holds the lock {lock}."),
    "lock.released": _("{owner} gave back the lock {lock}."),
    "label.queued": _("Labels of issue {issue} are to change: {labels}."),
    "label.sent": _("The label request for issue {issue} was delivered."),
    "label.failed": _("The label request for issue {issue} failed: {error}"),
    "label.given_up": _("The label request for issue {issue} was given up: {error}"),
}

Facts = Mapping[str, Any]


def read_event(raw: bytes) -> dict[str, Any]:
    """The fields of an event; nothing for one that makes no sense."""
    try:
        found = msgspec.json.decode(raw)
    except UNREADABLE:
        return {}
    return found if isinstance(found, dict) else {}


def is_about(event: Facts, wanted: str) -> bool:
    """Whether an event is about this id: of a job, an issue (``#34``), a key, an owner …"""
    bare = wanted.removeprefix("#").casefold()
    return any(bare == str(event[name]).casefold() for name in IDS if name in event)


def tell(event: Facts) -> SafeString:
    """An event as a sentence; one of a newer version by its name."""
    sentence = SENTENCES.get(_name(event))
    if sentence is None:
        return format_html("<code>{}</code>", str(event.get("name", "?")))
    return format_html(str(sentence), **{name: make(event) for name, make in _PARTS.items()})


def _name(event: Facts) -> str:
    name = str(event.get("name", ""))
    if name == "job.pinned" and not event.get("pinned"):
        return "job.unpinned"
    if name == "state.changed" and not event.get("version"):
        return "state.deleted"
    if name == "schedule.changed" and not event.get("enabled"):
        return "schedule.paused"
    return "label.given_up" if name == "label.failed" and event.get("given_up") else name


def _link(text: str, url_name: str, *args: str, query: str = "", title: str = "") -> SafeString:
    """A link to a page of what is told, or the mere text when there is no such page."""
    try:
        url = reverse(url_name, args=args) + query
    except NoReverseMatch:
        return format_html("<b>{}</b>", text)
    return format_html('<a href="{}"{}>{}</a>', url, _title(title), text)


def _title(title: str) -> SafeString | str:
    return format_html(' title="{}"', title) if title else ""


def _job(event: Facts) -> SafeString:
    job_id = str(event.get("job_id", "—"))
    return _link(job_id[:8], "job-page", job_id, title=job_id)


def _worker(event: Facts) -> SafeString:
    name = str(event.get("worker_id", "—"))
    return _link(name, "workers-page", query=f"#{name}")


def _schedule(event: Facts) -> SafeString:
    name = str(event.get("schedule_id", "—"))
    shown = f"“{event.get('title', '—')}”"
    return _link(shown, "schedules-page", query=f"#schedule-{name}", title=name)


def _issue(event: Facts) -> SafeString:
    number = str(event.get("issue", "—"))
    return _link(f"#{number}", "issue-page", number)


def _entry(event: Facts) -> SafeString:
    namespace, key = str(event.get("namespace", "—")), str(event.get("key", "—"))
    return _link(f"{namespace}/{key}", "entry-page", namespace, query=f"?{urlencode({'key': key})}")


def _status(event: Facts) -> Word:
    status = str(event.get("status", event.get("final_status", "—")))
    kinds = {"job": words.ANY_JOB_STATES, "worker": words.WORKER_STATES, "issue": ISSUE_STATES}
    return kinds.get(str(event.get("name", "")).partition(".")[0], {}).get(status, status)


def _progress(event: Facts) -> str:
    share = event.get("progress")
    return f"{100 * share:.0f} %" if isinstance(share, int | float) else "—"


def _labels(event: Facts) -> str:
    changes = [*(f"+{one}" for one in event.get("add", ()))]
    changes += [f"−{one}" for one in event.get("remove", ())]
    return " ".join(changes) or "—"


def _count(event: Facts) -> int:
    held: Sequence[Any] = event.get("pending_chunks", ())
    return len(held)


def _plain(name: str) -> Callable[[Facts], SafeString]:
    return lambda event: format_html("<b>{}</b>", str(event.get(name) or "—"))


def _reason(event: Facts) -> str:
    text = str(event.get("reason") or "—")
    return str(REASONS.get(text, text))


def _reasons(event: Facts) -> str:
    found = event.get("reasons")
    return words.tell_doubts(found if isinstance(found, list) else [])


REASONS: Mapping[str, Word] = {
    **ORPHAN_REASONS, "removed": _("removed by hand"), "expired": _("silent for too long")
}  # fmt: skip

_PARTS: Mapping[str, Callable[[Facts], Any]] = {
    "job": _job, "worker": _worker, "issue": _issue, "entry": _entry, "status": _status,
    "schedule": _schedule, "progress": _progress, "labels": _labels, "count": _count,
    "reason": _reason, "reasons": _reasons,
    "process": _plain("process_id"), "lock": _plain("lock"), "owner": _plain("owner"),
    "filename": _plain("filename"), "role": _plain("role"),
    "index": lambda event: event.get("index", "—"), "error": lambda event: event.get("error", ""),
}  # fmt: skip
