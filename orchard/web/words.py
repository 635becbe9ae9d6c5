"""What the pages call things: states, stages and refusals, in the viewer's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from orchard.domain.errors import OrchardError
from orchard.domain.lacks import SAYINGS, Lack
from orchard.roles import Role
from orchard.services.accepting import title_of
from statecore.domain.errors import StateError

Word = str | Promise

JOB_STATES: dict[str, Word] = {
    "created": pgettext_lazy("job", "created"),
    "purifying": pgettext_lazy("job", "purifying"),
    "splitting": pgettext_lazy("job", "splitting"),
    "processing": pgettext_lazy("job", "processing"),
    "aggregating": pgettext_lazy("job", "aggregating"),
    "completed": pgettext_lazy("job", "completed"),
    "failed": pgettext_lazy("job", "failed"),
    "cancelled": pgettext_lazy("job", "cancelled"),
}

OTHER_JOB_STATES: Mapping[str, Word] = JOB_STATES | {"processing": pgettext_lazy("work", "working")}
"""The same of jobs that are no recordings."""

ANY_JOB_STATES: Mapping[str, Word] = JOB_STATES | {
    "processing": pgettext_lazy("any job", "processing")
}
"""The same where it may be any job."""

STAGES: dict[str, tuple[Word, Word]] = {
    "created": (_("Received"), _("stored, and in the queue")),
    "purifying": (_("Purify"), _("noise is taken out")),
    "splitting": (_("Split"), _("cut where nobody speaks")),
    "processing": (_("Transcribe"), _("workers write down what they hear")),
    "aggregating": (_("Join"), _("one transcript on one timeline")),
    "completed": (_("Done"), _("the transcript is ready")),
}

OTHER_STAGES = STAGES | {
    "splitting": (_("Split"), _("cut into pieces for the workers")),
    "processing": (_("Work"), _("workers do their pieces")),
    "aggregating": (_("Join"), _("results are put together")),
    "completed": (_("Done"), _("the result is ready")),
}
"""The same of jobs that are no recordings."""

CHUNK_STATES: Mapping[str, Word] = {
    "waiting": pgettext_lazy("chunk", "waiting"),
    "running": pgettext_lazy("chunk", "in work"),
    "completed": pgettext_lazy("chunk", "done"),
    "failed": pgettext_lazy("chunk", "failed"),
}

WORKER_STATES: Mapping[str, Word] = {
    "online": pgettext_lazy("worker", "idle"),
    "busy": pgettext_lazy("worker", "working"),
    "offline": pgettext_lazy("worker", "silent"),
    "draining": pgettext_lazy("worker", "draining"),
    "paused": pgettext_lazy("worker", "paused"),
    "ailing": pgettext_lazy("worker", "in trouble"),
}

NODE_TROUBLES: Mapping[str, Word] = {
    "unreachable": pgettext_lazy("node", "unreachable"),
    "breaking": pgettext_lazy("node", "breaks off"),
    "failing": pgettext_lazy("node", "fails"),
    "nonsense": pgettext_lazy("node", "answers nonsense"),
    "slow": pgettext_lazy("node", "too slow"),
    "forbidden": pgettext_lazy("node", "address not allowed"),
}
"""What is the matter with a push node, by its condition."""

DOUBTS: Mapping[str, Word] = {
    "loop": _("one phrase in a loop"),
    "compression": _("the same again and again"),
    "improbable": _("improbable words"),
    "over_silence": _("text over silence"),
    "too_much_text": _("more text than anybody can say"),
}
"""Why a text is doubtful, as the quality guard says it."""


def tell_doubts(reasons: Iterable[object]) -> str:
    """Why a text is doubtful, in words; the guard of a newer version may have more of them."""
    told = [str(one) for one in reasons]
    if "loop" in told:  # which packs well, too; that says nothing more
        told = [one for one in told if one != "compression"]
    return ", ".join(str(DOUBTS.get(one, one)) for one in told) or "—"


NODE_REASONS: Sequence[Word] = (
    _("it did not answer in time"),
    _("it did not finish in time"),
    _("it cannot be reached"),
    _("its name leads nowhere"),
    _("it answered with an error"),
    _("it redirects, which is not followed"),
    _("it broke the connection off"),
    _("its answer is not HTTP"),
    _("its answer is too long"),
    _("its answer is compressed"),
    _("its answer is not what a node answers"),
    _("its text has NUL characters"),
    _("its times are not finite"),
    _("it heard more than can be said"),
    _("it heard something outside the chunk"),
    _("no node is at a metadata address"),
    _("no node is at an address of one link only"),
    _("this is not the address of a machine"),
    _("this is in none of the networks of ORCHARD_NODE_NETWORKS"),
    _("there is no such port"),
    _("not an http address of a host and port"),
    _("URL is required"),
)
"""What :mod:`orchard.ports` says of nodes; named for translators."""

ROLES: Mapping[Role, Word] = {
    Role.VIEWER: pgettext_lazy("role", "viewer"),
    Role.OPERATOR: pgettext_lazy("role", "operator"),
    Role.ADMIN: pgettext_lazy("role", "admin"),
}

ROLE_NOTES: Mapping[Role, Word] = {
    Role.VIEWER: _("sees every page, values of state included, and changes nothing"),
    Role.OPERATOR: _("sees everything, hands in recordings, directs jobs, workers and issues"),
    Role.ADMIN: _("may do everything: change state, too, and decide who may come in"),
}

SCOPE_NOTES: Mapping[str, Word] = {
    "read": _("read everything"),
    "submit": _("hand in recordings, end and repeat jobs"),
    "worker": _("work on chunks, and direct workers"),
    "issues": _("work on issues; processes, locks, label requests"),
    "state": _("read and change state"),
    "admin": _("all of these, also for others"),
}

QUESTIONS: Mapping[str, Word] = {
    "cancel_job": _("Cancel this job? What its workers are doing now is thrown away."),
    "delete_job": _("Delete this job, its recording and its transcript? They cannot come back."),
    "reset_issue": _("Forget all that is known of this issue? A late report on it is refused."),
    "check_in": _("Take this issue from the process that holds it? A late report is refused."),
    "repair_orphan": _("Take this issue from its process? Its state becomes “error”."),
    "retry_all_labels": _("Try all label requests again that were given up?"),
    "release_lock": _(
        "Take this lock from its owner? The owner is not stopped: what the lock protects must"
        " refuse its token."
    ),
    "remove_worker": _("Remove this worker? What it holds returns to the queue at once."),
    "delete_entry": _("Delete this entry? Programs that rely on it will miss it."),
    "shut_out": _("Shut this person out? Their sessions, links and tokens end at once."),
    "rotate_webhook": _("Make a new secret? The old one signs, too, for another 24 hours."),
    "delete_webhook": _("Delete this webhook, and the list of what it was sent?"),
    "delete_schedule": _("Delete this schedule and its file? The jobs that it led to stay."),
    "reset_migration": _("Take over the files of the older system again at the next start?"),
}

KNOWN_REASONS: Sequence[Word] = (
    _("the file is empty"),
    _("the file has no sound"),
    _("the sound of the file is in a form that cannot be decoded"),
    _("the file cannot be read as sound"),
    _("the recording is longer than 37 hours"),
)
"""Why a recording cannot be used, as :mod:`orchard.ports.audio` says it; named for translators."""

KNOWN_LACKS: Sequence[Word] = (
    _("No worker is online."),
    _("Start an agent."),
    _("No worker that is online does this type of work: %(type)s."),
    _("Start an agent that does it."),
    _("No worker that is online has the labels %(labels)s."),
    _("Start an agent with these labels, or hand the work in again without them."),
    _("All workers that do this are paused or draining."),
    _("Resume one of them, or start another agent."),
)
"""Why a job waits, and what helps, as :mod:`orchard.domain.lacks` says it; for translators."""

_REFUSALS: Mapping[str, Word] = {
    "unknown_job": _("This job no longer exists. Somebody deleted it, or its time was up."),
    "worker_exists": _("This worker is in the fleet already."),
    "unknown_worker": _("This worker is no longer in the fleet."),
    "transition_refused": _("The state it is in now does not allow this."),
    "held": _("Somebody else holds this work now."),
    "text_changed": _("Somebody else has edited this line meanwhile."),
    "unknown_issue": _("Nothing is known of this issue."),
    "unknown_process": _("This process is no longer known."),
    "unknown_lock": _("Nobody holds this lock any more."),
    "unknown_label_request": _("This label request is no longer there."),
    "unknown_entry": _("There is no such entry."),
    "not_checked_out": _("Nobody holds this issue any more."),
    "unknown_webhook": _("There is no such webhook any more."),
    "unknown_schedule": _("There is no such schedule any more."),
    "unknown_delivery": _("What was sent is kept for some weeks; this is no longer there."),
    "unknown_chunk": _("This chunk is no longer there."),
    "changed": _("It has become something else since it was shown; nothing was changed."),
    "version_conflict": _("It has become something else since it was shown; nothing was changed."),
    "stale_token": _("Somebody else has taken this over meanwhile; nothing was changed."),
}


def explain_refusal(fault: OrchardError | StateError) -> str:
    """Why something was refused, for people."""
    return str(_REFUSALS.get(fault.code) or gettext(str(fault) or "refused"))


def explain_code(code: str, reason: str) -> str:
    """Why something was refused, by its code, or else by the words of the refusal."""
    return str(_REFUSALS.get(code) or gettext(reason or "refused"))


def explain_lack(lack: Lack) -> tuple[str, str]:
    """Why a job waits that no worker can begin, and what helps, for people."""
    what, helps = SAYINGS[lack.reason]
    title = gettext(title_of(lack.job_type))
    return gettext(what) % (lack.facts | {"type": title}), gettext(helps)


def explain_error(error: str) -> str:
    """Why a job failed, for people; a reason without a translation stays as it is."""
    reason, mark, facts = error.partition(": ")
    known = gettext(reason)
    return f"{known}{mark}{facts}" if known != reason else gettext(error)
