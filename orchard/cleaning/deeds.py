"""What can be done to things by hand: one service call each, and what it led to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orchard.services import fleet, reports, run, submissions
from statecore.services import checkouts, issue_lists, labels, locks, namespaced, orphans, processes
from statecore.wording import comment_on

Word = str | Promise
BY_HAND = "by hand"


class Deed(NamedTuple):
    """An action on things of one kind."""

    name: str
    kind: str
    label: Word
    question: Word
    """What is asked before it is done."""
    do: Callable[[str], Any]
    """Does it to the thing of this name.

    Raises:
        OrchardError, StateError: it cannot be done (any more).
    """
    is_gentle: bool = False
    """Whether it can be taken back."""


def _delete_entry(name: str) -> None:
    namespace, _, key = name.partition("/")
    run(namespaced.remove(namespace, key))


def _repair(name: str) -> None:
    run(orphans.repair_number(int(name), comment_on))


_ALL = (
    Deed(
        "job.retry",
        "jobs",
        _("Retry"),
        _("Start these jobs again? Only what is missing will be done."),
        lambda name: run(submissions.retry(name)),
        True,
    ),
    Deed(
        "job.pin",
        "jobs",
        _("Keep"),
        _("Keep these jobs, so that they do not expire?"),
        lambda name: run(submissions.pin(name, True)),
        True,
    ),
    Deed(
        "job.unpin",
        "jobs",
        _("Let expire"),
        _("Let these jobs expire again?"),
        lambda name: run(submissions.pin(name, False)),
        True,
    ),
    Deed(
        "job.cancel",
        "jobs",
        _("Cancel"),
        _("Cancel these jobs? What workers are doing now is thrown away."),
        lambda name: run(submissions.cancel(name)),
    ),
    Deed(
        "job.delete",
        "jobs",
        _("Delete"),
        _("Delete these jobs, recordings and transcripts? They cannot come back."),
        lambda name: run(submissions.remove(name)),
    ),
    Deed(
        "chunk.requeue",
        "chunks",
        _("Requeue"),
        _("Take these chunks from their workers and queue them again?"),
        lambda name: run(reports.requeue(name, BY_HAND)),
        True,
    ),
    Deed(
        "chunk.fail",
        "chunks",
        _("Give up"),
        _("Give these chunks up? Their jobs go on without them."),
        lambda name: run(reports.bury(name, BY_HAND)),
    ),
    Deed(
        "worker.drain",
        "workers",
        _("Drain"),
        _("Let these workers finish what they have, then no more?"),
        lambda name: run(fleet.drain(name)),
        True,
    ),
    Deed(
        "worker.pause",
        "workers",
        _("Pause"),
        _("Give these workers nothing until they are resumed?"),
        lambda name: run(fleet.pause(name)),
        True,
    ),
    Deed(
        "worker.resume",
        "workers",
        _("Resume"),
        _("Let these workers take work again?"),
        lambda name: run(fleet.resume(name)),
        True,
    ),
    Deed(
        "worker.remove",
        "workers",
        _("Remove"),
        _("Remove these workers? What they hold returns to the queue."),
        lambda name: run(fleet.remove(name, "removed")),
    ),
    Deed(
        "issue.release",
        "issues",
        _("Release"),
        _("Take these issues from their processes, as pending?"),
        lambda name: run(checkouts.check_in(int(name), issue_lists.status_named("pending"))),
        True,
    ),
    Deed(
        "issue.reset",
        "issues",
        _("Forget"),
        _("Forget all that is known of these issues?"),
        lambda name: run(checkouts.reset(int(name))),
    ),
    Deed(
        "issue.repair",
        "orphans",
        _("Repair"),
        _("Check these issues in as error, with a comment?"),
        _repair,
    ),
    Deed(
        "process.clean",
        "processes",
        _("Clean up"),
        _("End these processes? What they hold is given back as error."),
        lambda name: run(processes.clean_up(name, reason=BY_HAND)),
    ),
    Deed(
        "lock.release",
        "locks",
        _("Release"),
        _("Free these locks, whoever holds them?"),
        lambda name: run(locks.force_release(name)),
    ),
    Deed(
        "entry.delete",
        "entries",
        _("Delete"),
        _("Delete these entries? They cannot come back."),
        _delete_entry,
    ),
    Deed(
        "label.retry",
        "labels",
        _("Retry"),
        _("Deliver these label requests again?"),
        lambda name: run(labels.retry(name)),
        True,
    ),
)

DEEDS = {deed.name: deed for deed in _ALL}


def deeds_for(kind: str) -> list[Deed]:
    """What can be done to things of a kind."""
    return [deed for deed in _ALL if deed.kind == kind]
