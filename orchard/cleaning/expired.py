"""What has passed its time and is still kept, whatever it is: found, counted and let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orchard.domain.errors import TransitionRefused
from orchard.models import SignInLink
from orchard.services import leftovers, run
from statecore.services import leftovers as state_leftovers

Word = str | Promise


class Pile(NamedTuple):
    """Things of one sort that have passed their time."""

    label: Word
    find: Callable[[], Iterator[str]]
    """Their names, those first that should have gone first."""
    purge: Callable[[str], Any]
    """Lets one of them go.

    Raises:
        OrchardError, StateError: it is gone already, or its time is not over any more.
    """


def find(pile: str = "") -> Iterator[tuple[str, str]]:
    """Pile and name of all that has passed its time, or of one pile."""
    for key in [pile] if pile in PILES else [] if pile else PILES:
        for name in PILES[key].find():
            yield key, name


def purge(named: str) -> None:
    """Let one thing go, by its pile and name (``jobs/0123``).

    Raises:
        OrchardError, StateError: it is gone already, or its time is not over any more.
    """
    pile, _mark, name = named.partition("/")
    if pile not in PILES:
        raise TransitionRefused("there is no such pile")
    PILES[pile].purge(name)


def count() -> int:
    """How much there is, but for files: nothing counts these but a search."""
    in_engine: Mapping[str, int] = run(leftovers.count()) | {
        f"state-{name}": number for name, number in run(state_leftovers.count()).items()
    }
    return int(sum(in_engine.values()) + _old_links().count())


def _old_links() -> Any:
    return SignInLink.objects.filter(expires_at__lt=timezone.now())


def _purge_link(name: str) -> None:
    with transaction.atomic():
        gone, _by_model = _old_links().filter(pk=int(name)).delete()
    if not gone:
        raise TransitionRefused("it is gone already, or its time is not over any more")


def _of_jobs(name: str, label: Word) -> Pile:
    return Pile(
        label,
        lambda: _walk(lambda after: run(leftovers.page(name, after))),
        lambda one: run(leftovers.purge(name, one)),
    )


def _of_state(name: str, label: Word) -> Pile:
    return Pile(
        label,
        lambda: _walk(lambda after: run(state_leftovers.page(name, after))),
        lambda one: run(state_leftovers.purge(name, one)),
    )


def _walk(turn: Callable[[Any], Any]) -> Iterator[str]:
    after = None
    while True:
        page = turn(after)
        yield from page.names
        after = page.after
        if after is None:
            return


PILES = {
    "jobs": _of_jobs(leftovers.JOBS, _("ended jobs")),
    "files": Pile(
        _("files without a job"),
        lambda: iter(run(leftovers.find_files())),
        lambda one: run(leftovers.purge(leftovers.FILES, one)),
    ),
    "workers": _of_jobs(leftovers.WORKERS, _("silent workers")),
    "leases": _of_jobs(leftovers.LEASES, _("leases of chunks")),
    "locks": _of_state(state_leftovers.LOCKS, _("locks whose lease is over")),
    "labels": _of_state(state_leftovers.LABELS, _("delivered label requests")),
    "processes": _of_state(state_leftovers.PROCESSES, _("marks of dead processes")),
    "links": Pile(
        _("sign-in links"),
        lambda: (str(pk) for pk in _old_links().values_list("pk", flat=True)),
        _purge_link,
    ),
}
