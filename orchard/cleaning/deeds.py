"""What can be done to things by hand: its name, what is asked before, and what does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orchard.cleaning import acts
from orchard.cleaning.acts import Did, direct_worker, to_job
from orchard.cleaning.thing import Thing
from orchard.roles import Role
from orchard.services import fleet, submissions

Word = str | Promise


class Deed(NamedTuple):
    """An action on things of one kind."""

    name: str
    kind: str
    label: Word
    question: Word
    """What is asked before it is done."""
    do: Callable[[Thing], Did]
    """Does it to one thing.

    Raises:
        OrchardError, StateError: it cannot be done (any more).
    """
    is_gentle: bool = False
    """Whether it can be taken back."""
    is_alone: bool = False
    """Whether it is done to one thing at a time, because it changes the database."""
    needs: Role = Role.OPERATOR
    """The role of people who may do it."""


_JOBS = (
    Deed(
        "job.retry", "jobs", _("Retry"),
        _("Start these jobs again? Only what is missing will be done."),
        to_job(submissions.retry), True,
    ),
    Deed(
        "job.pin", "jobs", _("Keep"), _("Keep these jobs, so that they do not expire?"),
        acts.pin_job(True), True,
    ),
    Deed(
        "job.unpin", "jobs", _("Let expire"), _("Let these jobs expire again?"),
        acts.pin_job(False), True,
    ),
    Deed(
        "job.cancel", "jobs", _("Cancel"),
        _("Cancel these jobs? What workers are doing now is thrown away."),
        to_job(submissions.cancel),
    ),
    Deed(
        "job.delete", "jobs", _("Delete"),
        _("Delete these jobs, recordings and transcripts? They cannot come back."),
        acts.delete_job,
    ),
    Deed(
        "letter.retry", "letters", _("Try again"),
        _("Start these jobs again, with all attempts for what was given up?"),
        to_job(submissions.retry), True,
    ),
    Deed(
        "letter.delete", "letters", _("Delete"),
        _("Delete these jobs, recordings and transcripts? They cannot come back."),
        acts.delete_job,
    ),
    Deed(
        "chunk.requeue", "chunks", _("Requeue"),
        _("Take these chunks from their workers and queue them again?"),
        acts.requeue_chunk, True,
    ),
    Deed(
        "chunk.fail", "chunks", _("Give up"),
        _("Give these chunks up? Their jobs go on without them."), acts.fail_chunk,
    ),
)  # fmt: skip

_FLEET = (
    Deed(
        "worker.drain", "workers", _("Drain"),
        _("Let these workers finish what they have, then no more?"),
        direct_worker(fleet.drain, "draining"), True,
    ),
    Deed(
        "worker.pause", "workers", _("Pause"),
        _("Give these workers nothing until they are resumed?"),
        direct_worker(fleet.pause, "paused"), True,
    ),
    Deed(
        "worker.resume", "workers", _("Resume"), _("Let these workers take work again?"),
        direct_worker(fleet.resume, ""), True,
    ),
    Deed(
        "worker.remove", "workers", _("Remove"),
        _("Remove these workers? What they hold returns to the queue."), acts.remove_worker,
    ),
)  # fmt: skip

_STATE = (
    Deed(
        "issue.release", "issues", _("Release"),
        _("Take these issues from their processes, as pending?"), acts.release_issue, True,
    ),
    Deed(
        "issue.reset", "issues", _("Forget"), _("Forget all that is known of these issues?"),
        acts.reset_issue,
    ),
    Deed(
        "issue.repair", "orphans", _("Repair"),
        _("Check these issues in as error, with a comment?"), acts.repair_issue,
    ),
    Deed(
        "process.clean", "processes", _("Clean up"),
        _("End these processes? What they hold is given back as error."), acts.clean_process,
    ),
    Deed(
        "lock.release", "locks", _("Release"), _("Free these locks, whoever holds them?"),
        acts.release_lock,
    ),
    Deed(
        "entry.delete", "entries", _("Delete"),
        _("Delete these entries? They cannot come back."), acts.delete_entry,
        needs=Role.ADMIN,
    ),
    Deed(
        "label.retry", "labels", _("Retry"), _("Deliver these label requests again?"),
        acts.retry_label, True,
    ),
    Deed(
        "state.reset_migration", "migration", _("Reset"),
        _("Take over the files of the older system again at the next start?"),
        acts.reset_migration, needs=Role.ADMIN,
    ),
    Deed(
        "expired.purge", "expired", _("Purge"),
        _("Let go of all this? Its time is over, and nothing of it comes back."), acts.purge,
        is_alone=True,
        needs=Role.ADMIN,
    ),
)  # fmt: skip

DEEDS = {deed.name: deed for deed in (*_JOBS, *_FLEET, *_STATE)}


def deeds_for(kind: str) -> list[Deed]:
    """What can be done to things of a kind."""
    return [deed for deed in DEEDS.values() if deed.kind == kind]
