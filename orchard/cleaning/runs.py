"""Runs of cleaning: prepared for a preview, then done in short steps that can be stopped.

A run keeps the names that were shown in its preview, so it never touches what
came later. Each step is short, notes how far it came, and writes the audit
log; whoever stops in between has lost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from orchard.cleaning.acts import Did
from orchard.cleaning.deeds import DEEDS, Deed
from orchard.cleaning.thing import Filters, Thing
from orchard.cleaning.things import KINDS, Kind
from orchard.domain.errors import OrchardError
from orchard.models import AuditEntry, CleaningRun
from orchard.services import EngineAway, EngineBusy, selections
from orchard.services import run as ask
from statecore.domain.errors import StateError

MOST = 200_000
"""Most things of one run."""
SHOWN = 100
"""How many of them a preview shows."""
LOOK_S = 10.0
"""How long is looked for things that were ticked, and may be gone, in seconds."""
STEP_S = 0.6
"""How long one step works, in seconds."""
BATCH = 32
AT_ONCE = 8
"""How many things are done at the same time."""
PROBLEMS_KEPT = 200
MOVING = ("state", "position", "done", "skipped", "problems", "held_until")
"""What of a run changes while it is done."""
LEASE_S = 15
"""How long a step may hold its run before another one may go on, in seconds."""


def prepare(deed: Deed, filters: Filters, names: Sequence[str], who: str) -> CleaningRun:
    """A run on the things that a filter means, or of them on those that were ticked."""
    forget_old()
    kind = KINDS[deed.kind]
    found = _ticked(kind, filters, set(names)) if names else kind.all(filters)
    things = list(islice(found, MOST))
    shown = [[thing.name, thing.state, thing.shown] for thing in things[:SHOWN]]
    return CleaningRun.objects.create(
        who=who, deed=deed.name, filters=dict(filters), total=len(things), shown=shown,
        names="\n".join(thing.line() for thing in things),
    )  # fmt: skip


def begin(run: CleaningRun) -> bool:
    """Start a run, or go on with one that was stopped; false when it is under way or over."""
    waiting = (CleaningRun.PREVIEWED, CleaningRun.STOPPED)
    changed = CleaningRun.objects.filter(pk=run.pk, state__in=waiting)
    return bool(changed.update(state=CleaningRun.RUNNING))


def stop(run: CleaningRun) -> bool:
    """Stop a run after the thing it is at; false when it is not under way."""
    changed = CleaningRun.objects.filter(pk=run.pk, state=CleaningRun.RUNNING)
    return bool(changed.update(state=CleaningRun.STOPPED))


def step(run: CleaningRun, budget_s: float = STEP_S) -> CleaningRun:
    """Do some more of a run; whoever comes while another step is at it only looks.

    Raises:
        EngineAway: the state engine is away; what is done is noted, and it can go on.
    """
    if not _take(run):
        return run
    until = time.monotonic() + budget_s
    lines = run.names.split("\n")
    try:
        while run.state == CleaningRun.RUNNING and run.position < run.total:
            _do_batch(run, lines)
            run.refresh_from_db(fields=MOVING)
            if time.monotonic() >= until:
                break
        if run.state == CleaningRun.RUNNING and run.position >= run.total:
            run.state = CleaningRun.DONE
            run.save(update_fields=["state"])
    finally:
        CleaningRun.objects.filter(pk=run.pk).update(held_until=None)
    return run


def forget_old(days: int = 30) -> int:
    """Forget the lists of old runs; what they did stays in the audit log."""
    old = CleaningRun.objects.filter(created_at__lt=timezone.now() - timedelta(days=days))
    return old.delete()[0]


def _ticked(kind: Kind, filters: Filters, wanted: set[str]) -> Iterator[Thing]:
    """Of what a filter means, the things of these names; those that are gone are left out."""
    until = time.monotonic() + LOOK_S
    for thing in kind.find(filters):
        if thing and thing.name in wanted:
            wanted.remove(thing.name)
            yield thing
        if not wanted or time.monotonic() > until:
            return


def _take(run: CleaningRun) -> bool:
    free = CleaningRun.objects.filter(pk=run.pk, state=CleaningRun.RUNNING).exclude(
        held_until__gt=timezone.now()
    )
    taken = free.update(held_until=timezone.now() + timedelta(seconds=LEASE_S))
    run.refresh_from_db(fields=MOVING)
    return bool(taken)


def _do_batch(run: CleaningRun, lines: list[str]) -> None:
    """Do the next things, and note them in one transaction.

    Raises:
        EngineAway: it went away meanwhile; what was done is noted, the rest comes next.
    """
    here = slice(run.position, run.position + BATCH)
    outcomes = _do_all(DEEDS[run.deed], [Thing.of_line(line) for line in lines[here]])
    told = [one for one in outcomes if not one.is_away]
    left = [line for line, one in zip(lines[here], outcomes, strict=True) if one.is_away]
    with transaction.atomic():
        _note(run, told)
        if left and told:
            kept = [line for line in lines[here] if line not in left]
            lines[here] = [*kept, *left]
            CleaningRun.objects.filter(pk=run.pk).update(names="\n".join(lines))
    if left:
        raise EngineAway


def _note(run: CleaningRun, told: Sequence[_Outcome]) -> None:
    problems = [[one.name, one.error] for one in told if one.error]
    entries = [_entry(run, one) for one in told if not one.error]
    AuditEntry.objects.bulk_create(entries)
    CleaningRun.objects.filter(pk=run.pk).update(
        position=run.position + len(told), done=run.done + len(entries),
        skipped=run.skipped + len(problems),
        problems=[*run.problems, *problems][:PROBLEMS_KEPT],
        held_until=timezone.now() + timedelta(seconds=LEASE_S),
    )  # fmt: skip


class _Outcome(NamedTuple):
    """What came of one thing, or why nothing was done."""

    name: str
    did: Did = Did(None)
    error: str = ""
    is_away: bool = False
    """Whether the engine was away, so that nobody knows."""


def _do_all(deed: Deed, things: Sequence[Thing]) -> list[_Outcome]:
    """Do several things at once: most of the time of each is waiting for the engine."""
    if deed.is_alone or len(things) == 1:
        return [_do(deed, thing) for thing in things]
    if deed.kind in ("jobs", "letters"):
        ask(selections.recall_jobs([thing.name for thing in things]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda thing: _do(deed, thing), things))


def _do(deed: Deed, thing: Thing) -> _Outcome:
    try:
        return _Outcome(thing.name, deed.do(thing))
    except (OrchardError, StateError) as refused:
        return _Outcome(thing.name, error=f"{refused.code}: {refused}"[:300])
    except EngineBusy:
        return _Outcome(thing.name, error="busy: it changes too often right now")
    except EngineAway:
        return _Outcome(thing.name, is_away=True)


def _entry(run: CleaningRun, one: _Outcome) -> AuditEntry:
    facts = {"before": one.did.before, "after": one.did.after, "run": run.pk}
    return AuditEntry(who=run.who, action=run.deed, subject=one.name[:200], facts=facts)
