"""The engine page: whether the state engine is well, how fast it is, and what it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from orchard.services import EngineAway, counts, queries, upgrading
from orchard.services import run as run_job
from orchard.web.access import page
from orchard.web.charts import Chart, Series
from orchard.web.concerns import CONCERNS
from orchard.web.engine_tiles import show_ms, tiles, version_tile
from orchard.web.words import Word
from statecore.services import health, run
from statecore.services.health import Sample

POLL_MS = 5_000
TABLE_ROWS = 30


class Kind(NamedTuple):
    """How many things of a kind there are."""

    label: Word
    number: int
    note: Word = ""
    url: str = ""


@page
def engine(request: HttpRequest) -> HttpResponse:
    """The engine's health; when it is away, that, and what was last known."""
    context: dict[str, Any] = {"page": "engine", "topic": "fleet", "poll_ms": POLL_MS}
    try:
        context |= {"cursor": run_job(queries.events_end())} | engine_context()
    except EngineAway as away:
        context |= {"away": True, "reason": str(away), "last": _last_seen()}
        answer = render(request, "orchard/engine.html", context, status=503)
        answer["Retry-After"] = "2"
        return answer
    return render(request, "orchard/engine.html", context)


def engine_context() -> dict[str, Any]:
    """What the page shows.

    Raises:
        EngineAway: the engine cannot be reached.
    """
    found = health.examine()
    return {
        "facts": found.facts, "now": found.now,
        "concerns": [(one, *CONCERNS[one.name]) for one in found.concerns],
        "tiles": [*tiles(found), *version_tile(upgrading.describe())],
        "charts": charts(found.samples), "kinds": kinds(),
        "rows": found.samples[: -TABLE_ROWS - 1 : -1], "streams": found.facts.streams.items(),
        "snapshot_at": _moment(found.facts.snapshot_at), "reads": found.reads,
    }  # fmt: skip


def charts(samples: list[Sample]) -> list[Chart]:
    """What was seen lately, as lines; what an engine does not tell has none."""
    latency = Chart(
        _("Time that a read takes"),
        [
            Series(_("half of them at most"), [one.p50_ms for one in samples]),
            Series(_("19 of 20 at most"), [one.p95_ms for one in samples], "dashed"),
        ],
        show_ms,
    )
    told: list[tuple[Word, Sequence[float | None], Callable[[float], str]]] = [
        (_("Memory"), [one.memory_bytes for one in samples], filesizeformat),
        (_("Operations a second"), [one.ops_per_s for one in samples], _count),
        (_("Events in the stream"), [one.events for one in samples], _count),
    ]
    others = [
        Chart(title, [Series(title, [value or 0.0 for value in values])], show)
        for title, values, show in told
        if None not in values
    ]
    return [latency, *others]


def kinds() -> list[Kind]:
    """How many things of each kind there are, from our own indexes."""
    stats, load, held = (
        run_job(counts.get_stats()), run_job(counts.get_load()), run(health.count_state())
    )  # fmt: skip
    issues = {str(status): count for status, count in held.issues.items()}
    labels = {str(status): count for status, count in held.labels.items()}
    active, waiting = _("%(n)d under way"), _("%(n)d waiting")
    return [
        Kind(_("Jobs"), stats.jobs.total, active % {"n": stats.jobs.active}, _url("jobs-page")),
        Kind(
            _("Chunks in work"), load.leased_chunks, waiting % {"n": load.waiting_chunks},
            _url("jobs-page"),
        ),
        Kind(_("Workers"), stats.workers.total, "", _url("workers-page")),
        Kind(
            _("Issues"), sum(issues.values()), active % {"n": issues["processing"]},
            _url("issues-page"),
        ),
        Kind(_("Processes"), held.processes, "", _url("processes-page")),
        Kind(_("Locks"), held.locks, "", _url("locks-page")),
        Kind(
            _("Label requests"), sum(labels.values()), waiting % {"n": labels["queued"]},
            _url("labels-page"),
        ),
        Kind(
            _("Entries of state"), sum(held.entries.values()),
            _("in %(n)d namespaces") % {"n": len(held.entries)}, _url("state-page"),
        ),
    ]  # fmt: skip


def _last_seen() -> Sample | None:
    try:
        return health.last_seen()
    except EngineAway:  # it could not even be opened yet
        return None


def _count(value: float) -> str:
    return f"{value:.0f}"


def _moment(epoch_s: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch_s, UTC) if epoch_s else None


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
